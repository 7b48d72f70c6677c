/** What a client gets wrong, over real HTTP: each has its status and says what is wrong; none is an error of ours. */
import { request } from 'node:http'
import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Catalog, makeCatalog, makeTemplate } from '../setup/catalog.ts'
import { type Mayfly, startMayfly } from '../setup/mayfly.ts'

let mayfly: Mayfly
let catalog: Catalog
let template: number
let organizations: string

/** A user without any right. */
const nobody = { username: 'nobody', password: 'nobody-password' }
const asNobody = { authorization: `Basic ${Buffer.from(`${nobody.username}:${nobody.password}`).toString('base64')}` }

beforeAll(async () => {
  mayfly = await startMayfly({ worker: false })
  catalog = await makeCatalog(mayfly, { files: { 'play.yml': '- hosts: all\n  tasks: []\n' } })
  template = await makeTemplate(mayfly, catalog, 'play.yml', {
    ask_variables_on_launch: true,
    ask_limit_on_launch: true,
  })
  await mayfly.post('/users/', nobody)
  organizations = `${mayfly.url}/api/v2/organizations/`
})
afterAll(() => mayfly?.stop())

const json = { 'content-type': 'application/json' }

describe('bodies', () => {
  test.each([
    ['malformed', '{"name": ', 400, /JSON parse error/],
    ['two values', '{} {}', 400, /JSON parse error/],
    ['a list', '[]', 400, /JSON parse error/],
    ['a text', '"x"', 400, /JSON parse error/],
    ['null', 'null', 400, /may not be null/],
    ['no UTF-8', Buffer.from([0x7b, 0xff, 0x7d]), 400, /JSON parse error/],
    ['deep', `{"name":${'['.repeat(100_000)}${']'.repeat(100_000)}}`, 400, /nested deeper/],
    ['NUL', '{"name":"a\\u0000b"}', 400, /Null characters/],
    ['a key that is a prototype', '{"name":"proto","__proto__":{"max_hosts":7}}', 201, /"max_hosts":0/],
    [
      'missing and wrong fields',
      '{"max_hosts":"many"}',
      400,
      /"name":\["This field is required\."\].*"max_hosts":\["A valid integer/,
    ],
  ])('%s', async (_what, body, status, text) => {
    const answer = await fetch(organizations, {
      method: 'POST',
      headers: { ...json, authorization: mayfly.auth },
      body,
    })
    expect([answer.status, await answer.text()]).toEqual([status, expect.stringMatching(text)])
  })

  test.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/jsonp',
    '',
  ])('content type %j: 415', async (type) => {
    const answer = await mayfly.api('POST', '/organizations/', '{"name":"typed"}', { 'content-type': type })
    expect(answer.status).toBe(415)
  })

  test('fields that there are not are ignored and named', async () => {
    const answer = await mayfly.api('POST', '/organizations/', { name: 'extra', colour: 1, 'ünïcode\r\nX-Evil: 1': 2 })
    expect([answer.status, answer.headers.get('x-api-unknown-fields'), answer.headers.get('x-evil')]).toEqual([
      ...[201, 'colour, %C3%BCn%C3%AFcode%0D%0AX-Evil%3A%201', null],
    ])
  })

  test('too large: 413 with and without a length told, and the connection serves on', async () => {
    const huge = Buffer.alloc(6 * 1024 * 1024, 0x20)
    // On a connection that is to stay: of one that is closed with the answer, the answer may be lost while the body is still written.
    const told = await mayfly.api('POST', '/organizations/', huge.toString(), { connection: 'keep-alive' })
    expect([told.status, told.text]).toEqual([413, expect.stringMatching(/larger than 5242880 bytes/)])
    expect(await chunked(huge)).toBe(413)
    // A length that is only claimed: refused before the body comes.
    const claimed = await raw(
      `${head('POST /api/v2/organizations/')}Content-Type: application/json\r\nContent-Length: 99999999999\r\n\r\n{`,
    )
    expect(claimed).toMatch(/^HTTP\/1\.1 413 /)
    expect((await mayfly.api('GET', '/me/')).status).toBe(200)
  })
})

/** Status of a POST whose length nobody told beforehand. */
function chunked(body: Buffer): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const sent = request(
      organizations,
      { method: 'POST', headers: { ...json, authorization: mayfly.auth } },
      (answer) => {
        answer.resume()
        resolve(answer.statusCode)
      },
    )
    // The server may answer and hang up before it has read all.
    sent.on('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EPIPE' || error.code === 'ECONNRESET' ? undefined : reject(error),
    )
    for (let at = 0; at < body.length; at += 1 << 16) sent.write(body.subarray(at, at + (1 << 16)))
    sent.end()
  })
}

const head = (line: string) =>
  `${line} HTTP/1.1\r\nHost: ${new URL(mayfly.url).host}\r\nAuthorization: ${mayfly.auth}\r\nConnection: close\r\n`

/** The answer to bytes as they are. */
function raw(text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(mayfly.url)
    const socket = connect(Number(port), hostname)
    let answer = ''
    socket.setTimeout(120_000, () => socket.destroy(new Error(`no answer to ${text.slice(0, 100)}`)))
    socket.on('data', (data) => {
      answer += data
      if (answer.includes('\r\n\r\n')) socket.end()
    })
    socket.on('error', reject)
    socket.on('close', () => resolve(answer))
    socket.write(text)
  })
}

describe('requests that are hardly HTTP', () => {
  test.each([
    ['an unknown method', 'BREW /api/v2/ping/', '', /^HTTP\/1\.1 400 /],
    ['TRACE', 'TRACE /api/v2/ping/', '', /^HTTP\/1\.1 4\d\d /],
    ['CONNECT', 'CONNECT /api/v2/ping/', '', /^(HTTP\/1\.1 4\d\d |$)/],
    ['no path', 'GET *', '', /^HTTP\/1\.1 4\d\d /],
    ['a path that is no URL', 'GET //', '', /^HTTP\/1\.1 4\d\d /],
    ['a path with broken escapes', 'GET /api/v2/organizations/%zz/', '', /^HTTP\/1\.1 4\d\d /],
    ['a whole URL', 'GET http://elsewhere.invalid/api/v2/me/', '', /^HTTP\/1\.1 (200|4\d\d) /],
    ['headers without end', 'GET /api/v2/ping/', `X: ${'x'.repeat(20_000)}\r\n`, /^HTTP\/1\.1 431 /],
    ['a length that is none', 'POST /api/v2/organizations/', 'Content-Length: x\r\n', /^HTTP\/1\.1 400 /],
    ['two lengths', 'POST /api/v2/organizations/', 'Content-Length: 1\r\nContent-Length: 2\r\n', /^HTTP\/1\.1 400 /],
    ['an upgrade', 'GET /api/v2/ping/', 'Connection: upgrade\r\nUpgrade: websocket\r\n', /^HTTP\/1\.1 (200|4\d\d) /],
  ])('%s', async (_what, line, headers, answer) => {
    expect(await raw(`${head(line)}${headers}\r\n`)).toMatch(answer)
  })

  test.each(['', 'a b', '[::', 'x'.repeat(5000), '/', '%', '\u0001'])('Host %j', async (host) => {
    const answer = await raw(`GET /api/v2/ping/ HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`)
    expect(answer).toMatch(/^HTTP\/1\.1 (200|4\d\d) /)
  })
})

describe('what there is not, what one may not', () => {
  const ids = [
    '0',
    '-1',
    '2147483648',
    '9223372036854775808',
    '9'.repeat(400),
    '1.5',
    '1e1',
    'no-such-name',
    '💩',
    '%00',
  ]
  test.each(ids)('id %s is nowhere', async (id) => {
    for (const path of [
      `/organizations/${id}/`,
      `/jobs/${id}/`,
      `/jobs/${id}/stdout/`,
      `/job_templates/${id}/launch/`,
      `/hosts/${id}/variable_data/`,
    ]) {
      const method = path.includes('launch') ? 'POST' : 'GET'
      const { status, text } = await mayfly.api(method, path)
      expect([path, [400, 404].includes(status), text]).toEqual([
        path,
        true,
        expect.not.stringMatching(/at file|node_modules/),
      ])
    }
  })

  test.each([
    ['inventory', 2147483648],
    ['inventory', 1e20],
    ['inventory', -1],
    ['credentials', [4294967296]],
    ['instance_groups', [4294967296]],
    ['execution_environment', 4294967296],
    ['limit', 'a\0b'],
    ['extra_vars', '['.repeat(1_000_000)],
    ['extra_vars', `a: ${'[['.repeat(150)}`],
  ])('launch with a bad %s: 400 that names the field', async (field, value) => {
    const asked = await makeTemplate(mayfly, catalog, 'play.yml', {
      ...{ ask_inventory_on_launch: true, ask_credential_on_launch: true, ask_limit_on_launch: true },
      ...{
        ask_execution_environment_on_launch: true,
        ask_instance_groups_on_launch: true,
        ask_variables_on_launch: true,
      },
    })
    const { status, body } = await mayfly.api('POST', `/job_templates/${asked}/launch/`, { [field]: value })
    expect([status, Object.keys(body)]).toEqual([400, [field]])
  })

  test.each([
    ['POST', '/organizations/', { name: 'mine' }],
    ['PATCH', '/organizations/1/', { description: 'mine' }],
    ['DELETE', '/organizations/1/', undefined],
    ['POST', '/users/', { username: 'other', password: 'p' }],
    ['PATCH', '/users/1/', { is_superuser: false }],
    ['POST', '/instance_groups/', { name: 'mine', is_container_group: true }],
    ['GET', '/job_templates/TEMPLATE/', undefined],
    ['POST', '/job_templates/TEMPLATE/launch/', {}],
  ])('%s %s by somebody without rights: 403', async (method, path, body) => {
    const { status } = await mayfly.api(method, path.replace('TEMPLATE', String(template)), body, asNobody)
    expect(status).toBe(403)
  })

  test('lists show somebody without rights nothing of others', async () => {
    for (const path of ['/job_templates/', '/projects/', '/inventories/', '/hosts/', '/credentials/', '/jobs/']) {
      expect([path, (await mayfly.api('GET', path, undefined, asNobody)).body.count]).toEqual([path, 0])
    }
    // Nor can it be asked for through a filter on what one may not read.
    const { body } = await mayfly.api('GET', '/users/?created_by__password__startswith=$', undefined, asNobody)
    expect(body.count).toBeUndefined()
  })

  test('what is in use: 409 that names the jobs', async () => {
    const { job } = await mayfly.post<{ job: number }>(`/job_templates/${template}/launch/`)
    for (const path of [
      `/inventories/${catalog.inventory}/`,
      `/job_templates/${template}/`,
      `/projects/${catalog.project}/`,
    ]) {
      const { status, body } = await mayfly.api('DELETE', path)
      expect([path, status, body]).toMatchObject([path, 409, { active_jobs: [{ id: job }] }])
    }
  })

  test('no and wrong credentials: 401 alike', async () => {
    const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`
    const given = [
      '',
      'Basic',
      'Basic !!!',
      basic('admin'),
      basic('admin:\0'),
      basic(':'),
      'Bearer',
      'Bearer x',
      'Digest x',
      basic(`${'x'.repeat(5000)}:y`),
    ]
    for (const authorization of given) {
      const { status, body } = await mayfly.api('GET', '/me/', undefined, { authorization })
      expect([authorization, status, body.detail]).toEqual([
        authorization,
        401,
        expect.stringMatching(/^Authentication credentials/),
      ])
    }
  })
})

describe('lists', () => {
  test.each([
    ['page=2', 404, /Invalid page/],
    ['page=0', 404, /Invalid page/],
    ['page=-1', 404, /Invalid page/],
    ['page=x', 404, /Invalid page/],
    ['page=99999999999999999999', 404, /Invalid page/],
    ['count_disabled=1&page=9007199254740991', 200, /"results":\[\]/],
    ['page_size=x', 400, /integer/],
    ['page_size=99999999999', 200, /"count"/],
    ['nope=1', 400, /no field named/],
    ['id=x', 400, /integer/],
    ['id__in=', 400, /empty value/],
    ['id__in=1,x', 400, /integer/],
    ['id__isnull=maybe', 400, /boolean/],
    ['id__gt=99999999999999999999999', 200, /"count":0/],
    ['name__regex=(', 400, /regular expression/],
    ['name=%00', 400, /Null characters/],
    ['search=%00', 400, /Null characters/],
    ['search=%ff%fe', 200, /"count":0/],
    ['order_by=nope', 400, /no field named/],
    ['order_by=organization__organization', 400, /./],
    ['created__gt=yesterday', 400, /format/],
    ['created__gt=2026-02-31T25:61', 400, /format/],
    ['created_by__password=x', 403, /not allowed/],
    [`${'organization__'.repeat(30)}name=x`, 400, /./],
    [`name=${encodeURIComponent("'; DROP TABLE users; --")}`, 200, /"count":0/],
    ['name__startswith=💩', 200, /"count":0/],
  ])('%s: %d', async (query, status, text) => {
    const answer = await mayfly.api('GET', `/organizations/?${query}`)
    expect([answer.status, answer.text]).toEqual([status, expect.stringMatching(text)])
  })

  test('names of any script are kept, found and ordered', async () => {
    const names = [
      'Ωmega',
      '組織',
      '👩‍🚀 crew',
      'مؤسسة',
      'a/b?c#d&e+f%20',
      '"><script>alert(1)</script>',
      '\u202Egnp.exe',
    ]
    for (const name of names) {
      const { id } = await mayfly.post('/organizations/', { name })
      const found = await mayfly.get<{ results: { id: number; name: string }[] }>(
        `/organizations/?name=${encodeURIComponent(name)}`,
      )
      expect(found.results.map((one) => [one.id, one.name])).toEqual([[id, name]])
      const object = await mayfly.get<{ related: Record<string, string> }>(`/organizations/${id}/`)
      expect(await mayfly.get(object.related.named_url ?? '')).toMatchObject({ id })
    }
    expect((await mayfly.api('POST', '/organizations/', { name: 'x'.repeat(513) })).status).toBe(400)
    expect((await mayfly.api('POST', '/organizations/', { name: '💩'.repeat(512) })).status).toBe(201)
  })
})

test('nothing of all this was an error of ours', () => {
  expect(
    mayfly
      .logs('api')
      .split('\n')
      .filter((line) => /"level":(50|60),|^\s+at /.test(line)),
  ).toEqual([])
})
