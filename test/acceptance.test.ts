import { globSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { documentedRows, hasTitle, type RowTest, rowTests } from './acceptance.ts'

const between = (first: number, last: number) => Array.from({ length: last - first + 1 }, (_, index) => first + index)
const wanted = [...between(1, 25), ...between(48, 57)]

// End-to-end tests alone: a row is shown on a real cluster.
const shown = globSync('test/*/**/*.ts').flatMap((file) => rowTests(file, readFileSync(file, 'utf8')))
const documented = documentedRows(readFileSync('docs/acceptance.md', 'utf8'))

test('every row has an end-to-end test that names it', () => {
  const rows = new Set(shown.map(({ row }) => row))
  expect(wanted.filter((row) => !rows.has(row))).toEqual([])
})

test('the page has every row once, and what it quotes are tests of that row', () => {
  expect(documented.map(({ row }) => row)).toEqual(wanted)
  for (const { row, quoted } of documented) {
    expect(quoted, `row ${row}`).not.toEqual([])
    const tests = shown.filter((one) => one.row === row)
    for (const { file, title } of quoted) {
      const isQuoted = (one: RowTest) => one.file === file && hasTitle(one, title)
      expect(tests.some(isQuoted), `row ${row}: “${title}” in ${file}`).toBe(true)
    }
  }
})

test('the page is read as it is written', () => {
  const page = `| row | behaviour | test | remark |
| 3 | “wrong” | [a](../test/a/a.test.ts): “one”, “two”; [b](../test/b/b.test.ts): “three” | [c](../test/c) |`
  expect(documentedRows(page)).toEqual([
    {
      row: 3,
      quoted: [
        { file: 'test/a/a.test.ts', title: 'one' },
        { file: 'test/a/a.test.ts', title: 'two' },
        { file: 'test/b/b.test.ts', title: 'three' },
      ],
    },
  ])
  // biome-ignore lint/suspicious/noTemplateCurlyInString: a title as it is in a source
  expect(hasTitle({ row: 1, file: '', title: '${slices} slices (${a.b})' }, '20 slices (3)')).toBe(true)
  expect(hasTitle({ row: 1, file: '', title: 'slices.' }, 'slices!')).toBe(false)
})

test('rows in titles are read as they are written', () => {
  const source = `test('row 7: one', () => {})
test(
  "rows 8, 9 and 39: two", async () => {})
const cases = [{ name: 'rows 1 and 2: three' }]
test.each([
  ['row 3: four', 1],
])
test('rows of a table', () => {})
// row 4: a comment`
  const read = rowTests('x.test.ts', source).map(({ row, title }) => `${row} ${title}`)
  expect(read).toEqual(['7 one', '8 two', '9 two', '39 two', '1 three', '2 three', '3 four'])
  expect(() => rowTests('x.test.ts', `test('rows 6 to 9: five', () => {})`)).toThrow(
    '"rows 6 to 9: five" cannot be read',
  )
})
