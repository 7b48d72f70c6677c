import { eq } from 'drizzle-orm'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { channels } from '../../store/channel.ts'
import { notify } from '../../store/notify.ts'
import { jobEvents, unifiedJobs } from '../../store/schema/jobs.ts'
import type { TestApp } from '../testing.ts'
import { openRecordedApp } from '../testing-domain.ts'
import { followEvents } from './event-stream.ts'

let app: TestApp
beforeAll(async () => {
  app = await openRecordedApp()
})
afterAll(() => app.close())

const never = new AbortController().signal

test('an ended job: its events after the given one, then the end', async () => {
  let text = ''
  for await (const frame of followEvents(app.store, 47, 1, never)) text += frame
  expect([...text.matchAll(/^id: (\d+)$/gm)].map((match) => match[1])).toEqual(['2', '3'])
  expect(text).toMatch(/event: end\ndata: \{"status":"successful","job_explanation":""\}\n\n$/)
})

test('a running job: each event as soon as it is stored, and the end when it is final', async () => {
  const { db } = app.store
  const frames = followEvents(app.store, 104, 0, never)
  expect((await frames.next()).value).toMatch(/^:/)
  const append = async (counter: number) => {
    await db.insert(jobEvents).values({ jobId: 104, counter, event: 'verbose', uuid: '', stdout: `line ${counter}` })
    await db.update(unifiedJobs).set({ eventsStored: counter }).where(eq(unifiedJobs.id, 104))
    await notify(db, channels.events, 104)
  }
  for (const counter of [1, 2]) {
    const next = frames.next()
    await append(counter)
    const { value } = await next
    expect(value).toContain(`"stdout":"line ${counter}"`)
    expect(Object.keys(JSON.parse(/^data: (.*)$/m.exec(value ?? '')?.[1] ?? ''))).toEqual([
      'counter',
      'event',
      'stdout',
      'start_line',
      'end_line',
      'host_name',
      'task',
      'failed',
      'changed',
    ])
  }
  const end = frames.next()
  await db.update(unifiedJobs).set({ status: 'failed', eventsEmitted: 2 }).where(eq(unifiedJobs.id, 104))
  await notify(db, channels.jobs, 104)
  expect((await end).value).toContain('event: end\ndata: {"status":"failed"')
  expect((await frames.next()).done).toBe(true)
})

test('a job that is tried again: what was sent is void, and the events of the next attempt come from the first one on', async () => {
  const { db } = app.store
  const job = eq(unifiedJobs.id, 103)
  const print = async (stdout: string) => {
    await db.insert(jobEvents).values({ jobId: 103, counter: 1, event: 'verbose', uuid: '', stdout })
    await notify(db, channels.events, 103)
  }
  await db.delete(jobEvents).where(eq(jobEvents.jobId, 103))
  await db.update(unifiedJobs).set({ runId: 'run', status: 'running' }).where(job)
  const frames = followEvents(app.store, 103, 0, never)
  await frames.next()
  await print('of the first')
  expect((await frames.next()).value).toContain('of the first')
  const restart = frames.next()
  await db.transaction(async (tx) => {
    await tx.delete(jobEvents).where(eq(jobEvents.jobId, 103))
    await tx
      .update(unifiedJobs)
      .set({ status: 'pending', retries: { told: 'Attempt 1 ended.' } })
      .where(job)
    await notify(tx, channels.jobs, 103)
  })
  expect((await restart).value).toBe('event: restart\ndata: {"explanation":"Attempt 1 ended."}\n\n')
  await print('of the second')
  expect((await frames.next()).value).toContain('of the second')
  await frames.return()
  await db.delete(jobEvents).where(eq(jobEvents.jobId, 103))
})

test('long lines come in pieces of their own: what is held at once stays small', async () => {
  const line = 'x'.repeat(1_000_000)
  const event = { jobId: 48, event: 'verbose', uuid: '', stdout: line }
  const { db } = app.store
  await db.delete(jobEvents).where(eq(jobEvents.jobId, 48))
  await db.insert(jobEvents).values(Array.from({ length: 20 }, (_, index) => ({ ...event, counter: index + 1 })))
  const sizes: number[] = []
  const counters: string[] = []
  for await (const frame of followEvents(app.store, 48, 0, never)) {
    sizes.push(frame.length)
    counters.push(...[...frame.matchAll(/^id: (\d+)$/gm)].map((match) => match[1] ?? ''))
  }
  expect(counters).toEqual(Array.from({ length: 20 }, (_, index) => String(index + 1)))
  expect(Math.max(...sizes)).toBeLessThan(3_100_000)
})

test('a caller that hangs up ends it at once', async () => {
  const caller = new AbortController()
  const frames = followEvents(app.store, 103, 0, caller.signal)
  await frames.next()
  const next = frames.next()
  caller.abort()
  expect((await next).done).toBe(true)
})

test('over HTTP; Last-Event-ID continues', async () => {
  const path = '/api/v2/jobs/47/events/stream/'
  const { headers, body } = await app.call('GET', path, undefined, { headers: { 'Last-Event-ID': '2' } })
  expect(headers.get('content-type')).toMatch(/^text\/event-stream/)
  expect(body).toContain('id: 3\n')
  expect(body).not.toContain('id: 2\n')
  expect((await app.call('GET', `${path}?after=x`)).status).toBe(400)
  expect((await app.call('GET', '/api/v2/project_updates/70/events/stream/')).body).toContain('event: end')
})
