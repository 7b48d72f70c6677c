/** The pod of a job that failed is kept as long as was asked for: the job has ended, its place stays taken, and whatever dies, the pod goes in the end. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { until } from '../../dev/wait.ts'
import { openCluster } from '../../kubernetes/cluster.ts'
import { Operator } from '../operator/operator.ts'
import { type Mayfly, startMayfly } from '../setup/mayfly.ts'
import { stackTarget, Undo } from '../setup/own-places.ts'
import { PodRecord } from '../setup/pods.ts'
import { Scene } from '../setup/scene.ts'
import { expectNothingLeft } from '../setup/tidy.ts'

const undo = new Undo()
let mayfly: Mayfly
let scene: Scene
let pods: PodRecord
let operator: Operator

const play = (task: string) => `- hosts: all\n  gather_facts: false\n  tasks: [{debug: {msg: has begun}}, ${task}]\n`

beforeAll(async () => {
  mayfly = await startMayfly({ env: { MAYFLY_REAPER_INTERVAL: '2', MAYFLY_ORPHAN_GRACE: '2' } })
  undo.add(() => mayfly.stop())
  pods = await PodRecord.open(mayfly.stack, mayfly.kubernetesNamespace)
  undo.add(async () => pods.close())
  scene = await Scene.open(mayfly, {
    fails: play(`{fail: {msg: "{{ lookup('pipe', 'echo secret > /tmp/left') }}"}}`),
    waits: play(`{fail: {msg: "{{ lookup('pipe', 'until test -e /tmp/go; do sleep 0.1; done') }} on purpose"}}`),
  })
  operator = await Operator.open(mayfly)
  undo.add(() => operator.close())
})
afterAll(() => undo.all())

interface Held {
  status: string
  held_until: string | null
  hold_on_failure_seconds: number
}

const job = (id: number) => mayfly.get<Held & { related: Record<string, string> }>(`/jobs/${id}/`)
const podName = (id: number) => `automation-job-${id}-1`

/** Resolves with the job when its pod is kept, or no longer is. */
const heldIs = (id: number, wanted: boolean) =>
  until({ what: `the pod of job ${id} ${wanted ? '' : 'not '}to be kept`, seconds: 180, everyMs: 200 }, async () => {
    const found = await job(id)
    return found.status === 'failed' && (found.held_until !== null) === wanted && found
  })
const notHeld = (id: number) => heldIs(id, false)

async function launch(playbook: string, seconds: number, group?: number): Promise<number> {
  const template = await scene.template(playbook, group === undefined ? {} : { group })
  await mayfly.patch(`/job_templates/${template}/`, { hold_on_failure_seconds: seconds })
  return await scene.launch(template)
}

/** Runs a command in a pod; what it prints. */
async function inPod(id: number, ...command: string[]): Promise<string> {
  const cluster = openCluster(stackTarget(mayfly.stack))
  const session = await cluster.exec(mayfly.kubernetesNamespace, podName(id), 'worker', command)
  let text = ''
  for await (const chunk of session.stdout) text += chunk
  return text.trim()
}

/** Where the runner and we had what the job was sent. */
const leftSecrets =
  'ls -d /mayfly/in/payload /mayfly/in/part.* /runner/env /runner/inventory /runner/artifacts; cat /mayfly/spool/out'

const gone = (id: number) => pods.until(`no pod of job ${id}`, () => !pods.has(id))

test('the job has ended, its pod can be looked into and holds its place; a worker that dies changes nothing; a release lets it go', async () => {
  const group = await scene.group({ max_concurrent_jobs: 1 })
  const id = await launch('fails', 600, group)
  expect(await scene.ended(id)).toMatchObject({ status: 'failed' })
  const { held_until, related } = await job(id)
  expect(Date.parse(held_until ?? '')).toBeGreaterThan(Date.now() + 300_000)
  expect(related).toMatchObject({ hold: `/api/v2/jobs/${id}/hold/`, release_hold: `/api/v2/jobs/${id}/release_hold/` })
  const { results } = await mayfly.get<{ results: unknown[] }>(`/jobs/${id}/attempts/`)
  expect(results).toMatchObject([{ number: 1, held_until, released: null }])
  const waiting = await scene.run('fails', { group })
  await mayfly.kill9('worker')
  await mayfly.start('worker')
  await scene.jobWhen(waiting, 'to wait for the place', ({ job_explanation }) => job_explanation.includes('1 of 1'))
  expect(await inPod(id, 'cat', '/tmp/left')).toBe('secret')
  // That is done after the end of the job: by the dead worker, or by the one that found it undone.
  await until({ what: 'the pod to be cleared of secrets', seconds: 180, everyMs: 200 }, async () => {
    return (await inPod(id, 'sh', '-c', leftSecrets)) === ''
  })
  expect((await mayfly.api('DELETE', `/jobs/${id}/`)).status).toBe(403)
  const longer = await mayfly.post<Held>(`/jobs/${id}/hold/`, { seconds: 3_000 })
  expect(Date.parse(longer.held_until ?? '')).toBeGreaterThan(Date.now() + 2_000_000)
  expect((await operator.describe(id)).status.name).toBe('RUNNING')

  expect((await mayfly.api('POST', `/jobs/${id}/release_hold/`, {})).status).toBe(202)
  await gone(id)
  expect(await scene.ended(waiting)).toMatchObject({ status: 'failed' })
  await notHeld(id)
  expect((await mayfly.api('POST', `/jobs/${id}/release_hold/`, {})).status).toBe(409)
  await expect(operator.workflow(id).result()).rejects.toThrow()
  expect((await mayfly.api('DELETE', `/jobs/${id}/`)).status).toBe(204)
})

test.concurrent('a hold is asked for while the job runs, ends by itself, by Cancel, by Terminate and with its container', async () => {
  const [timed, cancelled, terminated, ended, plain] = await Promise.all([
    scene.run('waits'),
    launch('fails', 600),
    launch('fails', 600),
    launch('fails', 600),
    scene.run('fails'),
  ])
  await scene.printed(timed, 'has begun')
  for (const body of [{}, { seconds: 0 }, { seconds: 86_401 }, { seconds: 'x' }]) {
    const refused = await mayfly.api('POST', `/jobs/${timed}/hold/`, body)
    expect([refused.status, Object.keys(refused.body)]).toEqual([400, ['seconds']])
  }
  expect(await mayfly.post(`/jobs/${timed}/hold/`, { seconds: 3 })).toEqual({
    held_until: null,
    hold_on_failure_seconds: 3,
  })
  await inPod(timed, 'touch', '/tmp/go')
  expect(await scene.ended(timed)).toMatchObject({ status: 'failed' })
  await gone(timed)

  for (const id of [cancelled, terminated, ended]) expect(await scene.ended(id)).toMatchObject({ status: 'failed' })
  expect((await mayfly.api('POST', `/jobs/${cancelled}/cancel/`, {})).status).toBe(405)
  await operator.cancel(cancelled)
  await gone(cancelled)
  await notHeld(cancelled)
  await operator.terminate(terminated)
  await gone(terminated)
  expect(await scene.ended(plain)).toMatchObject({ status: 'failed' })
  await gone(plain)
  expect((await mayfly.api('POST', `/jobs/${plain}/hold/`, { seconds: 5 })).status).toBe(409)
  await inPod(ended, 'touch', '/mayfly/in/ack')
  await pods.until('the container to end', () => pods.pods.get(podName(ended))?.status?.phase === 'Failed')
  // Who asks next how long it is kept finds that there is nothing to look into.
  expect((await mayfly.api('POST', `/jobs/${ended}/hold/`, { seconds: 900 })).status).toBe(202)
  await gone(ended)
})

test.concurrent('a pod that is kept goes at the deadline of the drain of its group, and the job says so', async () => {
  const group = await scene.group({})
  const id = await launch('fails', 600, group)
  expect(await scene.ended(id)).toMatchObject({ status: 'failed' })
  await heldIs(id, true)
  const drained = await mayfly.post<{ drain_deadline: string }>(`/instance_groups/${group}/drain/`, {
    deadline_seconds: 3,
  })
  await gone(id)
  await notHeld(id)
  const told = await scene.job(id)
  expect(told.job_explanation).toContain(`at the deadline of the drain of instance group`)
  const { results } = await mayfly.get<{ results: unknown[] }>(`/jobs/${id}/attempts/`)
  expect(results).toMatchObject([{ held_until: drained.drain_deadline }])
})

test.concurrent('a Reset of a job whose pod is kept runs it anew', async () => {
  const id = await launch('fails', 600)
  await scene.ended(id)
  await operator.reset(id)
  await pods.until('the second pod', () => pods.statesOf(id).some(({ metadata }) => metadata?.name?.endsWith('-2')))
  await pods.until('the end of the first', () => !pods.pods.has(podName(id)))
  await scene.jobWhen(id, 'to have ended again', (found) => found.finished !== null)
  expect((await job(id)).held_until).not.toBeNull()
  expect((await mayfly.api('POST', `/jobs/${id}/release_hold/`, {})).status).toBe(202)
  await gone(id)
})

test('nothing is left, and the worker has no complaint', () => expectNothingLeft(mayfly))
