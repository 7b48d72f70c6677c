import type { ServerResponse } from 'node:http'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { json, ScriptedApiServer } from '../../kubernetes/testing/api-server.ts'
import { type AllowanceWatch, watchAllowance } from './allowance-watch.ts'

const wait = { timeout: 60_000 }
let server: ScriptedApiServer
let watched: AllowanceWatch
let changes = 0
/** What lists show, by resource. */
let items: Record<string, object[]>
/** Watches that are open, by resource. */
let open: Map<string, ServerResponse>

const named = (name: string, resourceVersion: number) => ({
  metadata: { name, namespace: 'jobs', uid: name, resourceVersion: String(resourceVersion) },
})

beforeEach(async () => {
  changes = 0
  items = { resourcequotas: [], limitranges: [named('defaults', 5)] }
  open = new Map()
  server = await ScriptedApiServer.start()
  server.answer = (request, response) => {
    const url = new URL(request.url ?? '', 'http://x')
    const resource = url.pathname.split('/').at(-1) ?? ''
    if (!url.searchParams.has('watch')) {
      return json(response, 200, { kind: 'List', items: items[resource], metadata: { resourceVersion: '100' } })
    }
    response.writeHead(200, { 'content-type': 'application/json' })
    response.flushHeaders()
    open.set(resource, response)
    response.once('close', () => open.get(resource) === response && open.delete(resource))
  }
})
afterEach(async () => {
  await watched.stop()
  await server.stop()
})

const begin = () => {
  watched = watchAllowance(server.cluster, 'jobs', { onChange: () => changes++, onError: () => {} })
}
const tell = (type: string, object: object) =>
  open.get('resourcequotas')?.write(`${JSON.stringify({ type, object })}\n`)

test('limit ranges are watched from the first quota to the last', async () => {
  begin()
  await vi.waitFor(() => expect([...open.keys()]).toEqual(['resourcequotas']), wait)
  tell('ADDED', named('small', 101))
  await vi.waitFor(() => expect([...open.keys()].sort()).toEqual(['limitranges', 'resourcequotas']), wait)
  expect(watched.allowance.quotas).toHaveLength(1)
  expect(watched.allowance.limitRanges).toMatchObject([{ metadata: { name: 'defaults' } }])
  const before = changes
  tell('DELETED', named('small', 102))
  await vi.waitFor(() => expect([...open.keys()]).toEqual(['resourcequotas']), wait)
  expect(changes).toBeGreaterThan(before)
  expect(watched.allowance).toEqual({ quotas: [], limitRanges: null })
})

test('a quota that was there before is reckoned with limit ranges as soon as both are read', async () => {
  items.resourcequotas = [named('small', 50)]
  begin()
  await vi.waitFor(() => expect(watched.allowance.limitRanges).toHaveLength(1), wait)
  expect(watched.allowance.quotas).toHaveLength(1)
})
