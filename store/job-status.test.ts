import { eq } from 'drizzle-orm'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { storeArtifactChunk } from './artifacts.ts'
import type { Store } from './database.ts'
import { MissingRowError } from './errors.ts'
import { packEvents } from './event-rows.ts'
import { appendEvents } from './events.ts'
import { requestCancel, restartJob, TransitionError, transitionJob } from './job-status.ts'
import { storeHostSummaries } from './outcome.ts'
import { artifactChunks, jobEvents, jobHostSummaries, unifiedJobs } from './schema/jobs.ts'
import { jobTemplates, projects } from './schema/templates.ts'
import { storeKinds, testStore } from './testing.ts'
import { makeAttempt, makeEvent, makeJob } from './testing-data.ts'
import { explainWaiting } from './waiting.ts'

describe.each(storeKinds)('job status on %s', (kind) => {
  let store: Store
  beforeAll(async () => {
    store = await testStore(kind)
  })
  afterAll(() => store.close())

  const read = async (id: number) => {
    const [job] = await store.db.select().from(unifiedJobs).where(eq(unifiedJobs.id, id))
    if (!job) throw new Error('job is gone')
    return job
  }

  test('a job lives, and its derived fields follow', async () => {
    const { id } = await makeJob(store.db, { launchSecrets: '$mayfly$…' })
    await explainWaiting(store.db, id, 'capacity', 'Waits for a place.')
    expect(await read(id)).toMatchObject({ jobExplanation: 'Waits for a place.', waitingReason: 'capacity' })

    const waiting = await transitionJob(store.db, id, 'waiting')
    expect(waiting.job).toMatchObject({ jobExplanation: '', waitingReason: '', started: null, failed: false })
    const running = await transitionJob(store.db, id, 'running', { executionNode: 'automation-job-1-1' })
    expect(running.job.started).not.toBeNull()
    const again = await transitionJob(store.db, id, 'running', { playCount: 2 })
    expect(again.job).toMatchObject({ started: running.job.started, playCount: 2, executionNode: 'automation-job-1-1' })

    await store.db.update(unifiedJobs).set({ started: '2026-11-21 10:00:00+00' }).where(eq(unifiedJobs.id, id))
    await transitionJob(store.db, id, 'running', { explanation: 'one', traceback: 'first' })
    const ended = await transitionJob(store.db, id, 'error', {
      cause: 'out_of_memory',
      explanation: 'two',
      traceback: 'second',
    })
    expect(ended.applied).toBe(true)
    expect(ended.job).toMatchObject({
      failed: true,
      cause: 'out_of_memory',
      jobExplanation: 'one\ntwo',
      resultTraceback: 'first\nsecond',
      launchSecrets: null,
      canceledOn: null,
    })
    const seconds = (Date.parse(ended.job.finished ?? '') - Date.parse('2026-11-21T10:00:00Z')) / 1000
    expect(ended.job.elapsed).toBeCloseTo(seconds, 1)
  })

  test('a final status is never overwritten, and impossible steps are refused', async () => {
    const { id } = await makeJob(store.db)
    await transitionJob(store.db, id, 'canceled')
    const late = await transitionJob(store.db, id, 'successful', { explanation: 'late' })
    expect(late.applied).toBe(false)
    expect(await read(id)).toMatchObject({ status: 'canceled', jobExplanation: '', elapsed: 0, failed: true })
    expect((await read(id)).canceledOn).not.toBeNull()
    const fresh = await makeJob(store.db)
    await transitionJob(store.db, fresh.id, 'running')
    await expect(transitionJob(store.db, fresh.id, 'waiting')).rejects.toBeInstanceOf(TransitionError)
    await expect(transitionJob(store.db, 999_999, 'running')).rejects.toBeInstanceOf(MissingRowError)
  })

  test('of two verdicts at once one counts', async () => {
    const { id } = await makeJob(store.db)
    await transitionJob(store.db, id, 'running')
    const verdicts = await Promise.all([
      transitionJob(store.db, id, 'successful'),
      transitionJob(store.db, id, 'error', { cause: 'workflow_terminated' }),
    ])
    expect(verdicts.filter((verdict) => verdict.applied)).toHaveLength(1)
    const winner = verdicts.find((verdict) => verdict.applied)
    expect((await read(id)).status).toBe(winner?.job.status)
  })

  test('tells listeners of every change', async () => {
    const { id } = await makeJob(store.db)
    const { promise, resolve } = Promise.withResolvers<string | null>()
    const stop = await store.listen('mayfly_jobs', resolve)
    await transitionJob(store.db, id, 'waiting')
    expect(await promise).toBe(String(id))
    await stop()
  })

  test('the template follows its jobs', async () => {
    const [template] = await store.db.insert(jobTemplates).values({ name: 'deploy' }).returning()
    const parent = template?.id ?? 0
    const readParent = async () => {
      const [row] = await store.db.select().from(jobTemplates).where(eq(jobTemplates.id, parent))
      return row
    }
    const first = await makeJob(store.db, { unifiedJobTemplateId: parent })
    const second = await makeJob(store.db, { unifiedJobTemplateId: parent })
    await transitionJob(store.db, first.id, 'waiting')
    expect(await readParent()).toMatchObject({ status: 'never updated', currentJobId: null })
    await transitionJob(store.db, first.id, 'running')
    expect(await readParent()).toMatchObject({ status: 'running', currentJobId: first.id, lastJobId: null })
    await transitionJob(store.db, second.id, 'running')
    const { job } = await transitionJob(store.db, first.id, 'failed')
    expect(await readParent()).toMatchObject({
      status: 'failed',
      currentJobId: second.id,
      lastJobId: first.id,
      lastJobFailed: true,
      lastJobRun: job.finished,
    })
    await transitionJob(store.db, second.id, 'successful')
    expect(await readParent()).toMatchObject({ status: 'successful', currentJobId: null, lastJobFailed: false })
  })

  test('a project follows its updates, but not the syncs of other jobs', async () => {
    const [project] = await store.db.insert(projects).values({ name: 'site' }).returning()
    const unifiedJobTemplateId = project?.id ?? 0
    const type = 'project_update' as const
    const sync = await makeJob(store.db, { type, unifiedJobTemplateId, launchType: 'sync' })
    await transitionJob(store.db, sync.id, 'failed')
    const update = await makeJob(store.db, { type, unifiedJobTemplateId })
    await transitionJob(store.db, update.id, 'running')
    await transitionJob(store.db, update.id, 'successful')
    const [row] = await store.db.select().from(projects)
    expect(row).toMatchObject({ status: 'successful', lastJobId: update.id, lastJobFailed: false, currentJobId: null })
  })

  test('a wish to cancel is noted once, and refused after the end', async () => {
    const { id } = await makeJob(store.db)
    expect(await requestCancel(store.db, id)).toBe(true)
    const { canceledOn } = await read(id)
    expect(canceledOn).not.toBeNull()
    expect(await requestCancel(store.db, id)).toBe(true)
    expect(await read(id)).toMatchObject({ canceledOn, cancelFlag: true, status: 'pending' })
    await transitionJob(store.db, id, 'canceled')
    expect(await requestCancel(store.db, id)).toBe(false)
    expect((await read(id)).canceledOn).toBe(canceledOn)
  })

  test('a restart takes the job back as if it had never run', async () => {
    const attempt = await makeAttempt(store.db)
    const { jobId } = attempt
    const untouched = await read(jobId)
    const events = [makeEvent(1), makeEvent(2)]
    await appendEvents(store, {
      attemptId: attempt.id,
      runId: 'run-1',
      jobId,
      fromOffset: 0,
      toOffset: 9,
      events: [packEvents(jobId, events)],
    })
    const counts = { changed: 0, dark: 0, failures: 0, ignored: 0, ok: 1, processed: 1, rescued: 0, skipped: 0 }
    await storeHostSummaries(store.db, jobId, [{ hostId: null, hostName: 'web1', ...counts }])
    await storeArtifactChunk(store.db, jobId, 0, Buffer.from('zip'))
    await requestCancel(store.db, jobId)
    await transitionJob(store.db, jobId, 'running')
    await transitionJob(store.db, jobId, 'error', { cause: 'pod_deleted', explanation: 'gone', traceback: 'detail' })

    const restarted = await restartJob(store.db, jobId)

    expect({ ...restarted, modified: '' }).toEqual({ ...untouched, modified: '' })
    for (const table of [jobEvents, jobHostSummaries, artifactChunks])
      expect(await store.db.select().from(table).where(eq(table.jobId, jobId))).toEqual([])
  })

  test('waiting is explained only while pending, and told only when it changes', async () => {
    const { id } = await makeJob(store.db)
    const heard: (string | null)[] = []
    const { promise, resolve } = Promise.withResolvers<void>()
    const stop = await store.listen('mayfly_jobs', (payload) => {
      if (payload === 'end') resolve()
      // What an earlier test told may still be on its way.
      else if (payload === String(id)) heard.push(payload)
    })
    await explainWaiting(store.db, id, 'capacity', 'Place 2.')
    const { waitingSince } = await read(id)
    await explainWaiting(store.db, id, 'capacity', 'Place 2.')
    await explainWaiting(store.db, id, 'capacity', 'Place 1.')
    expect(await read(id)).toMatchObject({ waitingSince, jobExplanation: 'Place 1.' })
    await store.db.update(unifiedJobs).set({ status: 'running', jobExplanation: '' }).where(eq(unifiedJobs.id, id))
    await explainWaiting(store.db, id, 'capacity', 'Place 0.')
    expect((await read(id)).jobExplanation).toBe('')
    await store.db.execute(`SELECT pg_notify('mayfly_jobs', 'end')`)
    await promise
    await stop()
    expect(heard).toEqual([String(id), String(id)])
  })
})
