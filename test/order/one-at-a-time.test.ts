/** Very many launches of a template that allows one job at a time: Temporal knows of the one whose turn it is, and the others rest in the database until theirs comes, whatever dies meanwhile. */
import { Client, Connection } from '@temporalio/client'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Mayfly, startMayfly } from '../setup/mayfly.ts'
import { Undo } from '../setup/own-places.ts'
import { Scene } from '../setup/scene.ts'
import { expectNothingLeft } from '../setup/tidy.ts'

const launches = 30
const undo = new Undo()
let mayfly: Mayfly
let scene: Scene
let temporal: Client
let database: pg.Client
beforeAll(async () => {
  mayfly = await startMayfly()
  undo.add(() => mayfly.stop())
  scene = await Scene.open(mayfly, { unused: '- hosts: all\n' })
  const connection = await Connection.connect({ address: mayfly.stack.temporalAddress })
  undo.add(() => connection.close())
  temporal = new Client({ connection, namespace: mayfly.temporalNamespace })
  database = new pg.Client(mayfly.databaseUrl)
  await database.connect()
  undo.add(() => database.end())
})
afterAll(() => undo.all())

const script = (command: string) => ({ container: { command: ['sh', '-c', command] } })

/** Those of the jobs that Temporal has a workflow of, ended or not. */
async function inTemporal(jobs: readonly number[]): Promise<number[]> {
  const known = await Promise.all(
    jobs.map(async (job) => {
      try {
        await temporal.workflow.getHandle(`job-${job}`).describe()
        return [job]
      } catch (error) {
        if (/not found/.test(String(error))) return []
        throw error
      }
    }),
  )
  return known.flat()
}

test('each job of a default template runs once, in the order of launch, one at a time, and until then only its rows exist', async () => {
  const group = await scene.group({
    pod_spec_override: JSON.stringify({ metadata: { namespace: mayfly.kubernetesNamespace } }),
  })
  const { id: inventory } = await mayfly.post('/inventories/', { name: 'all', organization: scene.organization })
  const environment = await scene.environment('mayfly.local/no-runner:latest', 'missing')
  const { id: template } = await mayfly.post('/job_templates/', {
    ...{ name: 'one at a time', inventory, execution_environment: environment, ask_priority_on_launch: true },
    ...script('sleep 600'),
  })
  await mayfly.post(`/job_templates/${template}/instance_groups/`, { id: group })
  const holder = await scene.launch(template)
  await scene.jobWhen(holder, 'to run', ({ status }) => status === 'running')
  await mayfly.patch(`/job_templates/${template}/`, script('true'))
  const jobs: number[] = []
  while (jobs.length < launches) jobs.push(await scene.launch(template))
  const { job: urgent } = await mayfly.post<{ job: number }>(`/job_templates/${template}/launch/`, { priority: 1 })
  jobs.push(urgent)

  expect(await inTemporal(jobs)).toEqual([])
  expect(await mayfly.get(`/jobs/${urgent}/waiting/`)).toMatchObject({
    ...{ waiting: true, reason: 'turn', place: null, groups: [] },
    explanation: expect.stringMatching(new RegExp(`^Waiting since \\S+: waiting for job-${holder} to finish$`)),
    waits_for: [{ id: holder, type: 'job', url: `/api/v2/jobs/${holder}/` }],
  })
  const { job_explanation: explanation } = await scene.job(urgent)
  expect(explanation).toContain(`waiting for job-${holder} to finish`)

  const [thoughtBetter = 0] = jobs.splice(3, 1)
  expect(await scene.cancel(thoughtBetter)).toBe(202)
  expect(await scene.job(thoughtBetter)).toMatchObject({ status: 'canceled' })
  expect(await inTemporal(jobs)).toEqual([])

  await mayfly.start('worker-2')
  await scene.cancel(holder)
  const [killed = 0, last = 0] = [jobs[launches / 3], jobs.at(-1)]
  await scene.jobWhen(killed, 'to have its turn', ({ status }) => status !== 'pending')
  await mayfly.kill9('worker')
  expect(await inTemporal([last])).toEqual([])
  await mayfly.start('worker')
  for (const job of jobs) expect([job, (await scene.ended(job)).status]).toEqual([job, 'successful'])

  const { rows } = await database.query<{ job_id: number; overlaps: boolean }>(`
    SELECT job_id, claimed_at < lag(finished) OVER (ORDER BY claimed_at) AS overlaps
    FROM attempts JOIN unified_jobs job ON job.id = job_id ORDER BY claimed_at`)
  expect(rows.map(({ job_id }) => job_id)).toEqual([holder, ...jobs])
  expect(rows.filter(({ overlaps }) => overlaps)).toEqual([])
})

test('nothing is left', () => expectNothingLeft(mayfly, ['worker', 'worker-2']))
