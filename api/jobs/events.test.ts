import { randomBytes } from 'node:crypto'
import { eq } from 'drizzle-orm'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { jobEvents } from '../../store/schema/jobs.ts'
import { jobEventsResource } from '../resources/job-events.ts'
import type { TestApp } from '../testing.ts'
import { openRecordedApp } from '../testing-domain.ts'

const path = '/api/v2/jobs/104/job_events/'
const long = `\u001b[0;32m${'x'.repeat(3000)}\u001b[0m`

let app: TestApp
beforeAll(async () => {
  app = await openRecordedApp()
  const event = (counter: number, kind: string, startLine: number, endLine: number, more: Record<string, unknown>) => ({
    ...{ jobId: 104, counter, event: kind, uuid: `u-${counter}`, startLine, endLine, ...more },
  })
  await app.store.db.insert(jobEvents).values([
    event(1, 'playbook_on_start', 0, 0, { playbook: 'site.yml' }),
    event(2, 'playbook_on_play_start', 0, 2, {
      parentUuid: 'u-1',
      play: 'all hosts',
      stdout: '\r\nPLAY [all hosts]',
    }),
    event(3, 'playbook_on_task_start', 2, 4, { parentUuid: 'u-2', task: 'say', role: 'web', stdout: long }),
    event(4, 'runner_on_start', 4, 4, { parentUuid: 'u-3', hostId: 3, hostName: 'h1' }),
    event(5, 'runner_on_ok', 4, 5, {
      parentUuid: 'u-3',
      hostId: 3,
      hostName: 'h1',
      stdout: long,
      eventData: { res: { a: 1 } },
    }),
  ])
})
afterAll(() => app.close())

const list = async (query: string) => (await app.call('GET', `${path}?${query}`)).body

test('in the order of lines, with display and level', async () => {
  const { body, headers } = await app.call('GET', path)
  expect(headers.get('x-ui-max-events')).toBe('4000')
  expect(
    body.results.map((event: Record<string, unknown>) => [event.counter, event.event_level, event.event_display]),
  ).toEqual([
    [1, 0, 'Playbook Started'],
    [2, 1, 'Play Started (all hosts)'],
    [3, 2, 'Task Started (web | say)'],
    [4, 3, 'Host Started'],
    [5, 3, 'Host OK'],
  ])
  expect(body.results[4]).toMatchObject({
    host: 3,
    event_data: { res: { a: 1 } },
    related: { host: '/api/v2/hosts/3/' },
  })
})

test('limit answers without counting; awx monitors by line', async () => {
  expect(Object.keys(await list('limit=2'))).toEqual(['results'])
  const page = await list('order_by=start_line&no_truncate=True&start_line__gte=4')
  expect(page.results.map((event: { counter: number }) => event.counter)).toEqual([4, 5])
  expect(page.results[1].stdout).toBe(long)
})

test('long texts are cut in lists, but not those of playbook events, nor in the detail view', async () => {
  const { results } = await list('')
  expect(results[4].stdout).toHaveLength(1024 + 4)
  expect(results[4].stdout.endsWith('x…\u001b[0m')).toBe(true)
  expect(results[2].stdout).toBe(long)
  expect((await app.call('GET', `/api/v2/job_events/${results[4].id}/`)).body.stdout).toBe(long)
})

test('of a line of megabytes a list reads what it shows', async () => {
  const lengths: number[] = []
  const present = vi.spyOn(jobEventsResource, 'present').mockImplementation((wire, row) => {
    lengths.push(String(row.stdout).length, row.stdoutRaw === null ? 0 : 1)
    return wire
  })
  const row = { jobId: 104, counter: 6, event: 'verbose', uuid: 'u-6', startLine: 5, endLine: 6 }
  // No text that a compression makes small.
  const line = randomBytes(5_000_000).toString('hex')
  await app.store.db.insert(jobEvents).values({ ...row, stdout: line, stdoutRaw: Buffer.from(line) })
  await list('counter=6')
  expect(lengths).toEqual([1025, 0])
  await list('counter=6&no_truncate=1')
  expect(lengths).toEqual([1025, 0, 10_000_000, 0])
  present.mockRestore()
  const { results } = await list('counter=6')
  expect(results[0].stdout).toBe(`${line.slice(0, 1023)}…`)
  await app.store.db.delete(jobEvents).where(eq(jobEvents.counter, 6))
})

test('children, and what has none', async () => {
  const { results } = await list('counter__in=3,5')
  const children = async (id: number) => (await app.call('GET', `/api/v2/job_events/${id}/children/`)).body.count
  expect(await children(results[0].id)).toBe(2)
  expect(await children(results[1].id)).toBe(0)
  expect((await app.call('GET', `${path}children_summary/`)).body).toEqual({
    ...{ children_summary: {}, meta_event_nested_uuid: {}, event_processing_finished: false, is_tree: false },
  })
})

test('there is no list of all events', async () => {
  for (const name of ['job_events', 'job_host_summaries', 'project_update_events']) {
    expect((await app.call('GET', `/api/v2/${name}/`)).status).toBe(404)
  }
})
