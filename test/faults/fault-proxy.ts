/**
 * A reverse proxy in front of an API server that does to chosen calls what networks and API servers do on bad days. It ends TLS with a
 * certificate of its own and passes everything on as it came, the client's bearer token included; client certificates end here.
 */
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import { Agent, createServer, request as httpsRequest, type Server } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { readKubeconfig } from '../../kubernetes/kubeconfig.ts'
import { type ClusterOfStack, stackTarget } from '../setup/own-places.ts'
import { ExecRelay } from './exec-relay.ts'
import { type ApiCall, callOf, type ExecMoment, type Fault, Rule, type RuleSpec } from './fault-rules.ts'
import { makeCertificate } from './proxy-certificate.ts'
import { WatchRelay } from './watch-relay.ts'

/** The API server behind the proxy. */
export interface Upstream {
  host: string
  port: number
  ca: string | undefined
  servername: string
}

/** The proxy; `stop` it at the end. */
export class FaultProxy {
  /** Certificate authority that its certificate is signed by, for credentials and kubeconfigs. */
  readonly ca: string
  /** Every call that came, oldest first. */
  readonly calls: ApiCall[] = []
  readonly #server: Server
  readonly #upstream: Upstream
  readonly #agent: Agent
  readonly #sockets = new Set<Socket>()
  /** Execs that are under way. */
  readonly #execs = new Map<ExecRelay, ApiCall>()
  #rules: Rule[] = []

  private constructor(server: Server, upstream: Upstream, ca: string) {
    this.#server = server
    this.#upstream = upstream
    this.ca = ca
    this.#agent = new Agent({ keepAlive: true, ca: upstream.ca, servername: upstream.servername })
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket)
      socket.once('close', () => this.#sockets.delete(socket))
    })
    server.on('request', (request, response) => {
      this.#handle(request, response).catch(() => response.destroy())
    })
    server.on('upgrade', (request, socket: Socket, head) => {
      this.#upgrade(request, socket, head).catch(() => socket.destroy())
    })
  }

  /** In front of the API server of a stack. */
  static async before(stack: ClusterOfStack): Promise<FaultProxy> {
    const { url, tls } = readKubeconfig(stackTarget(stack))
    return await FaultProxy.start({
      ...{ host: url.hostname, port: Number(url.port || 443), ca: tls.ca },
      servername: url.hostname === '127.0.0.1' ? 'localhost' : url.hostname,
    })
  }

  /** Listens on any free port of the loopback. */
  static async start(upstream: Upstream): Promise<FaultProxy> {
    const { ca, cert, key } = await makeCertificate()
    const server = createServer({ cert, key, ALPNProtocols: ['http/1.1'] })
    const proxy = new FaultProxy(server, upstream, ca)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return proxy
  }

  get url(): string {
    return `https://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** Puts a rule to work; of several that fit, the oldest applies. */
  add(spec: RuleSpec): Rule {
    const rule = new Rule(spec)
    this.#rules.push(rule)
    return rule
  }

  /** Ends rules, and lets go what they hold. */
  remove(...rules: Rule[]): void {
    this.#rules = this.#rules.filter((rule) => !rules.includes(rule))
    for (const rule of rules) rule.release()
  }

  /** Ends all rules. */
  clear(): void {
    this.remove(...this.#rules)
  }

  /** Cuts the execs in pods whose names begin so; how many there were. */
  cutExecs(name: string): number {
    const cut = [...this.#execs].filter(([, call]) => call.name.startsWith(name))
    for (const [relay] of cut) relay.cut()
    return cut.length
  }

  async stop(): Promise<void> {
    this.clear()
    for (const socket of this.#sockets) socket.destroy()
    this.#agent.destroy()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  /** The fault that applies to a call now. Rules for answers are asked once the answer is there. */
  #take(call: ApiCall, wanted: (fault: Fault) => boolean): { fault: Fault; rule: Rule } | undefined {
    for (const rule of this.#rules) {
      if ('fault' in rule.spec && wanted(rule.spec.fault) && rule.takes(call)) return { fault: rule.spec.fault, rule }
    }
  }

  /** Holds and delays the call as long as rules want it; gives the fault to do to it, if any. */
  async #before(call: ApiCall): Promise<Fault | undefined> {
    for (;;) {
      const taken = this.#take(
        call,
        (fault) => fault.kind !== 'cut-at' && (fault.kind !== 'hold' || fault.when === 'before'),
      )
      if (!taken) return undefined
      if (taken.fault.kind === 'hold') await taken.rule.released
      else if (taken.fault.kind === 'delay') await sleep(taken.fault.ms)
      else return taken.fault
    }
  }

  /** Holds the answer, or an exec at one of its moments, as long as a rule wants it; gives whether the connection is to be cut then. */
  async #held(call: ApiCall, moment: ExecMoment = 'answered'): Promise<boolean> {
    if (this.#take(call, (fault) => fault.kind === 'cut-at' && fault.moment === moment)) return true
    const held = this.#take(call, (fault) => fault.kind === 'hold' && fault.when === moment)
    if (!held) return false
    await held.rule.released
    // What was asked for while it was held may concern this very answer.
    return this.#take(call, (fault) => fault.kind === 'cut-answer' || fault.kind === 'cut-amid') !== undefined
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = 'GET', url = '/' } = request
    const body = await buffer(request)
    const call = callOf(method, url, body.toString())
    this.calls.push(call)
    const fault = await this.#before(call)
    if (fault?.kind === 'hang') return
    if (fault?.kind === 'refuse') return void refuse(response, call, fault)
    if (fault?.kind === 'cut-before') return void request.socket.destroy()
    const answer = await this.#ask(method, url, request.headers, body)
    if (call.verb === 'watch' && answer.statusCode === 200) {
      response.writeHead(200, answer.headers)
      response.flushHeaders()
      const streams = { from: answer, to: response, socket: request.socket }
      return await new WatchRelay(call, () => this.#rules, streams).run()
    }
    const whole = await buffer(answer)
    const cut = (await this.#held(call)) || fault?.kind === 'cut-answer'
    if (cut) return void request.socket.destroy()
    response.writeHead(answer.statusCode ?? 502, answer.headers)
    if (fault?.kind !== 'cut-amid') return void response.end(whole)
    response.write(whole.subarray(0, whole.length / 2), () => request.socket.destroy())
  }

  #ask(method: string, path: string, headers: IncomingHttpHeaders, body: Buffer): Promise<IncomingMessage> {
    const { host, port } = this.#upstream
    return new Promise((resolve, reject) => {
      const options = { agent: this.#agent, host, port, method, path, headers: { ...headers, host: `${host}:${port}` } }
      httpsRequest(options).once('response', resolve).once('error', reject).end(body)
    })
  }

  async #upgrade(request: IncomingMessage, socket: Socket, head: Buffer): Promise<void> {
    socket.on('error', () => {})
    const call = callOf('GET', request.url ?? '/')
    this.calls.push(call)
    const fault = await this.#before(call)
    if (fault?.kind === 'hang') return
    if (fault?.kind === 'cut-before') return void socket.destroy()
    if (fault?.kind === 'refuse') {
      const body = JSON.stringify(statusBody(fault.status, call))
      const retry = fault.retryAfter === undefined ? '' : `Retry-After: ${fault.retryAfter}\r\n`
      const lines = `HTTP/1.1 ${fault.status} Refused\r\nContent-Type: application/json\r\n${retry}Content-Length: ${body.length}\r\nConnection: close\r\n\r\n`
      return void socket.end(lines + body)
    }
    const relay = new ExecRelay(request, socket, head, this.#upstream, (moment) => this.#held(call, moment))
    this.#execs.set(relay, call)
    await relay.run(fault).finally(() => this.#execs.delete(relay))
  }
}

/** As an API server words a refusal of this call. */
function statusBody(code: number, { verb, resource, namespace, name }: ApiCall) {
  const reason = {
    401: 'Unauthorized',
    403: 'Forbidden',
    404: 'NotFound',
    409: verb === 'create' ? 'AlreadyExists' : 'Conflict',
    410: 'Expired',
    422: 'Invalid',
    429: 'TooManyRequests',
    500: 'InternalError',
    503: 'ServiceUnavailable',
    504: 'Timeout',
  }[code]
  const right = `cannot ${verb} resource "${resource}" in API group "" in the namespace "${namespace}"`
  const words =
    code === 403 ? `is forbidden: User "mayfly" ${right}` : `was refused with ${code} by the proxy of a test`
  const message = `${resource} "${name}" ${words}`
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason, code }
}

function refuse(response: ServerResponse, call: ApiCall, fault: Extract<Fault, { kind: 'refuse' }>): void {
  const { status, retryAfter } = fault
  const headers = {
    'content-type': 'application/json',
    ...(retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) }),
  }
  response.writeHead(status, headers).end(JSON.stringify(statusBody(status, call)))
}
