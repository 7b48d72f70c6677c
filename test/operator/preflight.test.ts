/** Whether jobs can run in a container group is told check by check, with what to do about what is wrong. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { until } from '../../dev/wait.ts'
import { readKubeconfig } from '../../kubernetes/kubeconfig.ts'
import { podLabels } from '../../model/attempt.ts'
import type { CheckName, PreflightCheck } from '../../model/preflight.ts'
import { nightlyPreflightsScheduleId } from '../../workflows/names.ts'
import { clusterAdmin } from '../setup/cluster-admin.ts'
import { type Mayfly, startMayfly } from '../setup/mayfly.ts'
import { ownKubernetesNamespace, stackTarget, Undo } from '../setup/own-places.ts'
import { PodRecord } from '../setup/pods.ts'
import { Scene } from '../setup/scene.ts'
import { tokenWith } from '../setup/service-account.ts'
import { expectNothingLeft } from '../setup/tidy.ts'
import { Operator } from './operator.ts'

interface Report {
  id: number
  trigger: string
  run_pod: boolean
  ok: boolean | null
  finished: string | null
  checks: PreflightCheck[]
}

const undo = new Undo()
let mayfly: Mayfly
let scene: Scene
let pods: PodRecord
let operator: Operator
let api: { host: string; ca: string }

beforeAll(async () => {
  // Half a day from now: the night comes when the test says so.
  const nightly = new Date(Date.now() + 43_200_000).toISOString().slice(11, 16)
  mayfly = await startMayfly({ env: { MAYFLY_REAPER_INTERVAL: '86400', MAYFLY_NIGHTLY_TEST: nightly } })
  undo.add(() => mayfly.stop())
  pods = await PodRecord.open(mayfly.stack, mayfly.kubernetesNamespace)
  undo.add(async () => pods.close())
  operator = await Operator.open(mayfly)
  undo.add(() => operator.close())
  scene = await Scene.open(mayfly, { none: '[]' })
  const { url, tls } = readKubeconfig(stackTarget(mayfly.stack))
  api = { host: url.origin, ca: tls.ca ?? '' }
})
afterAll(() => undo.all())

const testOf = (group: number, body: object = { run_pod: false }) =>
  mayfly.post<Report>(`/instance_groups/${group}/test/`, body)
const outcomes = ({ checks }: Report) => Object.fromEntries(checks.map(({ name, outcome }) => [name, outcome]))
const check = ({ checks }: Report, name: CheckName) => checks.find((one) => one.name === name)

/** Expects that this check failed, with such words and such a remedy, that those before it did not, and that those after it were left out. */
function expectFailure(report: Report, name: CheckName, message: RegExp, remedy: RegExp): void {
  expect(check(report, name), JSON.stringify(report.checks)).toMatchObject({
    outcome: 'failed',
    message: expect.stringMatching(message),
    remedy: expect.stringMatching(remedy),
  })
  expect(report.ok).toBe(false)
  const at = report.checks.findIndex((one) => one.name === name)
  expect(report.checks.slice(0, at).filter(({ outcome }) => outcome === 'failed')).toEqual([])
  expect(new Set(report.checks.slice(at + 1).map(({ outcome }) => outcome))).toEqual(new Set(['skipped']))
}

const credentialOf = (bearer_token: string, more: object = {}) =>
  scene.clusterCredential({ host: api.host, verify_ssl: true, ssl_ca_cert: api.ca, bearer_token, ...more })

const allRights = [
  { resources: ['pods'], verbs: ['create', 'get', 'delete', 'list', 'watch'] },
  { resources: ['pods/exec'], verbs: ['get', 'create'] },
  { resources: ['resourcequotas', 'limitranges'], verbs: ['list', 'watch'] },
  { resources: ['events'], verbs: ['list'] },
  { resources: ['secrets'], verbs: ['create', 'update'] },
]

test('a good group passes every check, and its pod is gone', async () => {
  const group = await scene.group({})
  const report = await testOf(group, {})
  expect(report).toMatchObject({ ok: true, trigger: 'manual', run_pod: true, finished: expect.any(String) })
  expect(report.checks.filter(({ outcome }) => outcome !== 'passed' && outcome !== 'warning')).toEqual([])
  expect(check(report, 'reach')?.message).toMatch(/answers, Kubernetes v1\./)
  expect(check(report, 'image')?.message).toMatch(/^The pod ran after \d+\.\d s on node ./)
  expect(check(report, 'deletion')?.outcome).toBe('passed')
  // Asked, since the record may hear of the end later than the worker.
  const labelled = { namespace: mayfly.kubernetesNamespace, labelSelector: podLabels.preflight }
  expect((await clusterAdmin(mayfly.stack).listNamespacedPod(labelled)).items).toEqual([])
  const listed = await mayfly.get<{ count: number; results: Report[] }>(`/instance_groups/${group}/test/`)
  expect(listed.results).toEqual([report])
  expect(await mayfly.get(`/instance_groups/${group}/`)).toMatchObject({
    related: { test: `/api/v2/instance_groups/${group}/test/` },
    summary_fields: { last_test: { id: report.id, ok: true, trigger: 'manual', failed: '' } },
  })
})

test('a service account with all rights, and one that lacks some', async () => {
  const credential = await credentialOf(await tokenWith(mayfly, 'all-rights', allRights))
  const good = await testOf(await scene.group({ credential }))
  expect(good.ok, JSON.stringify(good.checks)).toBe(true)
  expect(outcomes(good)).toMatchObject({ tls: 'passed', identity: 'warning', rights: 'passed', pod: 'passed' })
  expect(outcomes(good)).toMatchObject({ image: 'skipped', exec: 'skipped', deletion: 'skipped' })
  expect(check(good, 'identity')?.message).toContain(`system:serviceaccount:${mayfly.kubernetesNamespace}:all-rights`)

  const few = allRights.slice(0, 1).map(({ resources }) => ({ resources, verbs: ['create', 'get', 'list', 'watch'] }))
  const lacking = await testOf(
    await scene.group({ credential: await credentialOf(await tokenWith(mayfly, 'few', few)) }),
  )
  expectFailure(
    lacking,
    'rights',
    /Missing in namespace .*delete pods .*get pods\/exec/,
    /resources: \[pods\/exec\], verbs: \[get/,
  )
})

test('a credential alone: a wrong token, an unknown authority, nobody there, and another type', async () => {
  const tested = async (id: Promise<number>) => mayfly.post<Report>(`/credentials/${await id}/test/`)
  const sound = await tested(credentialOf(await tokenWith(mayfly, 'credential', allRights)))
  expect(sound, JSON.stringify(sound.checks)).toMatchObject({ ok: true })
  expect(sound.checks.map(({ name }) => name)).toEqual([
    ...['configuration', 'reach', 'tls', 'identity', 'namespace', 'rights'],
  ])
  expectFailure(await tested(credentialOf('wrong')), 'identity', /does not accept the token/, /bearer_token/)
  expectFailure(
    await tested(credentialOf('wrong', { ssl_ca_cert: '' })),
    'tls',
    /trusted certificate authority/,
    /ssl_ca_cert/,
  )
  const named = api.host.replace('127.0.0.1', '127.0.0.2')
  expectFailure(await tested(credentialOf('wrong', { host: named })), 'reach', /Nobody listens/, /port/)
  const unverified = await tested(credentialOf('wrong', { verify_ssl: false, ssl_ca_cert: '' }))
  expect(check(unverified, 'tls')).toMatchObject({ outcome: 'warning', remedy: expect.stringContaining('verify_ssl') })

  const machine = await mayfly.post('/credentials/', {
    name: 'machine',
    credential_type: 1,
    organization: 1,
    inputs: {},
  })
  const refused = await mayfly.api('POST', `/credentials/${machine.id}/test/`, {})
  expect([refused.status, Object.keys(refused.body)]).toEqual([400, ['inputs']])
})

test('a namespace that is missing, a quota without room, a pod that is refused, an image that is not there', async () => {
  const within = (namespace: string, spec: object = {}) => JSON.stringify({ metadata: { namespace }, spec })
  const missing = await testOf(await scene.group({ pod_spec_override: within('mayfly-no-such') }))
  expectFailure(missing, 'namespace', /mayfly-no-such does not exist/, /Create the namespace/)

  const tight = `${mayfly.kubernetesNamespace}-tight`
  await ownKubernetesNamespace(mayfly.stack, tight, undo)
  const body = { metadata: { name: 'tight' }, spec: { hard: { 'requests.cpu': '100m' } } }
  await clusterAdmin(mayfly.stack).createNamespacedResourceQuota({ namespace: tight, body })
  const full = await testOf(await scene.group({ pod_spec_override: within(tight) }), {})
  expectFailure(full, 'quota', /can never fit into quota tight.*250m.*100m/, /Raise quota tight/)

  const refused = await testOf(await scene.group({ pod_spec_override: '{spec: {serviceAccountName: gone}}' }))
  expectFailure(refused, 'pod', /serviceaccount "gone" not found/, /pod spec override/)

  const first = { name: 'first', image: 'mayfly.local/no-such:1', imagePullPolicy: 'Never' }
  const absent = await scene.group({ pod_spec_override: JSON.stringify({ spec: { initContainers: [first] } }) })
  expectFailure(await testOf(absent, {}), 'image', /mayfly\.local\/no-such:1 is not on the node/, /registry/)
})

test('nothing but a container group can be tested, and only by whom it is', async () => {
  const plain = await mayfly.post('/instance_groups/', { name: 'plain' })
  expect((await mayfly.api('POST', `/instance_groups/${plain.id}/test/`, {})).body).toHaveProperty('is_container_group')
  const group = await scene.group({})
  const refused = await mayfly.api('POST', `/instance_groups/${group}/test/`, { run_pod: 'no' })
  expect([refused.status, refused.body]).toEqual([400, { run_pod: ['Must be a valid boolean.'] }])
  await mayfly.post('/users/', { username: 'bob', password: 'long enough for all' })
  const authorization = `Basic ${Buffer.from('bob:long enough for all').toString('base64')}`
  expect((await mayfly.api('POST', `/instance_groups/${group}/test/`, {}, { authorization })).status).toBe(403)
})

test('every night, each container group', async () => {
  const groups = await mayfly.get<{ results: { id: number }[] }>(
    '/instance_groups/?is_container_group=true&page_size=200',
  )
  for (const { id } of groups.results.slice(1)) await mayfly.api('DELETE', `/instance_groups/${id}/`)
  const left = await mayfly.get<{ results: { id: number; name: string }[] }>(
    '/instance_groups/?is_container_group=true',
  )
  await operator.client.schedule.getHandle(nightlyPreflightsScheduleId).trigger()
  for (const { id, name } of left.results) {
    const nightly = await until({ what: `the nightly test of ${name}`, seconds: 180 }, async () => {
      const { results } = await mayfly.get<{ results: Report[] }>(`/instance_groups/${id}/test/`)
      return results.find(({ trigger, finished }) => trigger === 'nightly' && finished)
    })
    const { text } = await mayfly.api('GET', '/metrics/')
    expect(text).toContain(`mayfly_group_test_ok{group="${name}"} ${nightly.ok ? '1.0' : '0.0'}\n`)
  }
})

test('nothing is left, and the worker has no complaint', () => expectNothingLeft(mayfly))
