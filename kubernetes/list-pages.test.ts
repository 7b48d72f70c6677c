import { expect, test } from 'vitest'
import { errorFromResponse } from './error-shapes.ts'
import { listPages, type Page } from './list-pages.ts'

interface Item {
  metadata: { uid: string }
}
const item = (uid: string): Item => ({ metadata: { uid } })

/** The answer to an outdated token, as an API server words it. */
function gone(continueToken?: string) {
  const metadata = continueToken === undefined ? {} : { continue: continueToken }
  const body = JSON.stringify({ kind: 'Status', code: 410, reason: 'Expired', message: 'too old', metadata })
  return errorFromResponse({ host: 'k8s', method: 'GET', path: '/api/v1/pods', status: 410, body })
}

/** Answers in turn; `asked` keeps the tokens. */
function server(answers: (Page<Item> | Error)[]) {
  const asked: string[] = []
  const read = async (token: string): Promise<Page<Item>> => {
    asked.push(token)
    const answer = answers[Math.min(asked.length, answers.length) - 1]
    if (answer === undefined || answer instanceof Error) throw answer
    return answer
  }
  return { asked, read }
}

async function uids(pages: AsyncIterable<Item[]>): Promise<string[][]> {
  const found: string[][] = []
  for await (const page of pages) found.push(page.map(({ metadata }) => metadata.uid))
  return found
}

const first = { items: [item('a'), item('b')], continueToken: 'one' }
const last = { items: [item('c')], continueToken: '' }

test('pages follow each other by the token', async () => {
  const { asked, read } = server([first, last])
  expect(await uids(listPages(read))).toEqual([['a', 'b'], ['c']])
  expect(asked).toEqual(['', 'one'])
})

test('an empty list is one empty page', async () => {
  expect(await uids(listPages(server([{ items: [], continueToken: '' }]).read))).toEqual([[]])
})

test('a forgotten list goes on at the place that the API server names', async () => {
  const { asked, read } = server([first, gone('fresh'), last])
  expect(await uids(listPages(read))).toEqual([['a', 'b'], ['c']])
  expect(asked).toEqual(['', 'one', 'fresh'])
})

test('without such a place it begins anew, and nothing comes twice', async () => {
  const again = { items: [item('b'), item('new')], continueToken: 'two' }
  const { asked, read } = server([first, gone(), again, last])
  expect(await uids(listPages(read))).toEqual([['a', 'b'], ['new'], ['c']])
  expect(asked).toEqual(['', 'one', '', 'two'])
})

test('a place that is refused as well is not asked for again', async () => {
  const { asked, read } = server([first, gone('fresh'), gone('fresh'), last])
  expect(await uids(listPages(read))).toEqual([['a', 'b'], ['c']])
  expect(asked).toEqual(['', 'one', 'fresh', ''])
})

test('a list that is never had to its end is an error', async () => {
  const { asked, read } = server([first, gone('fresh'), gone('other')])
  await expect(uids(listPages(async (token) => (token === '' ? first : read(token))))).rejects.toThrow('too old')
  expect(asked.length).toBeLessThan(12)
})

test('an error at the first page is told at once', async () => {
  const { asked, read } = server([gone()])
  await expect(uids(listPages(read))).rejects.toThrow('too old')
  expect(asked).toEqual([''])
})
