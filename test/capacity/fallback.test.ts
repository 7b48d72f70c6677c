/** A job waits in all its instance groups at once, preferred first, and the first with room takes it. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { until } from '../../dev/wait.ts'
import { inNamespace } from '../setup/catalog.ts'
import { type Mayfly, startMayfly } from '../setup/mayfly.ts'
import { Undo } from '../setup/own-places.ts'
import { PodRecord, recordedNamespace } from '../setup/pods.ts'
import { Scene } from '../setup/scene.ts'
import { expectNothingLeft } from '../setup/tidy.ts'

const undo = new Undo()
let mayfly: Mayfly
let scene: Scene
let pods: PodRecord
/** A second namespace, as a second cluster would be. */
let elsewhere: Awaited<ReturnType<typeof openElsewhere>>
/** The address of nobody. */
const away = { host: 'https://127.0.0.1:9', bearer_token: 'x', verify_ssl: false }
/** Seconds for whatever a test waits for, on a machine that has other things to do. */
const patience = 240
const hold = '- hosts: all\n  gather_facts: false\n  tasks: [{pause: {seconds: 600}}]\n'

beforeAll(async () => {
  mayfly = await startMayfly({ env: { MAYFLY_ENDPOINT_PATIENCE: '5' } })
  undo.add(() => mayfly.stop())
  pods = await PodRecord.open(mayfly.stack, mayfly.kubernetesNamespace)
  undo.add(async () => pods.close())
  scene = await Scene.open(mayfly, { hold })
  elsewhere = await openElsewhere()
})
afterAll(() => undo.all())

const room = (limit: number) => scene.group({ pod_spec_override: inNamespace(mayfly), max_concurrent_jobs: limit })

async function openElsewhere() {
  const { namespace, pods: record } = await recordedNamespace(mayfly, 'elsewhere', undo)
  const override = JSON.stringify({ metadata: { namespace } })
  const group = (limit: number) => scene.group({ pod_spec_override: override, max_concurrent_jobs: limit })
  return { pods: record, room: group }
}

async function templateIn(playbook: string, groups: number[]): Promise<number> {
  const [first, ...others] = groups
  const template = await scene.template(playbook, first === undefined ? {} : { group: first })
  for (const id of others) await mayfly.post(`/job_templates/${template}/instance_groups/`, { id })
  return template
}

const runs = (id: number) => scene.jobWhen(id, 'to run', (job) => job.status === 'running', patience)
const ended = (id: number) => scene.ended(id, patience)

/** What a job has on record of groups that had no place for it. */
interface PassedOver {
  group: number
  why: string
  message: string
  since: string
  until: string | null
}
const passedOver = async (job: number) => (await mayfly.get<{ passed_over: PassedOver[] }>(`/jobs/${job}/`)).passed_over

test('row 54: a job whose group is full goes to the next in order, and one that finds none waits for whichever is free first', async () => {
  const [preferred, next] = [await room(1), await elsewhere.room(1)]
  const template = await templateIn('hold', [preferred, next])
  const first = await scene.launch(template)
  expect(await runs(first)).toMatchObject({ instance_group: preferred })
  const second = await scene.launch(template)
  expect((await runs(second)).instance_group).toBe(next)
  expect(elsewhere.pods.has(second) && !pods.has(second)).toBe(true)
  // The full group asked for no job, and yet it is on record that it was full before this one came.
  const [record, ...others] = await passedOver(second)
  expect([record, others]).toMatchObject([
    { group: preferred, why: 'full', message: '1 of 1 concurrent jobs are running (max_concurrent_jobs)' },
    [],
  ])
  const { created } = await mayfly.get<{ created: string }>(`/jobs/${second}/`)
  expect(Date.parse(record?.since ?? '')).toBeLessThan(Date.parse(created))
  expect(Date.parse(record?.until ?? '')).toBeGreaterThan(Date.parse(created))
  expect(await passedOver(first)).toEqual([])
  const third = await scene.launch(template)
  const told = (job: { job_explanation: string }) => job.job_explanation.match(/1 of 1 concurrent jobs/g)?.length === 2
  await scene.jobWhen(third, 'to say that both groups are full', told, patience)
  await mayfly.kill9('worker')
  await mayfly.restart('worker')
  await scene.cancel(second)
  expect((await runs(third)).instance_group).toBe(next)
  expect((await passedOver(third)).map(({ group }) => group)).toContain(preferred)
  for (const id of [first, third]) await scene.cancel(id)
  for (const id of [first, second, third]) expect(await ended(id)).toMatchObject({ status: 'canceled' })
  for (const id of [first, second, third]) {
    const states = () => [...pods.statesOf(id), ...elsewhere.pods.statesOf(id)]
    await pods.until(`a pod of job ${id} to be seen`, () => states().length > 0)
    expect(new Set(states().map((pod) => pod.metadata?.uid)).size).toBe(1)
  }
})

test('a group that cannot be reached or is misconfigured counts as full, and is the error where there is no other', async () => {
  const unreachable = await scene.group({ credential: await scene.clusterCredential(away) })
  const noNamespace = await scene.group({
    pod_spec_override: JSON.stringify({ metadata: { namespace: `${mayfly.kubernetesNamespace}-none` } }),
  })
  // Nobody is let in before the others were asked, which the cluster and a busy machine may answer late.
  const good = await room(0)
  await mayfly.post(`/instance_groups/${good}/drain/`)
  const launchIn = async (groups: number[]) => scene.launch(await templateIn('hold', groups))
  const [passed, lost, alone] = await Promise.all([
    launchIn([unreachable, noNamespace, good]),
    launchIn([unreachable, noNamespace]),
    launchIn([unreachable]),
  ])
  await until({ what: 'both groups to be on record', seconds: patience }, async () => {
    const groups = (await passedOver(passed)).map(({ group }) => group)
    return groups.includes(unreachable) && groups.includes(noNamespace)
  })
  expect((await mayfly.api('DELETE', `/instance_groups/${good}/drain/`)).status).toBe(204)
  expect(await runs(passed)).toMatchObject({ instance_group: good })
  // Which of them answered first is chance.
  const record = (await passedOver(passed)).toSorted((one, other) => one.group - other.group)
  expect(record).toMatchObject([
    {
      group: unreachable,
      why: 'unreachable',
      message: expect.stringContaining('127.0.0.1'),
      until: expect.any(String),
    },
    { group: noNamespace, why: 'misconfigured', message: expect.stringContaining('-none'), until: expect.any(String) },
  ])
  expect(await ended(lost)).toMatchObject({
    status: 'error',
    job_explanation: expect.stringMatching(
      /^None of the instance groups .*\n- group \d+: .*127\.0\.0\.1.*\n- group \d+: .*-none/,
    ),
  })
  expect(await ended(alone)).toMatchObject({
    status: 'error',
    job_explanation: expect.stringContaining('127.0.0.1'),
  })
  await scene.cancel(passed)
  await ended(passed)
})

test('a group that was away takes the job when it is back and no other has room', async () => {
  const lost = await scene.group({
    credential: await scene.clusterCredential(away),
    pod_spec_override: inNamespace(mayfly),
  })
  const full = await room(1)
  const holder = await scene.launch(await templateIn('hold', [full]))
  await runs(holder)
  const job = await scene.launch(await templateIn('hold', [lost, full]))
  await until({ what: 'the group to be on record as unreachable', seconds: patience }, async () => {
    const { groups } = await mayfly.get<{ groups: { blocks: { kind: string }[] }[] }>(`/jobs/${job}/waiting/`)
    return groups[0]?.blocks[0]?.kind === 'unreachable' && groups[1]?.blocks[0]?.kind === 'max_concurrent_jobs'
  })
  // From now on it runs where Mayfly itself does.
  await mayfly.patch(`/instance_groups/${lost}/`, { credential: null })
  expect(await runs(job)).toMatchObject({ instance_group: lost })
  const record = await passedOver(job)
  expect(record.find(({ group }) => group === lost)).toMatchObject({ why: 'unreachable', until: expect.any(String) })
  for (const id of [job, holder]) await scene.cancel(id)
  for (const id of [job, holder]) await ended(id)
})

test('nothing is left', async () => {
  // A pod goes after the end of its job.
  for (const record of [pods, elsewhere.pods]) await record.until('no pod', () => record.live.length === 0, patience)
  await expectNothingLeft(mayfly)
})
