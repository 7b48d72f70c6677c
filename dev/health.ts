/** Asks each kind of part whether it works; every question is short and has an end of its own. */
import { readFileSync } from 'node:fs'
import { request as requestHttp } from 'node:http'
import { connect as connectHttp2 } from 'node:http2'
import { type RequestOptions, request as requestHttps } from 'node:https'
import { connect } from 'node:net'
import { join } from 'node:path'
import { type PortName, port } from './numbers.ts'
import type { StackPaths } from './paths.ts'
import type { StackRecord } from './state.ts'

const patience = 5000

/** An HTTP answer. */
export interface Answer {
  status: number
  body: string
}

/** GET, by the scheme's own client; fails on silence. */
export function get(url: string, tls: Pick<RequestOptions, 'ca' | 'cert' | 'key'> = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = url.startsWith('https:') ? requestHttps : requestHttp
    const call = request(url, { ...tls, agent: false, timeout: patience }, (response) => {
      let body = ''
      response.on('data', (chunk: Buffer) => {
        body += chunk.toString()
      })
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }))
      response.on('error', reject)
    })
    call.on('timeout', () => call.destroy(new Error(`no answer from ${url}`)))
    call.on('error', reject)
    call.end()
  })
}

/** The cluster's answer to a GET as its administrator. */
export function getAsAdmin(paths: StackPaths, record: StackRecord, path: string): Promise<Answer> {
  const read = (file: string): Buffer => readFileSync(join(paths.state, 'certificates', file))
  const tls = { ca: read('ca.crt'), cert: read('admin.crt'), key: read('admin.key') }
  return get(`https://127.0.0.1:${port(record, 'kube-apiserver')}${path}`, tls)
}

/** Whether the part called `part` of this stack answers as it should. */
export async function partHealthy(part: string, paths: StackPaths, record: StackRecord): Promise<boolean> {
  const local = (name: PortName): string => `127.0.0.1:${port(record, name)}`
  const authority = (): { ca: Buffer } => ({ ca: readFileSync(join(paths.state, 'certificates', 'ca.crt')) })
  switch (part) {
    case 'temporal':
      return temporalServes(local('temporal'))
    case 'containerd':
      return connects(join(paths.run, 'containerd.sock'))
    case 'etcd':
      return (await get(`http://${local('etcd')}/health`)).status === 200
    case 'kube-apiserver':
      return (await get(`https://${local('kube-apiserver')}/readyz`, authority())).status === 200
    case 'kube-controller-manager':
      return (await get(`https://${local('kube-controller-manager')}/healthz`, authority())).status === 200
    case 'kube-scheduler':
      return (await get(`https://${local('kube-scheduler')}/healthz`, authority())).status === 200
    case 'kubelet':
      return (await get(`http://${local('kubelet-health')}/healthz`)).status === 200
    case 'postgres':
      return postgresAccepts(port(record, 'postgres'))
    default:
      throw new Error(`there is no part called ${part}`)
  }
}

/** Whether somebody accepts connections on a unix socket. */
export function connects(socket: string): Promise<boolean> {
  return new Promise((resolve) => {
    const client = connect(socket, () => {
      client.destroy()
      resolve(true)
    })
    client.on('error', () => resolve(false))
  })
}

/** gRPC's own health check of Temporal's frontend, written by hand: this room has no dependencies. */
export function temporalServes(address: string): Promise<boolean> {
  const service = 'temporal.api.workflowservice.v1.WorkflowService'
  // HealthCheckRequest { service = 1 }, behind gRPC's prefix: not compressed, length in four bytes.
  const message = Buffer.concat([Buffer.from([0x0a, service.length]), Buffer.from(service)])
  const frame = Buffer.concat([Buffer.from([0, 0, 0, 0, message.length]), message])
  return new Promise((resolve) => {
    const session = connectHttp2(`http://${address}`)
    const finish = (serving: boolean): void => {
      clearTimeout(limit)
      session.destroy()
      resolve(serving)
    }
    const limit = setTimeout(() => finish(false), patience)
    session.on('error', () => finish(false))
    const headers = {
      ':method': 'POST',
      ':path': '/grpc.health.v1.Health/Check',
      'content-type': 'application/grpc',
      te: 'trailers',
    }
    const stream = session.request(headers)
    let answer = Buffer.alloc(0)
    stream.on('data', (chunk: Buffer) => {
      answer = Buffer.concat([answer, chunk])
    })
    stream.on('error', () => finish(false))
    // HealthCheckResponse { status = 1 }, and SERVING is 1.
    stream.on('end', () => finish(answer.length >= 7 && answer[5] === 0x08 && answer[6] === 1))
    stream.end(frame)
  })
}

/** Whether PostgreSQL takes logins: it answers a start-up message with a request to authenticate, not with an error. */
function postgresAccepts(onPort: number): Promise<boolean> {
  const parameters = Buffer.from('user\0postgres\0database\0postgres\0\0')
  const start = Buffer.alloc(8)
  start.writeInt32BE(parameters.length + 8, 0)
  start.writeInt32BE(3 << 16, 4)
  return new Promise((resolve) => {
    const socket = connect(onPort, '127.0.0.1', () => socket.write(Buffer.concat([start, parameters])))
    const finish = (accepts: boolean): void => {
      socket.destroy()
      resolve(accepts)
    }
    socket.setTimeout(patience, () => finish(false))
    socket.once('data', (answer: Buffer) => finish(answer[0] === 'R'.charCodeAt(0)))
    socket.on('error', () => finish(false))
    socket.on('close', () => finish(false))
  })
}
