/** Targets of notifications on loopback: a web hook that does what a test tells it, and a mail server. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { SMTPServer } from 'smtp-server'

/** A request that came in. */
export interface Received {
  method: string
  path: string
  headers: Record<string, string | string[] | undefined>
  /** Parsed JSON, else the text. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into documents of every shape
  body: any
}

/** What a web hook does with a request; a number is the status of its answer, 'hang' answers never. */
export type Behaviour = (request: Received, count: number) => number | 'hang'

/** A web hook on loopback. Every path is a target of its own, with its own requests. */
export class WebhookTarget {
  readonly #server = createServer((request, response) => void this.#receive(request, response))
  readonly #requests = new Map<string, Received[]>()
  readonly #behaviours = new Map<string, Behaviour>()

  async start(): Promise<this> {
    await listening(this.#server)
    return this
  }

  url(path: string): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}${path}`
  }

  /** How the target at a path behaves; without this it answers 200. */
  behave(path: string, behaviour: Behaviour): void {
    this.#behaviours.set(path, behaviour)
  }

  at(path: string): Received[] {
    return this.#requests.get(path) ?? []
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  async #receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url ?? '/'
    const received = { method: request.method ?? '', path, headers: request.headers, body: parsed(await text(request)) }
    const all = [...this.at(path), received]
    this.#requests.set(path, all)
    const answer = this.#behaviours.get(path)?.(received, all.length) ?? 200
    if (answer !== 'hang')
      response.writeHead(answer).end(answer < 400 ? '{}' : `not now, ${request.headers.authorization}`)
  }
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    return body
  }
}

/** A letter that came in. */
export interface Letter {
  from: string
  to: string[]
  /** Headers and text, as sent. */
  source: string
  user: string | undefined
}

/** A mail server on loopback that takes every letter of whoever knows its password. */
export class MailTarget {
  readonly letters: Letter[] = []
  readonly #server: SMTPServer

  constructor(login: { username: string; password: string }) {
    this.#server = new SMTPServer({
      disabledCommands: ['STARTTLS'],
      allowInsecureAuth: true,
      onAuth: ({ username, password }, _session, done) =>
        username === login.username && password === login.password
          ? done(null, { user: username })
          : done(new Error('Invalid username or password')),
      onData: (stream, session, done) => {
        text(stream).then((source) => {
          const { mailFrom, rcptTo } = session.envelope
          this.letters.push({
            from: mailFrom ? mailFrom.address : '',
            to: rcptTo.map(({ address }) => address),
            source,
            user: session.user,
          })
          done()
        }, done)
      },
    })
  }

  async start(): Promise<this> {
    await listening(this.#server)
    return this
  }

  get port(): number {
    return (this.#server.server.address() as AddressInfo).port
  }

  async stop(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.close(() => resolve()))
  }
}

/** The part of a server that both kinds have. */
interface Listener {
  on(event: 'error', failed: (error: Error) => void): unknown
  listen(port: number, host: string, done: () => void): unknown
}

function listening(server: Listener): Promise<void> {
  return new Promise((resolve, reject) => {
    server.on('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
}
