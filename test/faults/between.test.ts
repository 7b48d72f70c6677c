/**
 * kill -9 of the worker between two lines of its code: a trigger in the database holds it where it is about to write down what it has just
 * done in the cluster, or done before. Whoever goes on must find out by looking.
 */
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { until } from '../../dev/wait.ts'
import { launch, makeCatalog, makeTemplate } from '../setup/catalog.ts'
import { type Mayfly, startMayfly } from '../setup/mayfly.ts'
import { clusterAdmin, Undo } from '../setup/own-places.ts'
import { expectNothingLeft } from '../setup/tidy.ts'
import { steadyPlay, Witness } from '../setup/witness.ts'

const undo = new Undo()
let mayfly: Mayfly
let witness: Witness
let database: pg.Client
let template: number
const templatesOfFullGroups: number[] = []
let expectedOutput: string

beforeAll(async () => {
  mayfly = await startMayfly({ env: { MAYFLY_REAPER_INTERVAL: '3' } })
  undo.add(() => mayfly.stop())
  witness = new Witness(mayfly)
  undo.add(() => witness.stop())
  database = new pg.Client(mayfly.databaseUrl)
  await database.connect()
  undo.add(() => database.end())
  await database.query(`
    CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(600); RETURN NEW; END $$`)
  const files = { 'steady.yml': steadyPlay }
  const templateOf = async (group: Record<string, unknown>) =>
    makeTemplate(mayfly, await makeCatalog(mayfly, { files, group }), 'steady.yml', { allow_simultaneous: true })
  template = await templateOf({})
  for (let count = 0; count < 2; count++) templatesOfFullGroups.push(await templateOf({ max_concurrent_jobs: 1 }))
  const job = await launch(mayfly, template)
  expect(await mayfly.ended(`/jobs/${job}/`)).toMatchObject({ status: 'successful' })
  expectedOutput = await witness.output(job)
})
afterAll(() => undo.all())

/** A moment to kill at: a row of `attempts` is about to become so. */
const moments = {
  'the place of the pod': `NEW.pod_name <> '' AND OLD.pod_name = ''`,
  'that the pod was made': `NEW.phase = 'created' AND OLD.phase = 'claimed'`,
  'that the payload was delivered': `NEW.phase = 'delivered' AND OLD.phase = 'created'`,
  'the first output': `NEW."offset" > 0 AND OLD."offset" = 0`,
  'the verdict': `NEW.phase = 'ended' AND OLD.phase = 'delivered'`,
  'that the pod is gone': `NEW.phase = 'released' AND OLD.phase = 'ended'`,
}
type Moment = keyof typeof moments

/** Launches a job for each moment, kills the worker when all of them have come, and starts it again. */
async function killAt(cases: { moment: Moment; template: number }[]): Promise<number[]> {
  const { rows } = await database.query<{ last: number }>('SELECT max(id) AS last FROM unified_jobs')
  const ids = cases.map((_, index) => (rows[0]?.last ?? 0) + 1 + index)
  for (const [index, { moment }] of cases.entries()) {
    const when = `NEW.job_id = ${ids[index]} AND (${moments[moment]})`
    await database.query(
      `CREATE TRIGGER hold_${index} BEFORE UPDATE ON attempts FOR EACH ROW WHEN (${when}) EXECUTE FUNCTION hold()`,
    )
  }
  const jobs: number[] = []
  for (const { template } of cases) jobs.push(await launch(mayfly, template))
  expect(jobs).toEqual(ids)
  const held = async () => (await database.query(`SELECT pid ${heldBackends}`)).rows.length === cases.length
  await until({ what: 'the triggers to hold the worker', seconds: 60, everyMs: 20 }, held)
  await mayfly.kill9('worker')
  await database.query(`SELECT pg_terminate_backend(pid) ${heldBackends}`)
  for (const index of cases.keys()) await database.query(`DROP TRIGGER hold_${index} ON attempts`)
  await mayfly.start('worker')
  return jobs
}
const heldBackends = `FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'`

test('killed when about to write down what was done for a job', async () => {
  const names = Object.keys(moments) as Moment[]
  const jobs = await killAt(names.map((moment) => ({ moment, template })))
  for (const job of jobs) await witness.expectUntouched(job, expectedOutput)
  await witness.expectNothingLeft()
})

/**
 * Where a pod fills its group or the namespace's quota nobody is let in who could go on with it, so it is deleted unused and the job gets another one. It is
 * played once all the same.
 */
async function expectPlayedOnce(job: number): Promise<void> {
  expect(await mayfly.ended(`/jobs/${job}/`)).toMatchObject({ status: 'successful', job_explanation: '' })
  expect(await witness.output(job)).toBe(expectedOutput)
  const delivered = 'SELECT number FROM attempts WHERE job_id = $1 AND delivered_at IS NOT NULL'
  expect(await witness.query(delivered, job)).toHaveLength(1)
}

test('killed when about to write down that the pod was made, which fills the quota', async () => {
  const quota = { metadata: { name: 'one' }, spec: { hard: { pods: '1' } } }
  const core = clusterAdmin(mayfly.stack)
  const namespace = mayfly.kubernetesNamespace
  await core.createNamespacedResourceQuota({ namespace, body: quota })
  // Nothing is refused before the quota has been counted.
  const counted = async () => (await core.readNamespacedResourceQuota({ name: 'one', namespace })).status?.used?.pods
  await until({ what: 'the quota to be counted', seconds: 30 }, async () => (await counted()) !== undefined)
  const [job = 0] = await killAt([{ moment: 'that the pod was made', template }])
  await expectPlayedOnce(job)
  await witness.expectNothingLeft()
  await core.deleteNamespacedResourceQuota({ name: 'one', namespace })
})

test('killed before the pod was made and after, each in a group that the job itself fills', async () => {
  const [first = 0, second = 0] = templatesOfFullGroups
  const jobs = await killAt([
    { moment: 'the place of the pod', template: first },
    { moment: 'that the pod was made', template: second },
  ])
  for (const job of jobs) await expectPlayedOnce(job)
  await witness.expectNothingLeft()
})

test('nothing is left, and the worker has no complaint', () => expectNothingLeft(mayfly))
