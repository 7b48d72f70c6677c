/** A line that is longer than Temporal is to know of: what rests in the database keeps its turn, says why it waits, is overtaken by who is more urgent, and is cancelled without Temporal. */
import { Client, Connection } from '@temporalio/client'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { until } from '../../dev/wait.ts'
import { type Mayfly, startMayfly } from '../setup/mayfly.ts'
import { Undo } from '../setup/own-places.ts'
import { Scene } from '../setup/scene.ts'
import { expectNothingLeft } from '../setup/tidy.ts'

const depth = 2
const undo = new Undo()
let mayfly: Mayfly
let scene: Scene
let temporal: Client
let database: pg.Client
let group: number
let template: number
beforeAll(async () => {
  mayfly = await startMayfly({ env: { MAYFLY_LINE_DEPTH: String(depth) } })
  undo.add(() => mayfly.stop())
  scene = await Scene.open(mayfly, { unused: '- hosts: all\n' })
  const connection = await Connection.connect({ address: mayfly.stack.temporalAddress })
  undo.add(() => connection.close())
  temporal = new Client({ connection, namespace: mayfly.temporalNamespace })
  database = new pg.Client(mayfly.databaseUrl)
  await database.connect()
  undo.add(() => database.end())
  group = await scene.group({
    pod_spec_override: JSON.stringify({ metadata: { namespace: mayfly.kubernetesNamespace } }),
    max_concurrent_jobs: 1,
  })
  template = await templateOf('deep', 'true')
})
afterAll(() => undo.all())

/** A container job template of the group that asks for a priority. */
async function templateOf(name: string, script: string): Promise<number> {
  const { id: organization } = await mayfly.post('/organizations/', { name })
  const { id: inventory } = await mayfly.post('/inventories/', { name, organization })
  const { id } = await mayfly.post('/job_templates/', {
    ...{ name, inventory, execution_environment: await scene.environment('mayfly.local/no-runner:latest', 'missing') },
    ...{ container: { command: ['sh', '-c', script] }, ask_priority_on_launch: true, allow_simultaneous: true },
  })
  await mayfly.post(`/job_templates/${id}/instance_groups/`, { id: group })
  return id
}

const launch = async (prompts: object = {}, of = template) =>
  (await mayfly.post<{ job: number }>(`/job_templates/${of}/launch/`, prompts)).job

/** Jobs that stand in line in Temporal, and those whose starts rest; in the order of their ids. */
async function lines(): Promise<{ standing: number[]; resting: number[] }> {
  const { rows } = await database.query<{ id: number; rests: boolean; stands: boolean }>(`
    SELECT id, run_id IS NOT NULL AND waiting_since IS NOT NULL AS stands,
      EXISTS (SELECT FROM outbox WHERE subject_id = unified_jobs.id AND kind = 'start') AS rests
    FROM unified_jobs WHERE status = 'pending' ORDER BY id`)
  const those = (which: 'rests' | 'stands') => rows.filter((row) => row[which]).map(({ id }) => id)
  return { standing: those('stands'), resting: those('rests') }
}

async function standing(jobs: number[]): Promise<void> {
  const wait = { what: `jobs ${jobs} to stand in line`, seconds: 180, everyMs: 50 }
  await until(wait, async () => JSON.stringify((await lines()).standing) === JSON.stringify(jobs))
}

test('what rests keeps its turn, is overtaken by who is more urgent, and is cancelled at once', async () => {
  const holder = await launch({}, await templateOf('holder', 'sleep 600'))
  await scene.jobWhen(holder, 'to run', ({ status }) => status === 'running')
  const jobs: number[] = []
  for (let count = 0; count < 6; count++) jobs.push(await launch())
  await standing(jobs.slice(0, depth))
  // What was sent is struck off a little later than it stands in line.
  await expect.poll(async () => (await lines()).resting).toEqual(jobs.slice(depth))

  const last = jobs.at(-1) ?? 0
  const told =
    / for a place in instance group '.*': 1 of 1 concurrent jobs are running \(max_concurrent_jobs\)\. Place 6 in line\.$/
  const says = ({ job_explanation: text }: { job_explanation: string }) => told.test(text)
  const { job_explanation: explanation } = await scene.jobWhen(last, 'to say what it waits for', says)
  expect(await mayfly.get(`/jobs/${last}/waiting/`)).toMatchObject({
    ...{ waiting: true, status: 'pending', reason: 'capacity', explanation, place: 6, place_is_exact: true },
    groups: [{ id: group, place: 6, blocks: [{ kind: 'max_concurrent_jobs' }] }],
  })

  const urgent = await launch({ priority: 1 })
  await standing([...jobs.slice(0, depth), urgent])
  expect(await mayfly.get(`/jobs/${urgent}/waiting/`)).toMatchObject({ reason: 'capacity', place: 1 })
  expect(await mayfly.get(`/jobs/${last}/waiting/`)).toMatchObject({ place: 7 })

  const [thoughtBetter = 0] = jobs.splice(3, 1)
  expect((await mayfly.api('POST', `/jobs/${thoughtBetter}/cancel/`)).status).toBe(202)
  expect(await scene.job(thoughtBetter)).toMatchObject({ status: 'canceled' })
  await expect(temporal.workflow.getHandle(`job-${thoughtBetter}`).describe()).rejects.toThrow(/not found/)
  expect((await mayfly.api('DELETE', `/jobs/${thoughtBetter}/`)).status).toBe(204)

  await scene.cancel(holder)
  for (const job of [urgent, ...jobs]) expect([job, (await scene.ended(job)).status]).toEqual([job, 'successful'])
  const { rows } = await database.query<{ job_id: number }>('SELECT job_id FROM attempts ORDER BY claimed_at')
  const order = rows.map(({ job_id }) => job_id)
  // Of those that are sent together, which one is prepared first is chance; none that rested goes before those that stood in line.
  const [first, rested] = [order.slice(2, 2 + depth), order.slice(2 + depth)]
  const inOrder = [...first.toSorted((one, other) => one - other), ...rested.toSorted((one, other) => one - other)]
  expect([...order.slice(0, 2), ...inOrder]).toEqual([holder, urgent, ...jobs])
})

test('what rests is started by the worker that comes after one that was killed', async () => {
  await mayfly.post(`/instance_groups/${group}/drain/`)
  const jobs = [await launch(), await launch(), await launch(), await launch()]
  await standing(jobs.slice(0, depth))
  await mayfly.restart('worker')
  // What was sent is struck off a little later than it stands in line.
  await expect.poll(async () => (await lines()).resting).toEqual(jobs.slice(depth))
  expect((await mayfly.api('DELETE', `/instance_groups/${group}/drain/`)).status).toBe(204)
  for (const job of jobs) expect([job, (await scene.ended(job)).status]).toEqual([job, 'successful'])
})

test('nothing is left', () => expectNothingLeft(mayfly))
