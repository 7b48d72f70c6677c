import { expect, test } from 'vitest'
import { parseYaml } from './yaml.ts'

test('a text that is read again gives data of its own', () => {
  const text = 'hosts: &all [web1, web2]\nagain: *all\nlevel: {deep: yes}'
  const first = parseYaml(text)
  expect(first).toEqual({
    ok: true,
    value: { hosts: ['web1', 'web2'], again: ['web1', 'web2'], level: { deep: true } },
  })
  if (first.ok) (first.value as { level: Record<string, unknown> }).level.deep = 'changed'
  expect(parseYaml(text)).toMatchObject({ ok: true, value: { level: { deep: true } } })
})

test('a text that was read before is held to what is asked of it now', () => {
  const text = 'a: 1\na: 2'
  expect(parseYaml(text)).toEqual({ ok: true, value: { a: 2 } })
  expect(parseYaml(text, { uniqueKeys: true })).toMatchObject({ ok: false })
  expect(parseYaml(text, { longest: 5 })).toEqual({ ok: false, message: 'longer than 5 characters' })
  expect(parseYaml(text)).toEqual({ ok: true, value: { a: 2 } })
})

test('a text that cannot be read is refused each time, with its place', () => {
  const refused = { ok: false, place: { line: 1 } }
  expect(parseYaml('a: [1')).toMatchObject(refused)
  expect(parseYaml('a: [1')).toMatchObject(refused)
})

test('more different texts than are kept are all read', () => {
  for (let round = 0; round < 2; round++) {
    for (let number = 0; number < 400; number++) {
      const text = `number: ${number} # ${'long '.repeat(200)}`
      expect(parseYaml(text)).toEqual({ ok: true, value: { number } })
    }
  }
})
