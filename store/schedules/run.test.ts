import { randomBytes } from 'node:crypto'
import { eq } from 'drizzle-orm'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { normalizeRecurrence, parseRecurrence } from '../../model/recurrence/parse.ts'
import type { Store } from '../database.ts'
import { transitionJob } from '../job-status.ts'
import { organizations } from '../schema/catalog.ts'
import { inventories } from '../schema/inventory.ts'
import { unifiedJobs } from '../schema/jobs.ts'
import { outbox } from '../schema/runtime.ts'
import { scheduleRuns } from '../schema/schedule-runs.ts'
import { schedules } from '../schema/schedules.ts'
import { jobTemplates, projects } from '../schema/templates.ts'
import { inventorySources, systemJobTemplates } from '../schema/updates.ts'
import { type Keyring, loadKeyring } from '../secrets.ts'
import { storeKinds, testStore } from '../testing.ts'
import { deleteSchedulesOf } from './next-run.ts'
import { planSchedule, schedulePlanned, wakeOverdue } from './plan.ts'
import { runSchedule } from './run.ts'
import type { ScheduleRow } from './runs.ts'
import { scheduleTimes, toColumn, toSeconds } from './times.ts'
import { backfill, scheduleWritten } from './write.ts'

const noon = Date.parse('2026-11-21T12:00:00Z') / 1000
const everyMinute = 'DTSTART:20261121T110000Z RRULE:FREQ=MINUTELY;INTERVAL=1'

describe.each(storeKinds)('runs of schedules on %s', (kind) => {
  let store: Store
  let keyring: Keyring
  let template: typeof jobTemplates.$inferSelect
  beforeAll(async () => {
    store = await testStore(kind)
    keyring = await loadKeyring({ MAYFLY_SECRET_KEY: randomBytes(32).toString('base64') })
    const organizationId = one(await store.db.insert(organizations).values({ name: 'o' }).returning()).id
    const project = one(
      await store.db.insert(projects).values({ name: 'p', organizationId, status: 'successful' }).returning(),
    )
    const inventory = one(await store.db.insert(inventories).values({ name: 'i', organizationId }).returning())
    const values = { name: 't', projectId: project.id, inventoryId: inventory.id, playbook: 'a.yml', limit: 'all' }
    template = one(
      await store.db
        .insert(jobTemplates)
        .values({ ...values, askLimitOnLaunch: true })
        .returning(),
    )
  })
  beforeEach(async () => {
    await store.db.delete(schedules)
    await store.db.delete(unifiedJobs)
    await store.db.delete(outbox)
  })
  afterAll(() => store.close())

  const one = <T>([row]: T[]): T => {
    if (row === undefined) throw new Error('no row')
    return row
  }
  /** A schedule that was made a minute before noon. */
  const make = async (values: Partial<typeof schedules.$inferInsert> = {}): Promise<ScheduleRow> => {
    const rrule = normalizeRecurrence(values.rrule ?? everyMinute)
    const made = noon - 60
    return one(
      await store.db
        .insert(schedules)
        .values({
          name: `s ${randomBytes(4).toString('hex')}`,
          unifiedJobTemplateId: template.id,
          ruleSince: toColumn(made),
          ...scheduleTimes(parseRecurrence(rrule), values.enabled ?? true, made),
          ...values,
          rrule,
        })
        .returning(),
    )
  }
  const run = (schedule: ScheduleRow, instant = noon, now = instant + 1) =>
    store.db.transaction((tx) => runSchedule(tx, keyring, { scheduleId: schedule.id, instant, now }))
  const jobs = () => store.db.select().from(unifiedJobs).orderBy(unifiedJobs.id)
  const read = async ({ id }: ScheduleRow) => one(await store.db.select().from(schedules).where(eq(schedules.id, id)))
  const end = (jobId: number | null, status: 'successful' | 'failed' = 'successful') =>
    store.db.transaction(async (tx) => {
      await transitionJob(tx, jobId ?? 0, 'running')
      await transitionJob(tx, jobId ?? 0, status)
    })
  const plan = (schedule: ScheduleRow, now = noon) => store.db.transaction((tx) => planSchedule(tx, schedule.id, now))
  const asked = async () =>
    (await store.db.select().from(outbox)).filter((row) => row.kind === 'plan_schedule').map((row) => row.subjectId)
  const edit = async (schedule: ScheduleRow, changes: Partial<ScheduleRow>, now: number) =>
    store.db.transaction(async (tx) => {
      const set = { ...changes, ruleSince: toColumn(now), plannedUntil: null }
      const after = one(await tx.update(schedules).set(set).where(eq(schedules.id, schedule.id)).returning())
      await scheduleWritten(tx, after, schedule, now)
      return after
    })

  test('an instant launches one job, however many ask at once and again', async () => {
    const schedule = await make({ limit: 'web' })
    const results = await Promise.all([run(schedule), run(schedule), run(schedule)])
    const [job, ...others] = await jobs()
    expect(others).toEqual([])
    expect(job).toMatchObject({ launchType: 'scheduled', scheduleId: schedule.id, limit: 'web', createdById: null })
    for (const result of results) expect(result).toMatchObject({ state: 'launched', jobId: job?.id })
    expect(await run(schedule, noon, noon + 9999)).toMatchObject({ state: 'launched', jobId: job?.id })
    expect(toSeconds((await read(schedule)).nextRun ?? '')).toBe(noon + 60)
  })

  test('the template shows which schedule runs next, and when', async () => {
    await make({ rrule: 'DTSTART:20270101T000000Z RRULE:FREQ=DAILY;INTERVAL=1' })
    const schedule = await make()
    await run(schedule)
    const shown = one(await store.db.select().from(jobTemplates).where(eq(jobTemplates.id, template.id)))
    expect(shown.nextScheduleId).toBe(schedule.id)
    expect(toSeconds(shown.nextJobRun ?? '')).toBe(noon + 60)
  })

  test('what is not an instant of the schedule, or lies before its rule, launches nothing', async () => {
    const schedule = await make()
    expect(await run(schedule, noon + 30)).toMatchObject({ state: 'void' })
    expect(await run(schedule, noon - 120)).toMatchObject({ state: 'void' })
    expect(await run({ ...schedule, id: 99999 })).toMatchObject({ state: 'void' })
    expect(await run(await make({ enabled: false }))).toMatchObject({ state: 'void' })
    expect(await jobs()).toEqual([])
  })

  test('an edit in the second of firing: the old run happens once, the new rule begins', async () => {
    const schedule = await make()
    const after = await edit(schedule, { rrule: 'DTSTART:20261121T110030Z RRULE:FREQ=MINUTELY;INTERVAL=1' }, noon + 0.4)
    const planned = await plan(after, noon + 0.5)
    expect(planned?.starts).toContain(noon)
    expect(planned?.plan?.instants[0]).toBe(noon + 30)
    expect(await run(schedule, noon)).toMatchObject({ state: 'launched' })
    expect(await run(schedule, noon)).toMatchObject({ state: 'launched' })
    expect(await run(schedule, noon + 60)).toMatchObject({ state: 'void' })
    expect(await run(schedule, noon + 30)).toMatchObject({ state: 'launched' })
    expect(await jobs()).toHaveLength(2)
  })

  test('disabled in the second of firing: nothing runs after', async () => {
    const schedule = await make()
    await edit(schedule, { enabled: false, nextRun: null }, noon + 0.4)
    expect(await run(schedule)).toMatchObject({ state: 'void' })
    const planned = await plan(schedule, noon + 1)
    expect(planned?.plan?.instants).toEqual([])
    await edit(await read(schedule), { enabled: true, nextRun: toColumn(noon + 120) }, noon + 70)
    expect(await run(schedule, noon + 60)).toMatchObject({ state: 'void' })
    expect(await run(schedule, noon + 120)).toMatchObject({ state: 'launched' })
  })

  test('a run that is later than the catch-up window is left out, and says so', async () => {
    const schedule = await make({ catchupWindow: 600 })
    expect(await run(schedule, noon, noon + 601)).toMatchObject({ state: 'missed' })
    expect(await run(schedule, noon + 60, noon + 601)).toMatchObject({ state: 'launched' })
    expect(await jobs()).toHaveLength(1)
  })

  test('missed altogether: what the catch-up window allows is run, the rest is noted, and the schedule lives on', async () => {
    const schedule = await make({ catchupWindow: 300 })
    const now = noon + 3600
    const planned = await plan(schedule, now)
    expect(planned?.starts).toEqual([4, 3, 2, 1, 0].map((minutes) => now - minutes * 60))
    expect(planned?.plan?.instants[0]).toBe(now + 60)
    const [missed] = await store.db.select().from(scheduleRuns)
    expect(missed).toMatchObject({ state: 'missed' })
    for (const instant of planned?.starts ?? [])
      expect(await run(schedule, instant, now)).toMatchObject({ state: 'launched' })
    expect(toSeconds((await read(schedule)).nextRun ?? '')).toBe(now + 60)
  })

  test('the sweep finds what is overdue by more than a minute and its jitter, and what waits', async () => {
    const overdue = await make({ nextRun: '2020-01-01T00:00:00Z', plannedUntil: '2020-01-01T00:00:00Z' })
    const soon = new Date(Date.now() - 70_000).toISOString()
    await make({ nextRun: soon, jitter: 3600 })
    await make({ enabled: false })
    const waits = await make({ nextRun: '2100-01-01T00:00:00Z' })
    await store.db.insert(scheduleRuns).values({ scheduleId: waits.id, instant: soon, state: 'waiting' })
    expect(await wakeOverdue(store.db)).toBe(2)
    expect((await asked()).toSorted((a, b) => a - b)).toEqual([overdue.id, waits.id])
    expect((await read(overdue)).plannedUntil).toBeNull()
  })

  test('Temporal is told anew when half of what it knows is over, and once is enough', async () => {
    const schedule = await make()
    const planned = await plan(schedule)
    expect(planned?.plan?.instants).toHaveLength(32)
    await schedulePlanned(store.db, schedule, planned?.plan?.instants.at(-1) ?? null)
    expect((await plan(schedule))?.plan).toBeNull()
    await run(schedule, noon + 60)
    expect(await asked()).toEqual([])
    await run(schedule, noon + 60 * 17)
    expect(await asked()).toEqual([schedule.id])
    expect((await plan(schedule, noon + 60 * 17))?.plan?.instants[0]).toBe(noon + 60 * 18)
  })

  test('a plan that an edit overtook is not noted as told', async () => {
    const schedule = await make()
    await store.db
      .update(schedules)
      .set({ modified: toColumn(noon) })
      .where(eq(schedules.id, schedule.id))
    await schedulePlanned(store.db, schedule, noon)
    expect((await read(schedule)).plannedUntil).toBeNull()
  })

  test('skip: a run is left out while a job is active', async () => {
    const schedule = await make({ overlapPolicy: 'skip' })
    const { jobId } = await run(schedule)
    const second = await run(schedule, noon + 60)
    expect(second).toEqual({
      state: 'skipped',
      jobId: null,
      explanation: `Job ${jobId} of this schedule was still active.`,
    })
    await end(jobId)
    expect(await run(schedule, noon + 120)).toMatchObject({ state: 'launched' })
  })

  test('buffer_one: one run waits for the job to end, further ones are left out', async () => {
    const schedule = await make({ overlapPolicy: 'buffer_one' })
    const { jobId } = await run(schedule)
    expect(await run(schedule, noon + 60)).toMatchObject({ state: 'waiting' })
    expect(await run(schedule, noon + 120)).toMatchObject({ state: 'skipped' })
    expect((await plan(schedule, noon + 121))?.starts).toEqual([])
    await store.db.delete(outbox)
    await end(jobId)
    expect(await asked()).toEqual([schedule.id])
    expect((await plan(schedule, noon + 121))?.starts).toEqual([noon + 60])
    expect(await run(schedule, noon + 60, noon + 122)).toMatchObject({ state: 'launched' })
  })

  test('buffer_all: runs wait in their order', async () => {
    const schedule = await make({ overlapPolicy: 'buffer_all' })
    const { jobId } = await run(schedule)
    for (const minute of [1, 2, 3]) expect(await run(schedule, noon + minute * 60)).toMatchObject({ state: 'waiting' })
    await end(jobId)
    expect(await run(schedule, noon + 240)).toMatchObject({ state: 'waiting' })
    expect((await plan(schedule, noon + 241))?.starts).toEqual([noon + 60])
  })

  test('cancel_other: the active job is cancelled, the newest run waits for its end', async () => {
    const schedule = await make({ overlapPolicy: 'cancel_other' })
    const { jobId } = await run(schedule)
    await store.db.update(unifiedJobs).set({ status: 'running' })
    await store.db.delete(outbox)
    expect(await run(schedule, noon + 60)).toMatchObject({ state: 'waiting' })
    expect((await store.db.select().from(outbox)).map((row) => [row.kind, row.subjectId])).toContainEqual([
      'cancel',
      jobId,
    ])
    expect(await run(schedule, noon + 120)).toMatchObject({ state: 'waiting' })
    const states = (await store.db.select().from(scheduleRuns).orderBy(scheduleRuns.instant)).map((row) => row.state)
    expect(states).toEqual(['launched', 'skipped', 'waiting'])
  })

  test('no more than ten active jobs of a template, as in AWX', async () => {
    const schedule = await make()
    for (let minute = 0; minute < 10; minute++) await run(schedule, noon + minute * 60)
    expect(await run(schedule, noon + 600)).toMatchObject({ state: 'skipped' })
    expect(await jobs()).toHaveLength(10)
  })

  test('pause on failure disables the schedule once a job failed, and enabling it begins anew', async () => {
    const schedule = await make({ pauseOnFailure: true, ruleSince: '2020-01-01T00:00:00Z' })
    const { jobId } = await run(schedule)
    await end(jobId, 'failed')
    await plan(schedule, noon + 30)
    expect(await read(schedule)).toMatchObject({ enabled: false, nextRun: null })
    await edit(await read(schedule), { enabled: true, nextRun: toColumn(noon + 60) }, Date.now() / 1000 + 60)
    await plan(schedule, noon + 30)
    expect((await read(schedule)).enabled).toBe(true)
  })

  test('a template that cannot be launched leaves a failed job that says why', async () => {
    await store.db.update(jobTemplates).set({ inventoryId: null }).where(eq(jobTemplates.id, template.id))
    const schedule = await make()
    const { state, jobId } = await run(schedule)
    expect(state).toBe('failed')
    const [job] = await jobs()
    expect(job).toMatchObject({ id: jobId, status: 'failed' })
    expect(job?.jobExplanation).toContain('Job Template inventory is missing or undefined.')
    expect((await store.db.select().from(outbox)).filter((row) => row.kind === 'start')).toEqual([])
    await store.db
      .update(jobTemplates)
      .set({ inventoryId: template.inventoryId })
      .where(eq(jobTemplates.id, template.id))
  })

  test.each(['project', 'inventory source', 'system job template'] as const)('of a %s', async (what) => {
    const { projectId, inventoryId } = template
    const made = {
      project: () => store.db.insert(projects).values({ name: 'q', scmType: 'git' }).returning(),
      'inventory source': () =>
        store.db
          .insert(inventorySources)
          .values({ name: 's', inventoryId: inventoryId ?? 0, sourceProjectId: projectId })
          .returning(),
      'system job template': () =>
        store.db.insert(systemJobTemplates).values({ name: 'c', jobType: 'cleanup_jobs' }).returning(),
    }
    const { id } = one<{ id: number }>(await made[what]())
    const schedule = await make({ unifiedJobTemplateId: id, extraData: what.startsWith('system') ? { days: '7' } : {} })
    const { state, jobId } = await run(schedule)
    expect(state).toBe('launched')
    const [job, ...others] = await jobs()
    expect(others).toEqual([])
    expect(job).toMatchObject({ id: jobId, launchType: 'scheduled', scheduleId: schedule.id, unifiedJobTemplateId: id })
    if (what.startsWith('system')) expect(JSON.parse(job?.extraVars ?? '')).toEqual({ days: '7' })
    const starts = (await store.db.select().from(outbox)).filter((row) => row.kind === 'start')
    expect(starts.map((row) => row.subjectId)).toEqual([jobId])
  })

  test('backfill runs what was not run, once, whether enabled or not', async () => {
    const schedule = await make({ enabled: false })
    const fill = (start: number, end: number) => store.db.transaction((tx) => backfill(tx, schedule, { start, end }))
    expect(await fill(noon - 3600, noon - 3600 + 180)).toMatchObject({ due: 4 })
    expect(await fill(noon - 3600, noon - 3600 + 180)).toMatchObject({ due: 0 })
    expect((await plan(schedule))?.starts).toHaveLength(4)
    expect(await run(schedule, noon - 3600, noon)).toMatchObject({ state: 'launched' })
    expect(await run(schedule, noon - 3600, noon)).toMatchObject({ state: 'launched' })
    expect(await jobs()).toHaveLength(1)
    expect(await fill(noon - 365 * 86_400, noon)).toMatchObject({ due: 57 })
    const daily = await make({ rrule: 'DTSTART:20200101T000000Z RRULE:FREQ=DAILY;INTERVAL=1' })
    const all = await store.db.transaction((tx) => backfill(tx, daily, { start: 0, end: noon }))
    expect(all).toBe('too many')
  })

  test('schedules go with their template, and Temporal is told', async () => {
    const schedule = await make()
    await store.db.transaction((tx) => deleteSchedulesOf(tx, template.id))
    expect(await asked()).toEqual([schedule.id])
    expect(await plan(schedule)).toBeNull()
  })

  test('a schedule whose template is gone with something else is forgotten', async () => {
    const schedule = await make({ unifiedJobTemplateId: 99999 })
    expect(await plan(schedule)).toBeNull()
    expect(await store.db.select().from(schedules)).toEqual([])
  })
})
