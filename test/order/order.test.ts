/** Whose turn it is: waiting jobs get places by priority, then by the shares of their organizations, then in the order of their launch. */
import { Client, Connection } from '@temporalio/client'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { until } from '../../dev/wait.ts'
import { type Mayfly, startMayfly } from '../setup/mayfly.ts'
import { Undo } from '../setup/own-places.ts'
import { Scene } from '../setup/scene.ts'
import { expectNothingLeft } from '../setup/tidy.ts'

const undo = new Undo()
let mayfly: Mayfly
let scene: Scene
let temporal: Client
let group: number
beforeAll(async () => {
  mayfly = await startMayfly()
  undo.add(() => mayfly.stop())
  scene = await Scene.open(mayfly, { unused: '- hosts: all\n' })
  const connection = await Connection.connect({ address: mayfly.stack.temporalAddress })
  undo.add(() => connection.close())
  temporal = new Client({ connection, namespace: mayfly.temporalNamespace })
  group = await scene.group({
    pod_spec_override: JSON.stringify({ metadata: { namespace: mayfly.kubernetesNamespace } }),
    max_concurrent_jobs: 1,
  })
})
afterAll(() => undo.all())

/** A container job template of an organization with this weight, which asks for a priority. */
async function template(name: string, weight: number, script: string): Promise<number> {
  const { id: organization } = await mayfly.post('/organizations/', { name, fair_share_weight: weight })
  const { id: inventory } = await mayfly.post('/inventories/', { name, organization })
  const environment = await scene.environment('mayfly.local/no-runner:latest', 'missing')
  const { id } = await mayfly.post('/job_templates/', {
    name,
    inventory,
    execution_environment: environment,
    container: { command: ['sh', '-c', script] },
    ask_priority_on_launch: true,
    allow_simultaneous: true,
  })
  await mayfly.post(`/job_templates/${id}/instance_groups/`, { id: group })
  return id
}

/** Ids of the activities by which a job stands in the group's line. */
async function inLine(job: number): Promise<string[]> {
  const described = await temporal.workflow
    .getHandle(`job-${job}`)
    .describe()
    .catch(() => undefined)
  const pending = described?.raw.pendingActivities ?? []
  return pending.flatMap(({ activityType, activityId }) => (activityType?.name === 'admit' ? (activityId ?? []) : []))
}

/** Launches, and resolves once the job stands in the group's line. */
async function queue(templateId: number, priority?: number): Promise<number> {
  const prompts = priority === undefined ? {} : { priority }
  const { job } = await mayfly.post<{ job: number }>(`/job_templates/${templateId}/launch/`, prompts)
  await until(
    { what: `job ${job} to stand in line`, seconds: 180, everyMs: 50 },
    async () => (await inLine(job)).length > 0,
  )
  return job
}

test('priority first, a starved job with it, then fair shares by weight, then first in first out', async () => {
  const [light, heavy] = [await template('light', 1, 'true'), await template('heavy', 3, 'true')]
  const holder = await queue(await template('holder', 1, 'echo holds; sleep 600'))
  await scene.jobWhen(holder, 'to run', ({ status }) => status === 'running')

  const [starved, last] = [await queue(light, 5), await queue(light, 5)]
  const ofLight: number[] = []
  for (let count = 0; count < 3; count++) ofLight.push(await queue(light))
  const ofHeavy: number[] = []
  for (let count = 0; count < 4; count++) ofHeavy.push(await queue(heavy))
  const second = await queue(heavy, 2)
  const first = await queue(light, 1)
  const all = [starved, last, ...ofLight, ...ofHeavy, second, first]
  // What the sweep for starving jobs sends.
  const before = await inLine(starved)
  await temporal.workflow.getHandle(`job-${starved}`).signal('raise')
  await until({ what: 'the starved job to stand in another line', seconds: 180, everyMs: 50 }, async () =>
    (await inLine(starved)).some((id) => !before.includes(id)),
  )
  expect(await mayfly.get(`/jobs/${first}/`)).toMatchObject({ priority: 1, status: 'pending' })
  expect(await mayfly.get(`/jobs/${ofLight[0]}/`)).toMatchObject({ priority: 3, status: 'pending' })

  await scene.cancel(holder)
  const started = new Map<number, number>()
  for (const job of all) {
    const ended = await scene.ended(job)
    expect([job, ended.status]).toEqual([job, 'successful'])
    started.set(job, Date.parse((await scene.job(job)).started ?? ''))
  }
  const order = all.toSorted((one, other) => (started.get(one) ?? 0) - (started.get(other) ?? 0))
  expect([...order.slice(0, 3), order.at(-1)]).toEqual([first, starved, second, last])
  expect(order.filter((job) => ofLight.includes(job))).toEqual(ofLight)
  expect(order.filter((job) => ofHeavy.includes(job))).toEqual(ofHeavy)
  // Launched last, but with three shares to one: they are through while jobs of the other organization still wait.
  expect(order.indexOf(ofHeavy.at(-1) ?? 0)).toBeLessThan(order.indexOf(ofLight.at(-1) ?? 0))
})

test('a priority that is none is refused, and one that is not asked for is ignored', async () => {
  const id = await template('asks', 1, 'true')
  const refused = await mayfly.api('POST', `/job_templates/${id}/launch/`, { priority: 9 })
  expect([refused.status, refused.body]).toEqual([400, { priority: ['Ensure this value is less than or equal to 5.'] }])
  await mayfly.patch(`/job_templates/${id}/`, { ask_priority_on_launch: false, priority: 4 })
  const launched = await mayfly.post<{ job: number; ignored_fields: object; priority: number }>(
    `/job_templates/${id}/launch/`,
    { priority: 1 },
  )
  expect(launched).toMatchObject({ ignored_fields: { priority: 1 }, priority: 4 })
  expect(await scene.ended(launched.job)).toMatchObject({ status: 'successful' })
})

test('nothing is left', () => expectNothingLeft(mayfly))
