import { describe, expect, test } from 'vitest'
import { mergeVariables, parseVariables, pythonJson, pythonText, storedVariables } from './variables.ts'

describe('parseVariables', () => {
  test.each([
    ['', {}],
    [null, {}],
    ['---', {}],
    ['""', {}],
    ['{"a": 1}', { a: 1 }],
    ['a: 1\nb: [1, 2]', { a: 1, b: [1, 2] }],
    ['on: yes', { true: true }],
    ['y: n\nyes: no', { y: 'n', true: false }],
    ['revision: 12345e7\nratio: 1.5e+3', { revision: '12345e7', ratio: 1500 }],
    ['mode: 0755', { mode: 0o755 }],
    ['day: 2026-01-02', { day: '2026-01-02' }],
    ['base: &b {x: 1}\ncopy:\n  <<: *b', { base: { x: 1 }, copy: { x: 1 } }],
    ['a: 1\na: 2', { a: 2 }],
    [{ a: 1 }, { a: 1 }],
  ])('%j is %j', (source, value) => {
    expect(parseVariables(source)).toEqual({ ok: true, value })
  })

  test.each([
    [
      '[1,2]',
      'Cannot parse as JSON (error: Input type `list` is not a dictionary) or YAML (error: Input type `list` is not a dictionary).',
    ],
    [
      'just text',
      'Cannot parse as JSON (error: Expecting value: line 1 column 1 (char 0)) or YAML (error: Input type `str` is not a dictionary).',
    ],
    [
      [1],
      "Cannot parse as JSON (error: the JSON object must be str, bytes or bytearray, not list) or YAML (error: 'list' object has no attribute 'read').",
    ],
  ])('%j is refused in the words of AWX', (source, message) => {
    expect(parseVariables(source)).toEqual({ ok: false, message })
  })

  test('broken YAML names both readers', () => {
    const parsed = parseVariables('not: [valid')
    expect(parsed.ok).toBe(false)
    expect(parsed).toHaveProperty(
      'message',
      expect.stringMatching(
        /^Cannot parse as JSON \(error: Expecting value: line 1 column 1 \(char 0\)\) or YAML \(error: .*line 1/s,
      ),
    )
  })
})

/** Texts that the parsers would take minutes, gigabytes or the whole stack for. */
describe('what would bring the process down is refused at once', () => {
  const many = (count: number, line: (index: number) => string) =>
    Array.from({ length: count }, (_, index) => line(index))
  test.each([
    ['five million brackets', '['.repeat(5_000_000), /YAML \(error: longer than/],
    ['brackets as long as YAML may be', '['.repeat(200_000), /YAML \(error: nested deeper than 200 levels/],
    ['deep JSON', `{"a": ${'['.repeat(9000)}${']'.repeat(9000)}}`, /JSON \(error: nested deeper than 200 levels/],
    ['deep blocks', '- '.repeat(100_000), /YAML \(error: /],
    ['anchors', '&a '.repeat(80_000), /YAML \(error: A node can have at most one anchor at line 1/],
    ['a tag that is one long word', '!'.repeat(200_000), /YAML \(error: The !{200,300} at line 1/],
    [
      'aliases of aliases',
      many(30, (index) =>
        index === 0 ? 'a0: &a0 [x, x]' : `a${index}: &a${index} [*a${index - 1}, *a${index - 1}]`,
      ).join('\n'),
      /YAML \(error: Excessive alias count/,
    ],
    [
      'aliases of a long list',
      `a: &a [${'1, '.repeat(50_000)}1]\nb: [${many(99, () => '*a').join(', ')}]`,
      /YAML \(error: more than 1000000 values/,
    ],
  ])(
    '%s',
    (_name, source, message) => {
      const parsed = parseVariables(source)
      expect(parsed).toHaveProperty('message', expect.stringMatching(message))
      expect(parsed).toHaveProperty(
        'message.length',
        expect.toSatisfy((length: number) => length < 1000),
      )
    },
    10_000,
  )

  test('and what is only much is read', () => {
    const yaml = many(9_000, (index) => `key${index}: value ${index}`).join('\n')
    expect(Object.keys(storedVariables(yaml))).toHaveLength(9_000)
    const json = JSON.stringify(Object.fromEntries(many(200_000, String).map((key) => [`key${key}`, key])))
    expect(Object.keys(storedVariables(json))).toHaveLength(200_000)
  })
})

test('later variables win and nested ones are not merged', () => {
  expect(mergeVariables({ a: { x: 1 }, b: 1 }, undefined, { a: { y: 2 } })).toEqual({ a: { y: 2 }, b: 1 })
})

test('pythonJson writes what json.dumps writes', () => {
  expect(pythonJson({ s: 'ä"', n: null, l: [1, 2.5, true], e: {} })).toBe(
    '{"s": "\\u00e4\\"", "n": null, "l": [1, 2.5, true], "e": {}}',
  )
})

test('pythonText shows lists as Python does', () => {
  expect(pythonText(['a', 1, null, true])).toBe("['a', 1, None, True]")
  expect(pythonText('plain')).toBe('plain')
})
