/** Pods that come to nothing, as a real kubelet tells it. Runs them all at once: waiting is most of it. */
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { until } from '../../dev/wait.ts'
import { PodEndedError, PodNotStartingError } from '../../kubernetes/pod-errors.ts'
import { followFate } from '../../kubernetes/pod-state.ts'
import { wrapperArgs } from '../../kubernetes/scripts.ts'
import { deliverPayload } from '../../kubernetes/spool.ts'
import type { CauseKind } from '../../model/cause.ts'
import type { ManifestInput } from '../../model/pod-template-types.ts'
import { Place } from './place.ts'

let place: Place
beforeAll(async () => {
  place = await Place.open(inject('stack'), `fate-${process.pid}`)
})
afterAll(() => place.undo.all())

const worker = (fields: string) => `spec: {containers: [{name: worker, ${fields}}]}`

const fates: [string, string, Partial<ManifestInput>, CauseKind, RegExp][] = [
  ['an invalid image name', '', { image: 'Not An Image' }, 'image_not_pullable', /name Not An Image is not valid/],
  [
    'an image that is nowhere and must not be pulled',
    '',
    { image: 'mayfly.local/none:1', pull: 'never' },
    'image_not_pullable',
    /mayfly.local\/none:1 is not on the node/,
  ],
  [
    'a secret that does not exist',
    worker('env: [{name: A, valueFrom: {secretKeyRef: {name: none, key: a}}}]'),
    {},
    'container_not_created',
    /CreateContainerConfigError.*secret "none" not found/,
  ],
  ['an image without shell', '', { args: ['no-such-shell', '-c', 'x'] }, 'image_without_runner', /no-such-shell/],
  ['args that end with 127', '', { args: ['sh', '-c', 'exit 127'] }, 'image_without_runner', /exit code 127/],
  [
    'memory',
    worker('resources: {requests: {memory: 16Mi}, limits: {memory: 16Mi}}'),
    { args: ['sh', '-c', 'exec tail /dev/zero'] },
    'out_of_memory',
    /memory limit is 16Mi/,
  ],
  ['its deadline', '', { activeDeadlineSeconds: 2 }, 'pod_deadline_exceeded', /longer than it may/],
  [
    'its init container',
    'spec: {initContainers: [{name: prepare, image: IMAGE, imagePullPolicy: IfNotPresent, args: [sh, -c, exit 4]}]}',
    {},
    'pod_failed',
    /init container prepare failed with exit code 4/,
  ],
  [
    'nobody bringing work',
    '',
    { args: wrapperArgs(undefined, { deliverySeconds: 1 }) },
    'pod_failed',
    /nobody brought it work/,
  ],
]

test.concurrent.each(fates)('%s', async (_name, override, more, kind, message) => {
  const pod = await place.pod(override.replace('IMAGE', place.stack.image), more)
  const follow = followFate()
  const fate = await until({ what: 'the fate', seconds: 180, everyMs: 200 }, async () => {
    const found = follow(await place.cluster.getPod(pod.namespace, pod.name), Date.now())
    return found.state === 'ended' || found.state === 'failed-to-start' ? found : undefined
  })
  expect(fate.cause).toMatchObject({ kind, message: expect.stringMatching(message) })
})

test.concurrent('a delivery ends with the cause of a pod that cannot start', async () => {
  const pod = await place.pod('', { image: 'mayfly.local/none:1', pull: 'never' })
  const delivery = deliverPayload(place.cluster, pod, Buffer.from('x'), 1, AbortSignal.timeout(300_000))
  const error = await delivery.catch((caught) => caught)
  expect(error).toBeInstanceOf(PodNotStartingError)
  expect(error.toCause()).toMatchObject({ kind: 'image_not_pullable' })
})

test.concurrent('a delivery ends with the cause of a pod that ended', async () => {
  const pod = await place.pod('', { args: ['sh', '-c', 'exit 126'] })
  const error = await deliverPayload(place.cluster, pod, Buffer.from('x'), 1, AbortSignal.timeout(300_000)).catch(
    (caught) => caught,
  )
  expect(error).toBeInstanceOf(PodEndedError)
  expect(error.toCause()).toMatchObject({ kind: 'image_without_runner' })
})

test.concurrent('an eviction names what was exceeded', async () => {
  const override = `
spec:
  volumes: [{name: small, emptyDir: {sizeLimit: 1Mi}}]
  containers: [{name: worker, volumeMounts: [{name: small, mountPath: /small}]}]
`
  const pod = await place.pod(override, { args: ['sh', '-c', 'head -c 5000000 /dev/zero >/small/x; sleep 200'] })
  const fate = await until({ what: 'the eviction', seconds: 180, everyMs: 1000 }, async () => {
    const found = followFate()(await place.cluster.getPod(pod.namespace, pod.name), Date.now())
    return found.state === 'ended' ? found : undefined
  })
  expect(fate.cause).toMatchObject({ kind: 'pod_evicted', message: expect.stringMatching(/small.*1Mi/) })
})
