import type { ServerResponse } from 'node:http'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Pod } from './objects.ts'
import { json, ScriptedApiServer } from './testing/api-server.ts'
import { type Watch, type WatchEvent, watchObjects } from './watch.ts'

let server: ScriptedApiServer
let watch: Watch<Pod> | null = null
const told: string[] = []
const errors: unknown[] = []
let lists: string[] = []
let watches: URL[] = []
/** What the next list shows. */
let items: object[] = []
/** Open watch responses, oldest first. */
let streams: ServerResponse[] = []
let refuseWatch: { status: number; body: object; once?: boolean } | null = null
let version = 100

const pod = (name: string, resourceVersion: number, more: object = {}) => ({
  metadata: { name, namespace: 'jobs', uid: `${name}-1`, resourceVersion: String(resourceVersion), ...more },
  spec: {},
})

beforeEach(async () => {
  told.length = errors.length = 0
  lists = []
  watches = []
  items = []
  streams = []
  refuseWatch = null
  version = 100
  server = await ScriptedApiServer.start()
  server.answer = (request, response) => {
    const url = new URL(request.url ?? '', 'http://x')
    if (!url.searchParams.has('watch')) {
      lists.push(url.pathname + url.search)
      json(response, 200, { kind: 'PodList', items, metadata: { resourceVersion: String(version) } })
      return
    }
    watches.push(url)
    if (refuseWatch) {
      const { status, body, once } = refuseWatch
      if (once) refuseWatch = null
      return json(response, status, body)
    }
    response.writeHead(200, { 'content-type': 'application/json' })
    response.flushHeaders()
    streams.push(response)
  }
})
afterEach(async () => {
  vi.useRealTimers()
  await watch?.stop()
  watch = null
  await server.stop()
})

function begin(onEvent: (event: WatchEvent<Pod>) => void = () => {}, timing = {}): Watch<Pod> {
  watch = watchObjects<Pod>(server.cluster, {
    resource: 'pods',
    namespace: 'jobs',
    labelSelector: 'app=x',
    onEvent: (event) => {
      told.push(
        event.type === 'synced'
          ? 'synced'
          : `${event.type} ${event.object.metadata.name}@${event.object.metadata.resourceVersion}`,
      )
      onEvent(event)
    },
    onError: (error) => errors.push(error),
    timing: { firstBackOffMs: 5, lastBackOffMs: 20, ...timing },
  })
  return watch
}
const send = (type: string, object: object, stream = streams.at(-1)) =>
  stream?.write(`${JSON.stringify({ type, object })}\n`)
const eventually = (assertion: () => void) => vi.waitFor(assertion, 60_000)
const watchNumber = (count: number) => eventually(() => expect(streams).toHaveLength(count))
const toldAll = (...expected: string[]) => eventually(() => expect(told).toEqual(expected))

test('lists, then watches from there, and knows what is', async () => {
  items = [pod('a', 1), pod('b', 2)]
  const { objects, whenSynced } = begin()
  await whenSynced()
  expect(told).toEqual(['added a@1', 'added b@2', 'synced'])
  await watchNumber(1)
  expect(Object.fromEntries(watches[0]?.searchParams ?? [])).toMatchObject({
    resourceVersion: '100',
    allowWatchBookmarks: 'true',
    labelSelector: 'app=x',
  })
  expect(Number(watches[0]?.searchParams.get('timeoutSeconds'))).toBeGreaterThan(200)
  send('ADDED', pod('c', 101))
  send('MODIFIED', pod('a', 102))
  send('DELETED', pod('b', 103))
  await toldAll('added a@1', 'added b@2', 'synced', 'added c@101', 'modified a@102', 'deleted b@103')
  expect([...objects.keys()]).toEqual(['jobs/a', 'jobs/c'])
})

test('all namespaces, another kind, pages', async () => {
  server.answer = (request, response) => {
    const url = new URL(request.url ?? '', 'http://x')
    lists.push(url.pathname)
    if (url.searchParams.has('watch')) return response.writeHead(200).flushHeaders()
    const first = !url.searchParams.has('continue')
    json(response, 200, {
      items: [pod(first ? 'a' : 'b', 1)],
      metadata: { resourceVersion: '5', continue: first ? 'more' : '' },
    })
  }
  const quotas = watchObjects(server.cluster, { resource: 'resourcequotas', namespace: null, onEvent: () => {} })
  await quotas.whenSynced()
  expect([...quotas.objects.keys()]).toEqual(['jobs/a', 'jobs/b'])
  expect(lists.slice(0, 2)).toEqual(['/api/v1/resourcequotas', '/api/v1/resourcequotas'])
  await quotas.stop()
})

describe('a watch that ends', () => {
  test('by the server goes on from the last bookmark, without a list', async () => {
    begin()
    await watchNumber(1)
    send('BOOKMARK', { metadata: { resourceVersion: '250' } })
    streams[0]?.end()
    await watchNumber(2)
    expect(watches[1]?.searchParams.get('resourceVersion')).toBe('250')
    expect(lists).toHaveLength(1)
    expect(errors).toEqual([])
  })

  test('by a dropped connection lists again and tells what was missed', async () => {
    items = [pod('a', 1), pod('b', 2)]
    begin()
    await watchNumber(1)
    items = [pod('b', 7), pod('c', 8)]
    version = 300
    server.drop()
    await watchNumber(2)
    expect(told).toEqual(['added a@1', 'added b@2', 'synced', 'modified b@7', 'added c@8', 'deleted a@1', 'synced'])
    expect(watches[1]?.searchParams.get('resourceVersion')).toBe('300')
    expect(errors).toMatchObject([{ name: 'UnreachableError' }])
  })

  test.each([
    ['as an event', () => send('ERROR', { kind: 'Status', code: 410, message: 'too old resource version' })],
    [
      'as an answer',
      () => {
        refuseWatch = { status: 410, body: { kind: 'Status', code: 410, message: 'too old' }, once: true }
        streams[0]?.end()
      },
    ],
  ])('with 410 %s lists again', async (_name, fail) => {
    begin()
    await watchNumber(1)
    version = 400
    fail()
    await watchNumber(2)
    expect(watches.at(-1)?.searchParams.get('resourceVersion')).toBe('400')
    expect(errors).toMatchObject([{ name: 'GoneError' }])
  })

  test('by silence is given up', async () => {
    begin(undefined, { silenceMs: 50 })
    // The second is silent as well, and may be the third by now.
    await eventually(() => expect(streams.length).toBeGreaterThanOrEqual(2))
    expect(errors[0]).toMatchObject({ name: 'SilentWatchError' })
    await eventually(() => expect(server.connections).toBeLessThanOrEqual(2))
  })

  test('but not while something comes', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    begin(undefined, { silenceMs: 90_000 })
    await watchNumber(1)
    for (let i = 1; i <= 5; i++) {
      await vi.advanceTimersByTimeAsync(60_000)
      send('ADDED', pod(`p${i}`, 200 + i))
      await eventually(() => expect(told).toHaveLength(1 + i))
    }
    expect(streams).toHaveLength(1)
    expect(errors).toEqual([])
    await vi.advanceTimersByTimeAsync(90_000)
    await eventually(() => expect(errors).toMatchObject([{ name: 'SilentWatchError' }]))
  })

  test('at once, again and again, is not asked for in a tight loop', async () => {
    const times: number[] = []
    server.answer = (request, response) => {
      const isWatch = request.url?.includes('watch=true')
      if (isWatch) times.push(performance.now())
      json(response, 200, isWatch ? '' : { items: [], metadata: { resourceVersion: '1' } })
    }
    begin(undefined, { firstBackOffMs: 100, lastBackOffMs: 100 })
    await eventually(() => expect(times.length).toBeGreaterThanOrEqual(4))
    expect((times[3] ?? 0) - (times[0] ?? 0)).toBeGreaterThan(140)
  })
})

test('a list that fails is repeated, with the error told', async () => {
  const answer = server.answer
  let failures = 0
  server.answer = (request, response, body) => {
    if (failures++ < 3)
      return json(response, 403, {
        kind: 'Status',
        code: 403,
        message: 'pods is forbidden: User "x" cannot list resource "pods" in API group "" in the namespace "jobs"',
      })
    answer(request, response, body)
  }
  const { whenSynced } = begin()
  await whenSynced()
  expect(errors).toMatchObject([
    { name: 'ForbiddenError', verb: 'list' },
    { name: 'ForbiddenError' },
    { name: 'ForbiddenError' },
  ])
})

test('a list is repeated when it is old, after the watch has ended', async () => {
  begin(undefined, { relistMs: 0 })
  await watchNumber(1)
  streams[0]?.end()
  await watchNumber(2)
  expect(lists).toHaveLength(2)
})

test('an object that was replaced by another of its name is told as two', async () => {
  items = [pod('a', 1)]
  begin()
  await watchNumber(1)
  send('MODIFIED', pod('a', 110, { uid: 'a-2' }))
  await toldAll('added a@1', 'synced', 'deleted a@1', 'added a@110')
})

test('events in pieces and characters cut in two are put together', async () => {
  begin()
  await watchNumber(1)
  const bytes = Buffer.from(`${JSON.stringify({ type: 'ADDED', object: pod('a', 110, { labels: { x: 'grüße' } }) })}\n`)
  for (const byte of bytes) streams[0]?.write(Buffer.of(byte))
  await toldAll('synced', 'added a@110')
  expect(watch?.objects.get('jobs/a')?.metadata.labels).toEqual({ x: 'grüße' })
})

test('a callback that throws stops nothing', async () => {
  items = [pod('a', 1)]
  begin((event) => {
    throw new Error(`no ${event.type}`)
  })
  await watchNumber(1)
  send('ADDED', pod('b', 110))
  await toldAll('added a@1', 'synced', 'added b@110')
  expect(errors.map(String)).toEqual(['Error: no added', 'Error: no synced', 'Error: no added'])
})

describe('stop', () => {
  test('leaves no connection and tells nothing more', async () => {
    items = [pod('a', 1)]
    const { whenSynced, stop } = begin()
    await whenSynced()
    await watchNumber(1)
    await stop()
    const before = told.length
    send('ADDED', pod('b', 110))
    await eventually(() => expect(streams[0]?.destroyed).toBe(true))
    expect(told).toHaveLength(before)
    expect(watches).toHaveLength(1)
  })

  test('during the back-off ends it', async () => {
    server.answer = (_request, response) => json(response, 500, {})
    const { whenSynced, stop } = begin(undefined, { firstBackOffMs: 60_000, lastBackOffMs: 60_000 })
    await eventually(() => expect(errors).toHaveLength(1))
    const synced = whenSynced()
    await stop()
    await expect(synced).rejects.toThrow('stopped')
  })
})
