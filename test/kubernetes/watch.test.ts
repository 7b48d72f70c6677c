/** Watching a real API server. */
import { afterAll, afterEach, beforeAll, expect, inject, test, vi } from 'vitest'
import type { Pod, ResourceQuota } from '../../kubernetes/objects.ts'
import { unschedulableMessage } from '../../kubernetes/pod-state.ts'
import { type Watch, type WatchEvent, watchObjects } from '../../kubernetes/watch.ts'
import { clusterAdmin } from '../setup/cluster-admin.ts'
import { Place } from './place.ts'

let place: Place
const watches: { stop(): Promise<void> }[] = []
beforeAll(async () => {
  place = await Place.open(inject('stack'), `watch-${process.pid}`)
})
afterEach(async () => {
  for (const watch of watches.splice(0)) await watch.stop()
})
afterAll(() => place.undo.all())

function watchPods(events: WatchEvent<Pod>[], timing = {}): Watch<Pod> {
  const watch = watchObjects<Pod>(place.viaProxy, {
    resource: 'pods',
    namespace: place.namespace,
    labelSelector: 'mayfly.dev/test=yes',
    onEvent: (event) => events.push(event),
    timing,
  })
  watches.push(watch)
  return watch
}

const notScheduled = 'spec: {nodeSelector: {no: such-node}}'

test('a pod’s life is told, and the map follows', async () => {
  const events: WatchEvent<Pod>[] = []
  const watch = watchPods(events)
  await watch.whenSynced()
  const pod = await place.pod(notScheduled)
  const key = `${place.namespace}/${pod.name}`
  await vi.waitFor(() => expect(unschedulableMessage(watch.objects.get(key) as Pod)).toMatch(/nodes are available/), {
    timeout: 120_000,
  })
  await place.pod(notScheduled, { labels: { 'mayfly.dev/test': 'no' } })
  await place.cluster.deletePod(place.namespace, pod.name, { uid: pod.uid })
  await vi.waitFor(
    () => expect(events.at(-1)).toMatchObject({ type: 'deleted', object: { metadata: { uid: pod.uid } } }),
    { timeout: 120_000 },
  )
  expect(events[0]).toEqual({ type: 'synced' })
  expect(new Set(events.flatMap((event) => ('object' in event ? [event.object.metadata.name] : [])))).toEqual(
    new Set([pod.name]),
  )
  expect(watch.objects.size).toBe(0)
})

test('nothing is missed while watches end every second and connections are cut', async () => {
  const events: WatchEvent<Pod>[] = []
  const watch = watchPods(events, { watchMs: 1_000 })
  await watch.whenSynced()
  const made: string[] = []
  for (let i = 0; i < 30; i++) {
    const pod = await place.pod(notScheduled)
    made.push(pod.name)
    if (i % 7 === 3) place.proxy.cut()
    await vi.waitFor(() => expect(watch.objects.has(`${place.namespace}/${pod.name}`)).toBe(true), { timeout: 120_000 })
    if (i % 2) await place.cluster.deletePod(place.namespace, pod.name, { uid: pod.uid })
  }
  await vi.waitFor(() => expect(watch.objects.size).toBe(15), { timeout: 120_000 })
  const told = (type: string) =>
    events.flatMap((event) => (event.type === type && 'object' in event ? [event.object.metadata.name] : []))
  expect(told('added')).toEqual(made)
  expect(told('deleted')).toEqual(made.filter((_, i) => i % 2))
})

test('a frozen connection is given up and what happened meanwhile is told', async () => {
  const events: WatchEvent<Pod>[] = []
  const watch = watchPods(events, { silenceMs: 1_500 })
  await watch.whenSynced()
  const before = await place.pod(notScheduled)
  await vi.waitFor(() => expect(watch.objects.has(`${place.namespace}/${before.name}`)).toBe(true), {
    timeout: 120_000,
  })
  place.proxy.freeze()
  const { name } = await place.pod(notScheduled)
  await vi.waitFor(() => expect(watch.objects.has(`${place.namespace}/${name}`)).toBe(true), { timeout: 120_000 })
})

test('a quota’s numbers are told as they change, and stop() leaves no connection', async () => {
  const events: WatchEvent<ResourceQuota>[] = []
  const watch = watchObjects<ResourceQuota>(place.viaProxy, {
    resource: 'resourcequotas',
    namespace: place.namespace,
    onEvent: (event) => events.push(event),
  })
  watches.push(watch)
  await watch.whenSynced()
  const { namespace } = place
  await clusterAdmin(place.stack).createNamespacedResourceQuota({
    namespace,
    body: { metadata: { name: 'q' }, spec: { hard: { 'count/pods': '99' } } },
  })
  await vi.waitFor(
    () => expect(Number(watch.objects.get(`${namespace}/q`)?.status?.used?.['count/pods'])).toBeGreaterThanOrEqual(0),
    { timeout: 120_000 },
  )
  await watch.stop()
  watches.length = 0
  place.viaProxy.close()
  await vi.waitFor(() => expect(place.proxy.connections).toBe(0), { timeout: 120_000 })
})
