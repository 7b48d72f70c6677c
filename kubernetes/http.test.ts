import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer as createHttps, type Server } from 'node:https'
import { type AddressInfo, createServer as createTcp } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Cluster, openCluster } from './cluster.ts'
import { json, ScriptedApiServer } from './testing/api-server.ts'

describe('requests', () => {
  let server: ScriptedApiServer
  beforeEach(async () => {
    server = await ScriptedApiServer.start()
  })
  afterEach(() => server.stop())

  test('carry token and body, and use one connection', async () => {
    const seen: unknown[] = []
    server.answer = (request, response, body) => {
      seen.push([request.method, request.url, request.headers.authorization, body])
      json(response, 201, { metadata: { name: 'x' } })
    }
    await server.cluster.createPod('jobs', { metadata: { name: 'x' } })
    await server.cluster.getPod('jobs', 'a/b')
    expect(seen).toEqual([
      ['POST', '/api/v1/namespaces/jobs/pods', 'Bearer token-of-the-test', '{"metadata":{"name":"x"}}'],
      ['GET', '/api/v1/namespaces/jobs/pods/a%2Fb', 'Bearer token-of-the-test', ''],
    ])
    expect(server.connections).toBe(1)
  })

  test('below a path, as behind Rancher', async () => {
    let url = ''
    server.answer = (request, response) => {
      url = request.url ?? ''
      json(response, 200, {})
    }
    const behind = openCluster({
      kind: 'bearer',
      host: `http://${server.cluster.host}/k8s/clusters/c-1/`,
      token: 't',
      verifyTls: true,
    })
    await behind.getPod('jobs', 'x')
    behind.close()
    expect(url).toBe('/k8s/clusters/c-1/api/v1/namespaces/jobs/pods/x')
  })

  test('a kept connection that the server closes is no failure', async () => {
    let requests = 0
    server.answer = (request, response) => {
      // The server gives up an idle connection in the very moment of the next request.
      if (++requests === 2) return request.socket.resetAndDestroy()
      json(response, 200, { metadata: { name: String(requests) } })
    }
    await server.cluster.getPod('jobs', 'x')
    expect((await server.cluster.getPod('jobs', 'x')).metadata.name).toBe('3')
  })

  test('a new connection that is reset is one', async () => {
    server.answer = (request) => request.socket.resetAndDestroy()
    await expect(server.cluster.getPod('jobs', 'x')).rejects.toMatchObject({
      name: 'UnreachableError',
      reason: 'connection',
    })
  })

  test('an answer that never comes ends in time', async () => {
    server.answer = () => {}
    await expect(server.cluster.getPod('jobs', 'x', { timeoutMs: 100 })).rejects.toMatchObject({
      name: 'UnreachableError',
      reason: 'timeout',
    })
  })

  test('a body that never ends ends in time', async () => {
    server.answer = (_request, response) => response.writeHead(200).write('{')
    await expect(server.cluster.getPod('jobs', 'x', { timeoutMs: 100 })).rejects.toMatchObject({ reason: 'timeout' })
  })

  test('an answer that is cut off', async () => {
    server.answer = (request, response) => {
      response.writeHead(200, { 'content-length': '100' }).write('{"a":')
      setImmediate(() => request.socket.destroy())
    }
    await expect(server.cluster.getPod('jobs', 'x')).rejects.toMatchObject({
      name: 'UnreachableError',
      reason: 'connection',
    })
  })

  test('an answer that is no JSON', async () => {
    server.answer = (_request, response) => response.writeHead(200).end('<html>')
    await expect(server.cluster.getPod('jobs', 'x')).rejects.toMatchObject({ reason: 'not-kubernetes' })
  })

  test('an aborted signal is the reason, before and while waiting', async () => {
    const stop = new AbortController()
    server.answer = () => stop.abort(new Error('enough'))
    await expect(server.cluster.getPod('jobs', 'x', { signal: stop.signal })).rejects.toThrow('enough')
    await expect(server.cluster.getPod('jobs', 'x', { signal: stop.signal })).rejects.toThrow('enough')
  })
})

describe('deleting a pod', () => {
  let server: ScriptedApiServer
  let asked: unknown
  const answers = (status: number, body: object) => {
    server.answer = (_request, response, sent) => {
      asked = JSON.parse(sent)
      json(response, status, body)
    }
  }
  beforeEach(async () => {
    server = await ScriptedApiServer.start()
  })
  afterEach(() => server.stop())

  test.each([
    ['accepted, with grace', 200, { kind: 'Pod', metadata: { deletionGracePeriodSeconds: 30 } }, 'deleting'],
    ['removed at once', 200, { kind: 'Pod', metadata: { deletionGracePeriodSeconds: 0 } }, 'gone'],
    ['removed, told by a Status', 200, { kind: 'Status', status: 'Success' }, 'gone'],
    ['gone', 404, { kind: 'Status', code: 404, message: 'pods "x" not found' }, 'gone'],
    [
      'another uid',
      409,
      { kind: 'Status', code: 409, reason: 'Conflict', message: 'Precondition failed', details: { kind: 'pods' } },
      'gone',
    ],
  ])('%s', async (_name, status, body, expected) => {
    answers(status, body)
    expect(await server.cluster.deletePod('jobs', 'x', { uid: 'u', graceSeconds: 5 })).toBe(expected)
    expect(asked).toMatchObject({ kind: 'DeleteOptions', gracePeriodSeconds: 5, preconditions: { uid: 'u' } })
  })

  test('without uid a conflict is an error', async () => {
    answers(409, { kind: 'Status', code: 409, reason: 'Conflict', message: 'x' })
    await expect(server.cluster.deletePod('jobs', 'x', {})).rejects.toMatchObject({ name: 'ConflictError' })
    expect(asked).toEqual({ apiVersion: 'v1', kind: 'DeleteOptions' })
  })
})

describe('endpoints that are no use', () => {
  const open = (host: string, caCert?: string): Cluster =>
    openCluster({ kind: 'bearer', host, token: 't', verifyTls: true, ...(caCert ? { caCert } : {}) })

  test('nobody listens', async () => {
    const server = await ScriptedApiServer.start()
    const { host } = server.cluster
    await server.stop()
    await expect(open(host).getPod('jobs', 'x')).rejects.toMatchObject({
      name: 'UnreachableError',
      reason: 'refused',
      message: expect.stringContaining(host),
    })
  })

  test('a name that does not exist', async () => {
    await expect(open('https://cluster.invalid').getPod('jobs', 'x')).rejects.toMatchObject({
      reason: 'dns',
      message: expect.stringContaining('cluster.invalid'),
    })
  })

  test('a port that accepts and says nothing', async () => {
    const silent = createTcp()
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
    const host = `127.0.0.1:${(silent.address() as AddressInfo).port}`
    await expect(open(host).getPod('jobs', 'x', { timeoutMs: 100 })).rejects.toMatchObject({
      reason: 'timeout',
      message: expect.stringContaining(host),
    })
    silent.close()
  })
})

describe('TLS', () => {
  let folder: string
  let server: Server
  let host: string
  const file = (name: string) => join(folder, name)
  const pem = (name: string) => readFileSync(file(name), 'utf8')
  const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: 'ignore' })

  function authority(name: string): void {
    openssl(
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-keyout',
      file(`${name}.key`),
      '-out',
      file(`${name}.pem`),
      '-subj',
      `/CN=${name}`,
      '-days',
      '2',
    )
  }

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'mayfly-tls-'))
    authority('ca')
    authority('other')
    openssl(
      'req',
      '-new',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-keyout',
      file('server.key'),
      '-out',
      file('server.csr'),
      '-subj',
      '/CN=server',
      '-addext',
      'subjectAltName=DNS:localhost',
    )
    openssl(
      'x509',
      '-req',
      '-in',
      file('server.csr'),
      '-CA',
      file('ca.pem'),
      '-CAkey',
      file('ca.key'),
      '-CAcreateserial',
      '-days',
      '2',
      '-copy_extensions',
      'copy',
      '-out',
      file('server.pem'),
    )
    server = createHttps({ cert: pem('server.pem'), key: pem('server.key') }, (_request, response) =>
      json(response, 200, { metadata: { name: 'x' } }),
    )
    await new Promise<void>((resolve) => server.listen(0, resolve))
    host = `localhost:${(server.address() as AddressInfo).port}`
  })
  afterAll(() => {
    server.closeAllConnections()
    server.close()
    rmSync(folder, { recursive: true })
  })

  const get = async (target: { host?: string; caCert?: string; verifyTls?: boolean }) => {
    const cluster = openCluster({ kind: 'bearer', host, token: 't', verifyTls: true, ...target })
    try {
      return await cluster.getPod('jobs', 'x')
    } finally {
      cluster.close()
    }
  }

  test('with its authority', async () =>
    expect(await get({ caCert: pem('ca.pem') })).toMatchObject({ metadata: { name: 'x' } }))
  test('without verification', async () =>
    expect(await get({ verifyTls: false })).toMatchObject({ metadata: { name: 'x' } }))

  test.each<[string, () => object, RegExp]>([
    ['another authority', () => ({ caCert: pem('other.pem') }), /trusted certificate authority/],
    ['only the system’s roots', () => ({}), /trusted certificate authority/],
    [
      'another host name',
      () => ({ caCert: pem('ca.pem'), host: host.replace('localhost', '127.0.0.1') }),
      /another host name/,
    ],
  ])('%s', async (_name, target, message) => {
    const error = await get(target()).catch((caught) => caught)
    expect(error).toMatchObject({ name: 'TlsError', transient: false, message: expect.stringMatching(message) })
    expect(error.toCause()).toMatchObject({ kind: 'tls_failed', message: expect.stringContaining('TLS') })
  })

  test('an endpoint that speaks plain HTTP', async () => {
    const plain = await ScriptedApiServer.start()
    await expect(get({ host: `https://${plain.cluster.host}` })).rejects.toMatchObject({
      name: 'TlsError',
      message: expect.stringContaining('does not speak TLS'),
    })
    await plain.stop()
  })
})
