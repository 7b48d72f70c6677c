/** The rows of the acceptance table that tests name in their titles: `row 17: a wrong token`, `rows 13, 14 and 50: …`. */

/** A test, by the row that its title names. */
export interface RowTest {
  row: number
  /** Path from the root of the repository. */
  file: string
  /** The title without its rows; values that it has at run time are written as in the source. */
  title: string
}

/** Titles stand after `test(`, as a case's `name:`, or first in a case of `test.each`. */
const titled = /(?:\btest(?:\.concurrent)?\(\s*|\bname: |^\s*\[\s*)(['"`])(rows? \d.*?)\1/gm

/** The tests of a source whose titles begin with rows. */
export function rowTests(file: string, source: string): RowTest[] {
  return [...source.matchAll(titled)].flatMap(([, , text = '']) => {
    const [, list = '', title = ''] = /^rows? ([\d, and]+): (.+)$/.exec(text) ?? []
    if (!title)
      throw new Error(`${file}: the rows of "${text}" cannot be read; write "row 1: …" or "rows 1, 2 and 3: …"`)
    return list.split(/, | and /).map((row) => ({ row: Number(row), file, title }))
  })
}

/** Whether a test has this title when it runs. */
export function hasTitle(test: RowTest, title: string): boolean {
  const fixed = test.title.split(/\$\{[^}]*\}/).map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
  return new RegExp(`^${fixed.join('.+')}$`).test(title)
}

/** A row of the page, and the titles that it quotes after a link to their file. */
export interface DocumentedRow {
  row: number
  quoted: { file: string; title: string }[]
}

/** The rows of a Markdown table that begin with their number and name their tests in the third column. */
export function documentedRows(page: string): DocumentedRow[] {
  return page.split('\n').flatMap((line) => {
    const [, row, , tests = ''] = line.split('|').map((cell) => cell.trim())
    return /^\d+$/.test(row ?? '') ? { row: Number(row), quoted: quotedIn(tests) } : []
  })
}

function quotedIn(cell: string): DocumentedRow['quoted'] {
  const links = [...cell.matchAll(/\]\(\.\.\/([^)]+)\)([^[]*)/g)]
  return links.flatMap(([, file = '', after = '']) =>
    [...after.matchAll(/“([^”]+)”/g)].map(([, title = '']) => ({ file, title })),
  )
}
