/** What no workflow will ever clean up is cleaned up all the same, and nothing else is touched. */
import type { V1Pod } from '@kubernetes/client-node'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { until } from '../../dev/wait.ts'
import { podLabels } from '../../model/attempt.ts'
import type { ReaperReport } from '../../model/reaper-report.ts'
import { clusterAdmin } from '../setup/cluster-admin.ts'
import { letGo, untilLetGo } from '../setup/gate.ts'
import { type Mayfly, startMayfly } from '../setup/mayfly.ts'
import { Undo } from '../setup/own-places.ts'
import { PodRecord } from '../setup/pods.ts'
import { Scene } from '../setup/scene.ts'
import { expectNothingLeft } from '../setup/tidy.ts'
import { Witness } from '../setup/witness.ts'
import { Operator } from './operator.ts'

const undo = new Undo()
let mayfly: Mayfly
let scene: Scene
let pods: PodRecord
let witness: Witness
let operator: Operator
let installUuid: string
let uncontrolled: Promise<Uncontrolled>

const play = (tasks: string) => `- hosts: all\n  gather_facts: false\n  tasks: [{debug: {msg: has begun}}, ${tasks}]\n`
const playbooks = {
  quick: play('{debug: {msg: the end}}'),
  gated: play(`{debug: {msg: "{{ lookup('pipe', '${untilLetGo}') }}the end"}}`),
  hold: play('{pause: {seconds: 300}}'),
}

/** A Mayfly whose worker was killed while its job ran, whose deadline is over. */
interface Uncontrolled {
  brief: Mayfly
  stage: Scene
  watched: Witness
  job: number
}

beforeAll(async () => {
  // Half a minute passes between a deadline and the pod's end: the other tests use it.
  uncontrolled = leaveAlone()
  uncontrolled.catch(() => {})
  await begin()
})

async function leaveAlone(): Promise<Uncontrolled> {
  const env = { MAYFLY_POD_DEADLINE: '900', MAYFLY_ORPHAN_GRACE: '2', MAYFLY_REAPER_INTERVAL: '2' }
  const brief = await startMayfly({ env })
  undo.add(() => brief.stop())
  const watched = new Witness(brief)
  undo.add(() => watched.stop())
  const stage = await Scene.open(brief, playbooks)
  const job = await stage.run('hold')
  await stage.printed(job, 'has begun')
  await brief.kill9('worker')
  await shortenDeadline(brief, job)
  return { brief, stage, watched, job }
}

/** A deadline that is over now, which no machine is too slow to begin before: the pod's own is that of the settings. */
async function shortenDeadline({ kubernetesNamespace: namespace, stack }: Mayfly, job: number): Promise<void> {
  const name = `automation-job-${job}-1`
  await until({ what: 'the deadline to be shortened', seconds: 180 }, async () => {
    const body = await clusterAdmin(stack).readNamespacedPod({ name, namespace })
    expect(body.spec?.activeDeadlineSeconds).toBeGreaterThanOrEqual(900)
    const spec = { containers: [], ...body.spec, activeDeadlineSeconds: 1 }
    return await clusterAdmin(stack).replaceNamespacedPod({ name, namespace, body: { ...body, spec } })
  })
}

async function begin(): Promise<void> {
  // The reaper is started by hand, so that nothing but the test decides when it runs.
  mayfly = await startMayfly({ env: { MAYFLY_ORPHAN_GRACE: '3', MAYFLY_REAPER_INTERVAL: '86400' } })
  undo.add(() => mayfly.stop())
  pods = await PodRecord.open(mayfly.stack, mayfly.kubernetesNamespace)
  undo.add(async () => pods.close())
  witness = new Witness(mayfly)
  undo.add(() => witness.stop())
  operator = await Operator.open(mayfly)
  undo.add(() => operator.close())
  scene = await Scene.open(mayfly, playbooks)
  installUuid = await installOf(mayfly)
}
afterAll(async () => {
  await uncontrolled.catch(() => {})
  await undo.all()
})

/** A pass of the reaper as the API shows it. */
interface Pass {
  dry_run: boolean
  trigger: string
  report: ReaperReport
}

const rehearse = () => mayfly.post<Pass>('/reaper/', { dry_run: true })

const installOf = async (where: Mayfly) => (await where.get<{ install_uuid: string }>('/ping/')).install_uuid

/** A pod that looks like one of ours, or of another installation. */
async function makePod(name: string, install: string, job: number, where = mayfly, more = {}): Promise<void> {
  const labels = { [podLabels.install]: install, [podLabels.job]: String(job), ...more }
  const { image } = where.stack
  const args = ['sh', '-c', 'trap exit TERM; sleep 600 & wait']
  const body: V1Pod = {
    metadata: { name, labels },
    spec: {
      terminationGracePeriodSeconds: 0,
      containers: [{ name: 'worker', image, imagePullPolicy: 'IfNotPresent', args }],
    },
  }
  await clusterAdmin(where.stack).createNamespacedPod({ namespace: where.kubernetesNamespace, body })
}

const deletePod = (name: string) =>
  clusterAdmin(mayfly.stack).deleteNamespacedPod({ namespace: mayfly.kubernetesNamespace, name, gracePeriodSeconds: 0 })

test('row 48: a pod of ours that nobody knows goes after the grace time; one of another installation stays', async () => {
  const group = await scene.group({})
  const { name } = await mayfly.get<{ name: string }>(`/instance_groups/${group}/`)
  await makePod('orphan', installUuid, 999, mayfly, { [podLabels.group]: String(group) })
  await makePod('foreign', 'another-installation', 999)
  const debt = () => mayfly.get<{ measured: string; pods: number; groups: unknown[] }>('/cleanup_debt/')
  const metric = async () => {
    const lines = (await mayfly.api('GET', '/metrics/')).text.split('\n')
    return lines.find((line) => line.startsWith(`mayfly_cleanup_debt_pods{group="${name}"}`))
  }
  // A dry run says what it would do and why, younger than the grace time or not, and does nothing.
  const due = await until({ what: 'the orphan to be due', seconds: 180, everyMs: 500 }, async () => {
    const pass = await rehearse()
    expect(pass).toMatchObject({ dry_run: true, trigger: 'manual', report: { omitted: 0 } })
    expect(pass.report.clusters).toMatchObject([{ pods: 1, error: '' }])
    expect(pass.report.findings).toMatchObject([
      { kind: 'pod', pod: 'orphan', namespace: mayfly.kubernetesNamespace, job: 999, reason: 'no_owner' },
    ])
    return pass.report.findings[0]?.outcome === 'due' ? pass : undefined
  })
  expect(due.report.debt).toMatchObject([{ instance_group: group, pods: 1 }])
  const orphan = { name: 'orphan', namespace: mayfly.kubernetesNamespace }
  const { metadata } = await clusterAdmin(mayfly.stack).readNamespacedPod(orphan)
  expect(metadata?.deletionTimestamp).toBeUndefined()
  expect(await debt()).toMatchObject({ pods: 1, groups: [{ instance_group: group, name, pods: 1 }], unreachable: [] })
  expect(await metric()).toMatch(/ 1\.0$/)

  const real = await mayfly.post<Pass>('/reaper/', { dry_run: false })
  expect(real.report.findings).toMatchObject([{ pod: 'orphan', outcome: 'done' }])
  await pods.until('no orphan', () => !pods.pods.has('orphan'))
  expect(await debt()).toMatchObject({ measured: expect.any(String), pods: 0, seconds: 0, groups: [] })
  expect(await metric()).toMatch(/ 0\.0$/)
  expect(pods.pods.get('foreign')?.metadata).toMatchObject({ name: 'foreign' })
  expect(pods.pods.get('foreign')?.metadata?.deletionTimestamp).toBeUndefined()
  await deletePod('foreign')
})

test("a pod of another installation that has our pod's name stays, and the job takes the next name", async () => {
  const [ids] = await witness.query<{ last: string | null }>(
    `SELECT pg_sequence_last_value(pg_get_serial_sequence('unified_jobs', 'id')::regclass) AS last`,
  )
  const job = Number(ids?.last ?? 0) + 1
  const taken = `automation-job-${job}-1`
  await makePod(taken, 'another-installation', job)
  expect(await scene.run('quick')).toBe(job)
  expect(await scene.ended(job)).toMatchObject({ status: 'successful', job_explanation: '' })
  const next = `automation-job-${job}-2`
  await pods.until('the pod of the next name', () => pods.states.some((pod) => pod.metadata?.name === next))
  expect(pods.statesOf(job).every((pod) => [taken, next].includes(pod.metadata?.name ?? ''))).toBe(true)
  expect(pods.pods.get(taken)?.metadata).toMatchObject({ name: taken })
  expect(pods.pods.get(taken)?.metadata?.deletionTimestamp).toBeUndefined()
  await deletePod(taken)
})

test('row 48: a job whose row was deleted while it ran', async () => {
  const job = await scene.run('hold')
  await scene.printed(job, 'has begun')
  await witness.query('DELETE FROM unified_jobs WHERE id = $1', job)
  const reaped = async () => (await operator.reap()).podsDeleted === 1
  await until({ what: 'the pod of the deleted job to be reaped', seconds: 180, everyMs: 500 }, reaped)
  await pods.until(`no pod of job ${job}`, () => !pods.has(job))
  await operator
    .workflow(job)
    .result()
    .catch(() => {})
  expect((await operator.describe(job)).status.name).toBe('FAILED')
})

test('a workflow that was terminated before its job had a pod', async () => {
  const group = await scene.group({ max_concurrent_jobs: 1 })
  const template = await scene.template('hold', { group })
  const first = await scene.launch(template)
  await scene.printed(first, 'has begun')
  const second = await scene.launch(template)
  await until({ what: 'the second job to queue', seconds: 180, everyMs: 200 }, async () =>
    (await operator.history(second)).some(({ activity }) => activity === 'admit'),
  )
  await operator.terminate(second)
  const planned = async () => {
    const { findings } = (await rehearse()).report
    return findings.some(({ kind, job, reason }) => kind === 'job' && job === second && reason === 'workflow_gone')
  }
  await until({ what: 'the second job to be found by a dry run', seconds: 180, everyMs: 500 }, planned)
  expect(await scene.job(second)).toMatchObject({ status: 'pending' })
  const ended = async () => (await operator.reap()).jobsEnded === 1
  await until({ what: 'the second job to be ended', seconds: 180, everyMs: 500 }, ended)
  expect(await scene.job(second)).toMatchObject({
    status: 'error',
    job_explanation: 'The workflow of this job was terminated in Temporal.',
  })
  expect(pods.statesOf(second)).toEqual([])
  expect(await scene.job(first)).toMatchObject({ status: 'running' })
  await scene.cancel(first)
  expect(await scene.ended(first)).toMatchObject({ status: 'canceled' })
})

test('a worker and its workflow that are killed while the pod is being deleted', async () => {
  const job = await scene.run('gated')
  await scene.printed(job, 'has begun')
  const name = `automation-job-${job}-1`
  const namespace = mayfly.kubernetesNamespace
  const core = clusterAdmin(mayfly.stack)
  const setFinalizers = async (finalizers: string[]) => {
    const body = await core.readNamespacedPod({ name, namespace })
    const metadata = { ...body.metadata, finalizers }
    await core.replaceNamespacedPod({ name, namespace, body: { ...body, metadata } })
    return true
  }
  // The kubelet writes to the pod as well, so either may have to be tried again.
  await until({ what: 'the pod to be held', seconds: 180 }, () => setFinalizers(['mayfly.dev/test']))
  await letGo(mayfly, job)
  await pods.until(`${name} to be deleted`, () => !!pods.pods.get(name)?.metadata?.deletionTimestamp)
  await mayfly.kill9('worker')
  await operator.terminate(job)
  await until({ what: 'the pod to be let go', seconds: 180 }, () => setFinalizers([]))
  await mayfly.start('worker')
  expect(await scene.job(job)).toMatchObject({ status: 'successful' })
  const released = async () => (await operator.reap()).attemptsReleased === 1
  await until({ what: 'the place to be given back', seconds: 180, everyMs: 500 }, released)
  expect(await scene.job(job)).toMatchObject({ status: 'successful', job_explanation: '' })
  await pods.until(`no pod of job ${job}`, () => !pods.has(job))
})

test('the pod of a test stays while the test is under way, and goes when nobody will end it any more', async () => {
  const group = await scene.group({})
  const rows = await witness.query<{ id: number }>(
    `INSERT INTO preflight_reports (instance_group_id, trigger, created)
     VALUES ($1, 'manual', now()), ($1, 'manual', now() - interval '1 hour') RETURNING id`,
    group,
  )
  const [alive, dead] = rows.map(({ id }) => String(id))
  await makePod('test-alive', installUuid, 998, mayfly, { [podLabels.preflight]: alive })
  await makePod('test-dead', installUuid, 998, mayfly, { [podLabels.preflight]: dead })
  const deleted = async () => (await operator.reap()).podsDeleted === 1
  await until({ what: 'the pod of the dead test to be deleted', seconds: 180, everyMs: 500 }, deleted)
  await pods.until('no pod of the dead test', () => !pods.pods.has('test-dead'))
  expect(pods.pods.get('test-alive')?.metadata?.deletionTimestamp).toBeUndefined()
  await deletePod('test-alive')
})

test('keys of launches are forgotten after a day', async () => {
  await witness.query(`INSERT INTO idempotency_keys (key_hash, request_hash, job_id, ignored_fields, created)
    VALUES ('old', '', 1, '{}', now() - interval '25 hours'), ('new', '', 1, '{}', now() - interval '23 hours')`)
  expect(await operator.reap()).toMatchObject({ keysForgotten: 1 })
  expect(await witness.query('SELECT key_hash FROM idempotency_keys')).toEqual([{ key_hash: 'new' }])
})

test('nothing is left, and the worker has no complaint', () => expectNothingLeft(mayfly))

test('row 48: a pod ends by its own deadline when no controller is alive; the schedule alone deletes a pod of no job', async () => {
  const { brief, stage, watched, job } = await uncontrolled
  // After the deadline the runner is told to stop, and has the pod's whole grace time.
  await until({ what: 'the pod to reach its deadline', seconds: 180 }, () =>
    watched.pods.some(({ status }) => status?.reason === 'DeadlineExceeded'),
  )
  await makePod('orphan', await installOf(brief), 999, brief)
  await brief.start('worker')
  const { status, job_explanation } = await stage.ended(job)
  expect({ status, job_explanation }).toEqual({ status: 'error', job_explanation: expect.stringMatching(/deadline/i) })
  expect(await stage.stdout(job)).toContain('has begun')
  await watched.expectNothingLeft()
  await expectNothingLeft(brief)
})
