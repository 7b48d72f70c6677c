import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { TestAnswer, TestApp } from './testing.ts'
import { awxKeys } from './testing-additions.ts'
import { nobody, openRecordedApp } from './testing-domain.ts'

/** One request that AWX 24.6.1 answered, and what it answered (top-level `keys` where the whole body was too long). */
interface Recorded {
  method: string
  path: string
  send?: unknown
  as?: 'nobody'
  note?: string
  status: number
  answer?: unknown
  keys?: string[]
  html?: boolean
  /** Our status where we knowingly answer otherwise, and why. */
  ours?: number
  why?: string
}

const read = (file: string) => JSON.parse(readFileSync(new URL(`./fixtures/recorded/${file}`, import.meta.url), 'utf8'))
const requests: Recorded[] = read('domain-requests.json')

let app: TestApp
beforeAll(async () => {
  app = await openRecordedApp()
})
afterAll(() => app.close())

/** The YAML reader's own words differ from PyYAML's; all before them is AWX's. */
function comparable(answer: unknown): unknown {
  if (typeof answer === 'string') return answer.replace(/(or YAML \(error: )(?!Input type|'list')[\s\S]*/, '$1…')
  if (Array.isArray(answer)) return answer.map(comparable)
  if (typeof answer !== 'object' || answer === null) return answer
  return Object.fromEntries(Object.entries(answer).map(([key, value]) => [key, comparable(value)]))
}

describe('requests recorded from AWX 24.6.1', () => {
  test.each(requests.map((request) => [title(request), request] as const))('%s', async (_, recorded) => {
    const answer = await app.call(recorded.method, recorded.path, recorded.send, recorded.as ? { as: nobody } : {})
    try {
      check(answer, recorded)
    } finally {
      // Each stands for itself: what it made is gone before the next.
      if (answer.status === 201 && (answer.body.job || answer.body.workflow_job))
        await app.call('POST', `${answer.body.url}cancel/`)
      else if (answer.status === 201) await app.call('DELETE', answer.body.url)
    }
  })
})

function title({ method, path, send, as }: Recorded): string {
  return `${method} ${path} ${JSON.stringify(send) ?? ''}${as ? ' by nobody in particular' : ''}`
}

function check(answer: TestAnswer, { status, answer: expected, keys, html, ours }: Recorded): void {
  expect({ status: answer.status, body: answer.body }).toMatchObject({ status: ours ?? status })
  if (ours) return
  if (html) expect(answer.headers.get('content-type')).toMatch(/^text\/html/)
  else if (keys) expect(awxKeys(answer.body).toSorted()).toEqual(keys.filter((key) => key !== '_shortened_keys'))
  else if (expected) expect(comparable(answer.body)).toEqual(comparable(expected))
}
