import { Writable } from 'node:stream'
import { pino } from 'pino'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createApp } from './app.ts'
import { startApi } from './server.ts'
import { openTestApp, type TestApp } from './testing.ts'

let app: TestApp
const lines: string[] = []
beforeAll(async () => {
  const sink = new Writable({
    write(chunk, _encoding, done) {
      lines.push(String(chunk))
      done()
    },
  })
  app = await openTestApp({ deps: { log: pino(sink) } })
})
afterAll(() => app.close())

describe('every answer', () => {
  test('names product, node, time and request; the version only to those who logged in', async () => {
    const known = (await app.call('GET', '/api/v2/me/')).headers
    expect(known.get('x-api-product-name')).toBe('AWX')
    expect(known.get('x-api-product-version')).toBe('24.6.1')
    expect(known.get('x-api-node')).toBe('mayfly-1')
    expect(known.get('x-api-time')).toMatch(/^\d+\.\d{3}s$/)
    expect(known.get('x-api-request-id')).toMatch(/^[0-9a-f]{32}$/)
    expect(known.get('vary')).toBe('Accept, Accept-Language, origin, Cookie')
    const unknown = (await app.call('GET', '/api/v2/ping/', undefined, { as: null })).headers
    expect(unknown.get('x-api-product-name')).toBe('AWX')
    expect(unknown.has('x-api-product-version')).toBe(false)
  })

  test('also a refusal carries Allow', async () => {
    const { headers } = await app.call('POST', '/api/v2/organizations/', {})
    expect(headers.get('allow')).toBe('GET, POST, HEAD, OPTIONS')
  })
})

test('the log tells what was asked, not with which values', async () => {
  lines.length = 0
  await app.call('GET', '/api/v2/organizations/?name=s3cret-value')
  await app.call('POST', '/api/v2/credentials/', {
    name: 'c',
    credential_type: 1,
    organization: 1,
    inputs: { password: 's3cret-value' },
  })
  await app.call('POST', '/api/v2/credentials/', undefined, {
    raw: { text: '{"inputs": s3cret-value', type: 'application/json' },
  })
  const log = lines.join('')
  expect(log).toContain('"path":"/api/v2/organizations/"')
  expect(log).toContain('"parameters":["name"]')
  expect(log).not.toContain('s3cret-value')
  expect(log).not.toContain('authorization')
})

describe('roots', () => {
  test('GET /api/ is public and sets the CSRF cookie', async () => {
    const { body, headers } = await app.call('GET', '/api/', undefined, { as: null })
    expect(body).toMatchObject({ current_version: '/api/v2/', available_versions: { v2: '/api/v2/' } })
    expect(headers.getSetCookie().join()).toMatch(/^csrftoken=[0-9a-f]{64}; Path=\/; SameSite=Lax$/)
  })

  test('the map holds what there is, and all of it answers', async () => {
    const { body } = await app.call('GET', '/api/v2/', undefined, { as: null })
    expect(Object.keys(body)).toEqual(
      expect.arrayContaining(['ping', 'me', 'config', 'organizations', 'credentials', 'tokens']),
    )
    for (const path of Object.values(body) as string[]) {
      expect(path).toMatch(/^\/api\/v2\/[a-z_]+\/$/)
      expect((await app.call('GET', path)).status).toBe(200)
      expect((await app.call('OPTIONS', path)).status).toBe(200)
    }
  })

  test.each(['teams'])('of %s there is nothing but the answer to OPTIONS', async (name) => {
    const options = await app.call('OPTIONS', `/api/v2/${name}/`)
    expect(options.body).toMatchObject({ actions: {}, object_roles: [] })
    expect(options.headers.get('allow')).toBe('OPTIONS')
    expect((await app.call('GET', `/api/v2/${name}/`)).status).toBe(405)
    expect((await app.call('POST', `/api/v2/${name}/`, {})).status).toBe(405)
    expect((await app.call('GET', '/api/v2/')).body).not.toHaveProperty(name)
    expect((await app.call('GET', '/api/v2/openapi.json')).body.paths).not.toHaveProperty(`/api/v2/${name}/`)
  })

  test('ping and config', async () => {
    const ping = (await app.call('GET', '/api/v2/ping/', undefined, { as: null })).body
    expect(ping).toMatchObject({
      ha: false,
      version: '24.6.1',
      active_node: 'mayfly-1',
      install_uuid: app.deps.installUuid,
    })
    expect(ping.instance_groups.map((group: { name: string }) => group.name)).toEqual(['controlplane', 'default'])
    expect((await app.call('GET', '/api/v2/config/')).body).toMatchObject({
      version: '24.6.1',
      license_info: { license_type: 'open' },
    })
  })
})

describe('OpenAPI', () => {
  test('describes every route with unique operations, and bodies by the fields of OPTIONS', async () => {
    const { body } = await app.call('GET', '/api/v2/openapi.json')
    expect(body.openapi).toBe('3.1.0')
    const operations = Object.values(body.paths).flatMap((path) =>
      Object.values(path as Record<string, { operationId: string }>),
    )
    const ids = operations.map(({ operationId }) => operationId)
    expect(new Set(ids).size).toBe(ids.length)
    const { schema } = body.paths['/api/v2/organizations/'].post.requestBody.content['application/json']
    const { POST } = (await app.call('OPTIONS', '/api/v2/organizations/')).body.actions
    expect(Object.keys(schema.properties)).toEqual(Object.keys(POST))
    expect(schema.required).toEqual(['name'])
    expect(
      body.paths['/api/v2/organizations/{id}/'].patch.requestBody.content['application/json'].schema.required,
    ).toBeUndefined()
    const { properties } = body.paths['/api/v2/organizations/'].get.responses['200'].content['application/json'].schema
    expect(properties.results.items.properties.max_hosts).toMatchObject({ type: 'integer', minimum: 0 })
  })

  test('the page beside it needs nothing from elsewhere', async () => {
    const { status, body } = await app.call('GET', '/api/v2/docs/', undefined, { as: null })
    expect(status).toBe(200)
    expect(body).toContain('/api/v2/organizations/')
    expect(body).not.toMatch(/<script|<link|src=|url\(/)
    // No section without paths, no mark of another language.
    expect(body).not.toMatch(/<\/h2>(<h2|<\/body)|`/)
    expect(body).toContain('Creates one job template.')
  })
})

describe('over a socket', () => {
  test('serves, and stops', async () => {
    const server = await startApi({ port: 0, host: '127.0.0.1', deps: app.deps })
    const answer = await fetch(`${server.url}/api/v2/ping/`)
    expect(answer.status).toBe(200)
    expect(((await answer.json()) as { version: string }).version).toBe('24.6.1')
    await server.close()
    await expect(fetch(`${server.url}/api/v2/ping/`)).rejects.toThrow()
  })

  test('a taken port is an error, not a hang', async () => {
    const server = await startApi({ port: 0, host: '127.0.0.1', deps: app.deps })
    const port = Number(new URL(server.url).port)
    await expect(startApi({ port, host: '127.0.0.1', deps: app.deps })).rejects.toThrow(/EADDRINUSE/)
    await server.close()
  })
})

test('a database that is away: 503 with Retry-After, and no detail', async () => {
  const other = await openTestApp()
  await other.close()
  for (const path of ['/api/v2/ping/', '/api/v2/organizations/']) {
    const { status, headers, body } = await other.call('GET', path)
    expect(status).toBe(503)
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(0)
    expect(body).toEqual({ detail: 'The database does not answer; try again later.' })
  }
})

test('what nobody foresaw: 500 without detail, and a line in the log', async () => {
  lines.length = 0
  const broken = createApp({
    ...app.deps,
    store: {
      ...app.deps.store,
      get db(): never {
        throw new TypeError('boom')
      },
    },
  })
  const answer = await broken.request('/api/v2/ping/')
  expect(answer.status).toBe(500)
  expect(await answer.json()).toEqual({ detail: 'A server error has occurred.' })
  expect(lines.join('')).toContain('boom')
})

test('a description that names a missing column does not start', async () => {
  const { organizationsResource } = await import('./resources/organizations.ts')
  const wrong = { ...organizationsResource, fields: { nonsense: { kind: 'boolean' } as const } }
  expect(() => createApp(app.deps, [wrong])).toThrow('organizations.nonsense: the table has no column nonsense')
})
