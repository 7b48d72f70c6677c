import { sql } from 'drizzle-orm'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { jobEvents, unifiedJobs } from '../../store/schema/jobs.ts'
import type { TestApp } from '../testing.ts'
import { openRecordedApp } from '../testing-domain.ts'
import { chooseStdoutFormat } from './stdout-format.ts'

let app: TestApp
beforeAll(async () => {
  app = await openRecordedApp()
})
afterAll(() => app.close())

const ansi = '\u001b[0;32mok: [h1]\u001b[0m\n\nPLAY RECAP\n'
const plain = 'ok: [h1]\n\nPLAY RECAP\n'
const stdout = (query: string, accept?: string, path = '/api/v2/jobs/47') =>
  app.call('GET', `${path}/stdout/?${query}`, undefined, accept ? { headers: { accept } } : {})

test.each([
  ['format=txt', plain],
  ['format=ansi', ansi],
  ['format=txt_download', plain],
  ['format=ansi_download', ansi],
])('%s', async (query, text) => {
  const answer = await stdout(query)
  expect([answer.status, answer.body]).toEqual([200, text])
  expect(answer.headers.get('content-type')).toMatch(/^text\/plain/)
})

test('downloads are named after the kind of job', async () => {
  const name = async (path: string, format: string) =>
    (await stdout(`format=${format}`, undefined, path)).headers.get('content-disposition')
  expect(await name('/api/v2/jobs/47', 'ansi_download')).toBe('attachment; filename="job_47.ansi.txt"')
  expect(await name('/api/v2/project_updates/70', 'txt_download')).toBe('attachment; filename="project_update_70.txt"')
})

describe('json', () => {
  test.each([
    ['', { start: 0, end: 3, absolute_end: 3 }, ansi],
    ['&start_line=1&end_line=3', { start: 1, end: 3, absolute_end: 3 }, '\nPLAY RECAP\n'],
    ['&start_line=-1', { start: 2, end: 3, absolute_end: 3 }, 'PLAY RECAP\n'],
    ['&start_line=0&end_line=-2', { start: 0, end: 1, absolute_end: 3 }, '\u001b[0;32mok: [h1]\u001b[0m\n'],
    ['&end_line=99', { start: 0, end: 3, absolute_end: 3 }, ansi],
    ['&content_encoding=base64', { start: 0, end: 3, absolute_end: 3 }, Buffer.from(ansi).toString('base64')],
  ])('%s', async (query, range, content) => {
    expect((await stdout(`format=json${query}`)).body).toEqual({ range, content })
  })

  test('a line that is no number', async () => {
    expect((await stdout('format=json&start_line=abc')).status).toBe(400)
  })
})

test('html has AWX’s classes, escapes, and is dark unless told otherwise', async () => {
  const page = await stdout('format=html')
  expect(page.headers.get('content-type')).toMatch(/^text\/html/)
  expect(page.body).toContain('<span class="ansi32">ok: [h1]</span>')
  expect(page.body).toContain('<body class="ansi_fore ansi_back ansi_dark">')
  expect((await stdout('format=html&dark=0')).body).toContain('<body class="ansi_fore ansi_back">')
  expect((await stdout('format=html&start_line=0&end_line=1')).body).not.toContain('RECAP')
})

test.each([
  ['txt', null, 'txt'],
  ['txt', 'text/plain', 'txt'],
  ['txt', '*/*', 'txt'],
  ['txt', 'application/json', 406],
  ['txt_download', 'application/json', 406],
  ['json', 'application/json', 'json'],
  [null, 'application/json', 'json'],
  [null, 'text/plain', 'txt'],
  [null, '*/*', 'api'],
  [null, null, 'api'],
  [null, 'text/html,application/xhtml+xml,*/*;q=0.8', 'api'],
  [null, 'image/png', 406],
  ['bogus', '*/*', 404],
] as const)('format %s with Accept %s is %s', (format, accept, chosen) => {
  expect(chooseStdoutFormat(format, accept)).toBe(chosen)
})

test('refusals are pages', async () => {
  const answer = await stdout('format=txt', 'application/json')
  expect([answer.status, answer.headers.get('content-type')]).toEqual([406, 'text/html; charset=utf-8'])
})

describe('much output', () => {
  const lines = 30_000
  beforeAll(async () => {
    await app.store.db.execute(sql`
      INSERT INTO ${jobEvents} (job_id, counter, event, uuid, stdout, start_line, end_line)
      SELECT 48, 10 + n, 'verbose', '', 'line ' || n || ' ' || repeat('x', 60), 3 + n, 4 + n
      FROM generate_series(0, ${lines - 1}::int) n`)
  })

  test('more than 1 MiB is only downloaded', async () => {
    const text =
      /^Standard Output too large to display \(\d+ bytes\), only download supported for sizes over 1048576 bytes\.$/
    for (const format of ['txt', 'ansi'])
      expect((await stdout(`format=${format}`, undefined, '/api/v2/jobs/48')).body).toMatch(text)
    expect((await stdout('format=json', undefined, '/api/v2/jobs/48')).body).toEqual({
      range: { start: 0, end: 1, absolute_end: 1 },
      content: expect.stringMatching(text),
    })
    const download = await stdout('format=txt_download', undefined, '/api/v2/jobs/48')
    expect(download.body.split('\n')).toHaveLength(lines + 4)
  })

  test('a download comes in pieces', async () => {
    const response = await app.app.request('/api/v2/jobs/48/stdout/?format=ansi_download', {
      headers: { authorization: `Basic ${Buffer.from('admin:correct horse battery staple').toString('base64')}` },
    })
    let pieces = 0
    for await (const _ of response.body ?? []) pieces++
    expect(pieces).toBeGreaterThan(5)
  })
})

test('bytes that are no UTF-8 are downloaded as they were', async () => {
  const bytes = Buffer.from([0xff, 0xfe, 0x41])
  await app.store.db
    .insert(unifiedJobs)
    .overridingSystemValue()
    .values({ id: 900, type: 'job', name: 'raw', status: 'failed' })
  await app.store.db.insert(jobEvents).values({
    jobId: 900,
    counter: 1,
    event: 'verbose',
    uuid: '',
    stdout: '\ufffd\ufffdA',
    stdoutRaw: bytes,
    endLine: 1,
  })
  const response = await app.app.request('/api/v2/jobs/900/stdout/?format=txt_download', {
    headers: { authorization: `Basic ${Buffer.from('admin:correct horse battery staple').toString('base64')}` },
  })
  expect(Buffer.from(await response.arrayBuffer())).toEqual(Buffer.concat([bytes, Buffer.from('\n')]))
})
