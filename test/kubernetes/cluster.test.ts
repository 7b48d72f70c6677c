/** What a real API server answers, as typed errors. */
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { until } from '../../dev/wait.ts'
import { type Cluster, openCluster } from '../../kubernetes/cluster.ts'
import { readKubeconfig } from '../../kubernetes/kubeconfig.ts'
import { targetFromCredential } from '../../kubernetes/target.ts'
import { clusterAdmin } from '../setup/cluster-admin.ts'
import { stackTarget } from '../setup/own-places.ts'
import { tokenWith } from '../setup/service-account.ts'
import { Place } from './place.ts'

let place: Place
let host: string
let ca: string
beforeAll(async () => {
  const stack = inject('stack')
  place = await Place.open(stack, `cluster-${process.pid}`)
  const { url, tls } = readKubeconfig(stackTarget(stack))
  host = url.href
  ca = tls.ca ?? ''
})
afterAll(() => place.undo.all())

/** A cluster as somebody with these verbs on pods and nothing else. */
async function clusterOf(name: string, verbs: string[], inputs: object = {}): Promise<Cluster> {
  const { namespace: kubernetesNamespace, stack } = place
  const rules = verbs.length > 0 ? [{ resources: ['pods'], verbs }] : []
  const token = await tokenWith({ kubernetesNamespace, stack }, name, rules)
  const cluster = openCluster(targetFromCredential({ host, bearer_token: token, ssl_ca_cert: ca, ...inputs }))
  place.undo.add(async () => cluster.close())
  return cluster
}

describe('who may what', () => {
  test('no right: verb, resource and namespace are named, for requests and exec', async () => {
    const cluster = await clusterOf('nobody', [])
    const { namespace } = place
    await expect(cluster.createPod(namespace, place.manifest())).rejects.toMatchObject({
      name: 'ForbiddenError',
      verb: 'create',
      resource: 'pods',
      namespace,
    })
    await expect(cluster.listPods(null, '')).rejects.toMatchObject({
      name: 'ForbiddenError',
      verb: 'list',
      namespace: '',
    })
    await expect(cluster.exec(namespace, 'any', 'worker', ['true'])).rejects.toMatchObject({
      name: 'ForbiddenError',
      resource: 'pods/exec',
    })
    expect(await cluster.podEvents(namespace, 'any')).toEqual([])
  })

  test('a right of its own', async () => {
    const cluster = await clusterOf('reader', ['list'])
    expect(await until({ what: 'the role', seconds: 180 }, () => cluster.listPods(place.namespace, ''))).toEqual([])
  })

  test('a wrong token, for requests and exec', async () => {
    const cluster = openCluster(targetFromCredential({ host, bearer_token: 'wrong', ssl_ca_cert: ca }))
    await expect(cluster.listPods(place.namespace, '')).rejects.toMatchObject({ name: 'UnauthorizedError' })
    await expect(cluster.exec(place.namespace, 'x', 'worker', ['true'])).rejects.toMatchObject({
      name: 'UnauthorizedError',
    })
    cluster.close()
  })

  test('a certificate authority pasted with its line breaks lost', async () => {
    const cluster = await clusterOf('pasted', [], { ssl_ca_cert: ca.replaceAll('\n', '\\n') })
    await expect(cluster.listPods(place.namespace, '')).rejects.toMatchObject({ name: 'ForbiddenError' })
  })

  test.each([
    ['another authority', { ssl_ca_cert: 'system' }],
    ['no authority: the system’s roots', { ssl_ca_cert: '' }],
  ])('%s, for requests and exec', async (_name, inputs) => {
    const roots = readFileSync('/etc/ssl/certs/ca-certificates.crt', 'utf8')
    const other = inputs.ssl_ca_cert ? roots.slice(0, roots.indexOf('-----END CERTIFICATE-----') + 26) : ''
    const cluster = openCluster(targetFromCredential({ host, bearer_token: 'x', ssl_ca_cert: other }))
    await expect(cluster.listPods(place.namespace, '')).rejects.toMatchObject({ name: 'TlsError' })
    await expect(cluster.exec(place.namespace, 'x', 'worker', ['true'])).rejects.toMatchObject({ name: 'TlsError' })
    cluster.close()
  })
})

describe('what does not exist', () => {
  test('a namespace', async () => {
    await expect(place.cluster.createPod('no-such', place.manifest())).rejects.toMatchObject({
      name: 'InvalidObjectError',
    })
    const manifest = place.manifest('metadata: {namespace: no-such}')
    await expect(place.cluster.createPod('no-such', manifest)).rejects.toMatchObject({
      name: 'NotFoundError',
      what: 'namespace',
    })
    await expect(place.cluster.getNamespace('no-such')).rejects.toMatchObject({ what: 'namespace' })
  })

  test('a pod', async () => {
    await expect(place.cluster.getPod(place.namespace, 'none')).rejects.toMatchObject({
      name: 'NotFoundError',
      what: 'object',
    })
    await expect(place.cluster.exec(place.namespace, 'none', 'worker', ['true'])).rejects.toMatchObject({
      name: 'NotFoundError',
    })
    expect(await place.cluster.deletePod(place.namespace, 'none', { uid: 'u' })).toBe('gone')
  })
})

describe('a pod', () => {
  test('is created once, and deleted only under its own uid', async () => {
    const manifest = place.manifest()
    const pod = await place.cluster.createPod(place.namespace, manifest)
    await expect(place.cluster.createPod(place.namespace, manifest)).rejects.toMatchObject({
      name: 'AlreadyExistsError',
    })
    const { name, uid } = pod.metadata
    expect(await place.cluster.deletePod(place.namespace, name, { uid: 'another' })).toBe('gone')
    expect((await place.cluster.getPod(place.namespace, name)).metadata.uid).toBe(uid)
    await until(
      { what: 'the pod to be on a node', seconds: 180 },
      async () => (await place.cluster.getPod(place.namespace, name)).spec.nodeName,
    )
    expect(await place.cluster.deletePod(place.namespace, name, { uid, graceSeconds: 1 })).toBe('deleting')
    expect(await place.cluster.deletePod(place.namespace, name, { uid, graceSeconds: 0 })).toBe('gone')
    await expect(place.cluster.getPod(place.namespace, name)).rejects.toMatchObject({ name: 'NotFoundError' })
  })

  test('that no node takes is removed at once', async () => {
    const { name, uid } = await place.pod('spec: {nodeSelector: {no: such-node}}')
    expect(await place.cluster.deletePod(place.namespace, name, { uid })).toBe('gone')
  })

  test('is found by its labels, in one namespace and in all', async () => {
    const { name } = await place.pod('', { labels: { 'mayfly.dev/test': 'found' } })
    const names = async (namespace: string | null) =>
      (await place.cluster.listPods(namespace, 'mayfly.dev/test=found')).map((pod) => pod.metadata.name)
    expect(await names(place.namespace)).toEqual([name])
    expect(await names(null)).toContain(name)
    expect(await names('default')).toEqual([])
  })

  test('that is not there leaves an empty page', async () => {
    const pages: unknown[] = []
    for await (const page of place.cluster.podPages(place.namespace, 'mayfly.dev/none=of-these')) pages.push(page)
    expect(pages).toEqual([[]])
  })

  test('tells its events', async () => {
    const { name } = await place.pod()
    // Where the node is full for a while, it is not the first one.
    const event = await until({ what: 'events', seconds: 180 }, async () =>
      (await place.cluster.podEvents(place.namespace, name)).find(({ reason }) => reason === 'Scheduled'),
    )
    expect(event).toMatchObject({ type: 'Normal', message: expect.any(String) })
  })
})

test.each([
  ['an invalid image name is not known to the API server, an empty one is', { image: '' }, '', /image: Required value/],
  ['a service account that is missing', {}, 'spec: {serviceAccountName: nope}', /serviceaccount "nope" not found/],
  ['a wrong label', { labels: { 'a b': 'c' } }, '', /Invalid value: "a b"/],
])('%s', async (_name, more, override, message) => {
  await expect(place.cluster.createPod(place.namespace, place.manifest(override, more))).rejects.toMatchObject({
    name: 'InvalidObjectError',
    message: expect.stringMatching(message),
  })
})

test('a pull secret is created, changed and deleted, each repeatable', async () => {
  const { cluster, namespace } = place
  const secret = (password: string) => ({ metadata: { name: 'pull' }, type: 'Opaque', stringData: { password } })
  await cluster.createOrUpdateSecret(namespace, secret('one'))
  await cluster.createOrUpdateSecret(namespace, secret('two'))
  const read = await clusterAdmin(place.stack).readNamespacedSecret({ namespace, name: 'pull' })
  expect(Buffer.from(read.data?.password ?? '', 'base64').toString()).toBe('two')
  await cluster.deleteSecret(namespace, 'pull')
  await cluster.deleteSecret(namespace, 'pull')
})

describe('limits of a namespace', () => {
  let limited: Place
  beforeAll(async () => {
    limited = await Place.open(inject('stack'), `limited-${process.pid}`)
    const core = clusterAdmin(limited.stack)
    const { namespace } = limited
    await core.createNamespacedResourceQuota({
      namespace,
      body: { metadata: { name: 'few' }, spec: { hard: { pods: '2', 'requests.memory': '1Gi' } } },
    })
    await core.createNamespacedLimitRange({
      namespace,
      body: { metadata: { name: 'small' }, spec: { limits: [{ type: 'Container', max: { memory: '4Gi' } }] } },
    })
    await until(
      { what: 'the quota to be counted', seconds: 180 },
      async () => (await limited.cluster.getResourceQuotas(namespace))[0]?.status?.used?.pods,
    )
  })
  afterAll(() => limited.undo.all())

  const memory = (amount: string) =>
    `spec: {containers: [{resources: {requests: {memory: ${amount}}, limits: {memory: ${amount}}}}]}`

  test('a quota that can never be met', async () => {
    await expect(limited.cluster.createPod(limited.namespace, limited.manifest(memory('2Gi')))).rejects.toMatchObject({
      name: 'QuotaExceededError',
      quota: 'few',
      neverFits: true,
      requested: { 'requests.memory': '2Gi' },
      limited: { 'requests.memory': '1Gi' },
    })
  })

  test('a LimitRange', async () => {
    await expect(limited.cluster.createPod(limited.namespace, limited.manifest(memory('5Gi')))).rejects.toMatchObject({
      name: 'InvalidObjectError',
    })
  })

  test('eight pods at once into a quota of two: two come in, and the others are told why', async () => {
    const answers = await Promise.allSettled(
      Array.from({ length: 8 }, () => limited.cluster.createPod(limited.namespace, limited.manifest(memory('100Mi')))),
    )
    expect(answers.filter(({ status }) => status === 'fulfilled')).toHaveLength(2)
    for (const answer of answers) {
      if (answer.status === 'fulfilled') continue
      expect(['QuotaExceededError', 'QuotaBusyError']).toContain(answer.reason.name)
      if (answer.reason.name === 'QuotaExceededError')
        expect(answer.reason).toMatchObject({ neverFits: false, quota: 'few', used: { pods: '2' } })
    }
  })

  test('a namespace that is being deleted', async () => {
    const core = clusterAdmin(limited.stack)
    const name = `ending-${process.pid}`
    await core.createNamespace({ body: { metadata: { name } } })
    await core.createNamespacedConfigMap({
      namespace: name,
      body: { metadata: { name: 'hold', finalizers: ['mayfly.dev/test'] } },
    })
    await core.deleteNamespace({ name })
    await expect(
      limited.cluster.createPod(name, limited.manifest(`metadata: {namespace: ${name}}`)),
    ).rejects.toMatchObject({ name: 'NotFoundError', what: 'namespace' })
    const hold = { metadata: { name: 'hold' } }
    await core.replaceNamespacedConfigMap({ namespace: name, name: 'hold', body: hold })
  })
})
