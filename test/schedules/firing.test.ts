/** Schedules on the real Temporal: they run when the preview says, once, whoever is killed in that second; what was missed is treated as their windows say. */
import { setTimeout as sleep } from 'node:timers/promises'
import { sql } from 'drizzle-orm'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { openDatabase } from '../../store/database.ts'
import { CutProxy } from '../kubernetes/cut-proxy.ts'
import { makeCatalog, makeTemplate } from '../setup/catalog.ts'
import { type Mayfly, startMayfly } from '../setup/mayfly.ts'
import { compact, onceAt, Schedules, secondsAhead, twiceFrom } from '../setup/schedules.ts'

let proxy: CutProxy
let mayfly: Mayfly
let schedules: Schedules

const [host = '', temporalPort] = inject('stack').temporalAddress.split(':')
const untilTime = (milliseconds: number) => sleep(Math.max(0, milliseconds - Date.now()))

beforeAll(async () => {
  proxy = await CutProxy.start(host, Number(temporalPort))
  mayfly = await startMayfly({ env: { TEMPORAL_ADDRESS: `127.0.0.1:${proxy.port}` } })
  schedules = await Schedules.open(mayfly)
})
afterAll(async () => {
  await schedules?.close()
  await mayfly?.stop()
  await proxy?.stop()
})

test('a job template is launched at its time, with the prompts of the schedule', async () => {
  const play =
    '- hosts: all\n  gather_facts: false\n  tasks: [{ ansible.builtin.debug: { msg: "{{ greeting }} of {{ awx_schedule_name }}" } }]\n'
  const catalog = await makeCatalog(mayfly, { files: { 'greet.yml': play }, hosts: ['one', 'two'] })
  const asks = { ask_limit_on_launch: true, ask_variables_on_launch: true }
  const template = await makeTemplate(mayfly, catalog, 'greet.yml', asks)
  const prompts = { limit: 'two', extra_data: { greeting: 'good morning' } }
  const { at, ids } = await schedules.ahead(2, (instant) => [
    schedules.make(onceAt(instant), { unified_job_template: template, ...prompts }),
  ])
  const [id = 0] = ids
  const [run] = await schedules.ran(id)
  expect(run).toMatchObject({ instant: new Date(at).toISOString().replace('.000Z', 'Z'), origin: 'rule' })
  await mayfly.ended(`/jobs/${run?.job}/`)
  const job = await mayfly.get<Record<string, Record<string, unknown>>>(`/jobs/${run?.job}/`)
  expect(job).toMatchObject({
    status: 'successful',
    launch_type: 'scheduled',
    limit: 'two',
    launched_by: { id, type: 'schedule', url: `/api/v2/schedules/${id}/` },
    related: { schedule: `/api/v2/schedules/${id}/` },
    summary_fields: { schedule: { id } },
  })
  const { name } = await mayfly.get<{ name: string }>(`/schedules/${id}/`)
  expect((await mayfly.api('GET', `/jobs/${run?.job}/stdout/?format=txt`)).text).toContain(`good morning of ${name}`)
  expect(Date.parse(String(job.created))).toBeGreaterThanOrEqual(at)
  expect((await schedules.read(id)).next_run).toBeNull()
  // Nothing is left for Temporal to do.
  await expect.poll(() => schedules.known(id)).toBeNull()
})

test('what Temporal is going to do is what the preview shows, across both changes of the clocks', async () => {
  for (const rrule of [
    'DTSTART;TZID=Europe/Berlin:20270325T023000 RRULE:FREQ=DAILY;INTERVAL=1',
    'DTSTART;TZID=America/New_York:20271105T013000 RRULE:FREQ=DAILY;INTERVAL=1',
    'DTSTART;TZID=Australia/Lord_Howe:20271001T021500 RRULE:FREQ=DAILY;INTERVAL=1 EXRULE:FREQ=WEEKLY;INTERVAL=1;BYDAY=SA',
  ]) {
    const preview = await mayfly.post<{ utc: string[] }>('/schedules/preview/', { rrule })
    const id = await schedules.make(rrule)
    expect(await schedules.planned(id)).toEqual(preview.utc)
    expect((await schedules.read(id)).next_run).toBe(preview.utc[0])
  }
})

test('exactly one run each, although worker, API and the way to Temporal are cut in those very seconds', async () => {
  const { at: start, ids } = await schedules.ahead(3, (first) =>
    Array.from({ length: 8 }, (_, n) => schedules.make(onceAt(first + n * 1000))),
  )
  const { port } = proxy
  await untilTime(start + 900)
  await mayfly.kill9('worker')
  await untilTime(start + 2_100)
  await mayfly.start('worker')
  await mayfly.kill9('api')
  await mayfly.start('api')
  await proxy.stop()
  await sleep(1_500)
  proxy = await CutProxy.start(host, Number(temporalPort), port)
  await mayfly.kill9('worker')
  await mayfly.start('worker')
  for (const id of ids) await schedules.ran(id)
  // A second one would have come by now: the message that starts it is sent with the first.
  await untilTime(start + 9_500)
  for (const id of ids) expect(await schedules.jobs(id)).toHaveLength(1)
})

test('edited and disabled in the second of firing: never lost, never twice', async () => {
  const { at, ids } = await schedules.ahead(2, (instant) =>
    Array.from({ length: 8 }, () => schedules.make(onceAt(instant))),
  )
  const edited = ids.slice(0, 4)
  const disabled = ids.slice(4)
  const answers: number[] = []
  /** The last instant that each was edited to: one that Temporal knew of before it came. */
  const last = new Map<number, number>()
  // Before, in and after the instant.
  const change = async (id: number, n: number, body: Record<string, unknown>) => {
    await untilTime(at - 150 + n * 100)
    await mayfly.patch(`/schedules/${id}/`, body)
    answers[id] ??= Date.now()
  }
  await Promise.all([
    ...edited.map(async (id, n) => {
      // After the first instant, which may be further ahead than this on a slow machine.
      const { at: later } = await schedules.ahead(4 + Math.max(0, at - Date.now()) / 1000, (instant) => [
        change(id, n, { rrule: onceAt(instant) }).then(() => id),
      ])
      last.set(id, later)
    }),
    ...disabled.map((id, n) => change(id, n, { enabled: false })),
  ])
  const launchedAt = async (id: number) =>
    (await schedules.runs(id)).flatMap(({ state, instant }) => (state === 'launched' ? Date.parse(instant) : []))
  for (const id of edited) await expect.poll(() => launchedAt(id)).toContain(last.get(id))
  // A second one of an instant would have come by now.
  await untilTime(Math.max(...last.values()) + 2_000)
  for (const id of edited) {
    const instants = (await schedules.runs(id)).map((run) => Date.parse(run.instant))
    expect(instants[0]).toBe(last.get(id))
    // The old rule was in force when its instant came, or it was not.
    if ((answers[id] ?? 0) < at) expect(instants).not.toContain(at)
    expect(new Set(instants).size).toBe(instants.length)
    await expect.poll(() => schedules.jobs(id)).toHaveLength(instants.length)
  }
  for (const id of disabled) {
    const jobs = await schedules.jobs(id)
    expect(jobs.length).toBeLessThanOrEqual((answers[id] ?? 0) < at ? 0 : 1)
    await expect.poll(() => schedules.known(id)).toBeNull()
  }
})

test('a missed window: what is too late is left out and says so, what is not runs late; the lost schedule comes back', async () => {
  const lost = await schedules.make('DTSTART:20300101T000000Z RRULE:FREQ=DAILY;INTERVAL=1')
  await schedules.planned(lost)
  await schedules.lose(lost)
  const store = await openDatabase(mayfly.databaseUrl)
  await store.db.execute(sql`UPDATE schedules SET next_run = now() - interval '2 minutes' WHERE id = ${lost}`)
  await store.close()

  const windows = [1, 3600]
  const beforeKill = (lead: number) =>
    schedules.ahead(lead, (instant) =>
      windows.map((catchup_window) => schedules.make(onceAt(instant), { catchup_window })),
    )
  let { at, ids } = await beforeKill(3)
  await mayfly.kill9('worker')
  for (let lead = 6; Date.now() >= at; lead *= 2) {
    await mayfly.start('worker')
    ;({ at, ids } = await beforeKill(lead))
    await mayfly.kill9('worker')
  }
  const [strict = 0, patient = 0] = ids
  await untilTime(at + 2_500)
  await mayfly.start('worker')
  const [missed] = await schedules.ran(strict, 1, 'missed')
  expect(missed?.explanation).toMatch(/^It was \d+ s late, and the schedule's catchup_window is 1 s\.$/)
  await schedules.ran(patient)
  expect(await schedules.jobs(strict)).toHaveLength(0)
  expect(await schedules.jobs(patient)).toHaveLength(1)
  // The worker's first look finds what nobody runs.
  await schedules.planned(lost)
})

test('backfill runs what was left out, once', async () => {
  const now = secondsAhead(0)
  // Its next instant of its own is hours away.
  const rrule = `DTSTART:${compact(now - 3 * 86_400_000 + 7_200_000)} RRULE:FREQ=DAILY;INTERVAL=1`
  const id = await schedules.make(rrule, { overlap_policy: 'buffer_all' })
  const span = { start: new Date(now - 4 * 86_400_000).toISOString(), end: new Date(now - 3_600_000).toISOString() }
  expect(await mayfly.post(`/schedules/${id}/backfill/`, span)).toMatchObject({ due: 3 })
  expect(await mayfly.post(`/schedules/${id}/backfill/`, span)).toMatchObject({ due: 0 })
  await schedules.ran(id, 3)
  expect((await schedules.jobs(id)).length).toBe(3)
})

test('a run waits for the job before it, and a failure disables the schedule', async () => {
  const node = (template: number) =>
    mayfly.post(`/workflow_job_templates/${template}/workflow_nodes/`, { identifier: 'only' })
  const { id: asking } = await mayfly.post('/workflow_job_templates/', { name: 'asks', allow_simultaneous: true })
  const { id: asked } = await node(asking)
  await mayfly.post(`/workflow_job_template_nodes/${asked}/create_approval_template/`, { name: 'go on?' })
  // A node without a template fails.
  const { id: failing } = await mayfly.post('/workflow_job_templates/', { name: 'fails' })
  await node(failing)

  const { ids } = await schedules.ahead(2, (at) => [
    schedules.make(twiceFrom(at), { unified_job_template: asking, overlap_policy: 'buffer_one' }),
    schedules.make(onceAt(at).replace('COUNT=1', 'COUNT=5'), {
      unified_job_template: failing,
      pause_on_failure: true,
    }),
  ])
  const [waiting = 0, stopping = 0] = ids

  // A worker that was too late for the first sees to both at once, in either order.
  const both = await schedules.ran(waiting, 1, 'waiting')
  expect(both.map(({ state }) => state).sort()).toEqual(['launched', 'waiting'])
  const first = both.find(({ state }) => state === 'launched')
  const second = both.find(({ state }) => state === 'waiting')
  expect(second?.explanation).toBe(`Job ${first?.job} of this schedule was still active.`)
  const path = `/workflow_approvals/?status=pending&unified_job_node__workflow_job=${first?.job}`
  const pending = async () => (await mayfly.get<{ results: { id: number }[] }>(path)).results
  await expect.poll(pending).toHaveLength(1)
  for (const { id } of await pending()) await mayfly.api('POST', `/workflow_approvals/${id}/approve/`)
  await schedules.ran(waiting, 2)

  const [failed] = await schedules.ran(stopping)
  await mayfly.ended(`/workflow_jobs/${failed?.job}/`)
  await expect.poll(() => schedules.read(stopping)).toMatchObject({ enabled: false, next_run: null })
  await expect.poll(() => schedules.known(stopping)).toBeNull()
})
