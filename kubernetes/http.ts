import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import type { Connection } from './connection.ts'
import { errorFromResponse } from './error-shapes.ts'
import { UnreachableError } from './errors.ts'
import { errorFromNetwork, TimedOut } from './network-errors.ts'

/** Options of every request. */
export interface RequestOptions {
  signal?: AbortSignal
  /** Whole request, default 10 s. */
  timeoutMs?: number
}

/** One request to the API server. */
export interface Call extends RequestOptions {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** With query, as in `/api/v1/pods?limit=5`. */
  path: string
  body?: unknown
  /** Forms of the answer, best first; default plain JSON. */
  accept?: string
}

const connectTimeoutMs = 5_000
const answerTimeoutMs = 10_000
/** No object and no page of a list is near this size. */
const bodyLimitBytes = 256 * 1024 * 1024

/** Full path below the endpoint's own path. */
export function pathUnder(connection: Connection, path: string): string {
  return connection.url.pathname.replace(/\/+$/, '') + path
}

/**
 * Sends a request and parses its JSON answer. Throws the typed errors of errors.ts; with an aborted signal, the signal's reason.
 */
export async function callApi<Answer>(connection: Connection, call: Call): Promise<Answer> {
  const response = await openResponse(connection, call)
  const body = await readBody(connection, call, response)
  try {
    return JSON.parse(body)
  } catch {
    throw new UnreachableError(
      'not-kubernetes',
      `${connection.host} does not answer like a Kubernetes API (${call.method} ${call.path} gave no JSON).`,
      `status ${response.statusCode}`,
    )
  }
}

/** Sends a request and hands out its answer's bytes as they come, for watches. A connection that breaks is a typed error. */
export async function openStream(connection: Connection, call: Call): Promise<AsyncIterable<Buffer>> {
  const response = await openResponse(connection, call)
  async function* bytes() {
    try {
      yield* response as AsyncIterable<Buffer>
    } catch (error) {
      throw call.signal?.aborted ? call.signal.reason : errorFromNetwork(connection.host, asError(error))
    }
  }
  return bytes()
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error))
}

async function openResponse(connection: Connection, call: Call): Promise<IncomingMessage> {
  call.signal?.throwIfAborted()
  const authorization = await connection.authorization()
  for (let attempt = 1; ; attempt++) {
    const { request, answer } = send(connection, call, authorization)
    let response: IncomingMessage
    try {
      response = await answer
    } catch (error) {
      if (call.signal?.aborted) throw call.signal.reason
      const failure = asError(error)
      // The server closed a kept-alive connection just when we chose it; nothing of the request was looked at.
      if (attempt === 1 && request.reusedSocket && 'code' in failure && failure.code === 'ECONNRESET') continue
      throw errorFromNetwork(connection.host, failure)
    }
    const status = response.statusCode ?? 0
    if (status >= 200 && status < 300) return response
    const retryAfter = response.headers['retry-after']
    throw errorFromResponse({
      host: connection.host,
      method: call.method,
      path: call.path,
      status,
      body: await readBody(connection, call, response),
      ...(retryAfter ? { retryAfter } : {}),
    })
  }
}

function send(
  connection: Connection,
  call: Call,
  authorization: string | null,
): { request: ClientRequest; answer: Promise<IncomingMessage> } {
  const body = call.body === undefined ? undefined : Buffer.from(JSON.stringify(call.body))
  const timeoutMs = call.timeoutMs ?? answerTimeoutMs
  const begin = connection.url.protocol === 'http:' ? httpRequest : httpsRequest
  const request = begin({
    agent: connection.agent,
    host: connection.url.hostname.replace(/^\[|\]$/g, ''),
    port: connection.url.port || (connection.url.protocol === 'http:' ? 80 : 443),
    method: call.method,
    path: pathUnder(connection, call.path),
    headers: {
      accept: call.accept ?? 'application/json',
      'user-agent': 'mayfly',
      ...(authorization ? { authorization } : {}),
      ...(body ? { 'content-type': contentType(call.method), 'content-length': body.length } : {}),
    },
  })
  const answer = new Promise<IncomingMessage>((resolve, reject) => {
    const abort = () => request.destroy(new Error('aborted'))
    const answerClock = setTimeout(() => request.destroy(new TimedOut('answer', timeoutMs)), timeoutMs)
    let connectClock: NodeJS.Timeout | undefined
    const settle = () => {
      clearTimeout(answerClock)
      clearTimeout(connectClock)
    }
    request.once('socket', (socket) => {
      if (!socket.connecting) return
      const limit = Math.min(connectTimeoutMs, timeoutMs)
      connectClock = setTimeout(() => request.destroy(new TimedOut('connect', limit)), limit)
      socket.once(connection.url.protocol === 'http:' ? 'connect' : 'secureConnect', () => clearTimeout(connectClock))
    })
    request.once('response', (response) => {
      settle()
      // The signal must reach a body that is still being read, and nothing after that.
      response.once('close', () => call.signal?.removeEventListener('abort', abort))
      resolve(response)
    })
    request.on('error', (error) => {
      settle()
      call.signal?.removeEventListener('abort', abort)
      reject(error)
    })
    call.signal?.addEventListener('abort', abort, { once: true })
  })
  request.end(body)
  return { request, answer }
}

function contentType(method: string): string {
  return method === 'PATCH' ? 'application/merge-patch+json' : 'application/json'
}

async function readBody(connection: Connection, call: Call, response: IncomingMessage): Promise<string> {
  const limit = call.timeoutMs ?? answerTimeoutMs
  const clock = setTimeout(() => response.destroy(new TimedOut('answer', limit)), limit)
  const chunks: Buffer[] = []
  let size = 0
  try {
    for await (const chunk of response) {
      chunks.push(chunk)
      size += chunk.length
      if (size > bodyLimitBytes) throw new Error('the answer is larger than any Kubernetes answer')
    }
  } catch (error) {
    if (call.signal?.aborted) throw call.signal.reason
    throw errorFromNetwork(connection.host, asError(error))
  } finally {
    clearTimeout(clock)
  }
  return Buffer.concat(chunks).toString('utf8')
}
