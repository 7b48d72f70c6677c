/** One watch through the proxy: events pass line by line, and rules change what is told of them. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ApiCall, Rule, WatchFault } from './fault-rules.ts'

interface Streams {
  from: IncomingMessage
  to: ServerResponse
  socket: Socket
}

const gone = `${JSON.stringify({
  type: 'ERROR',
  object: { kind: 'Status', apiVersion: 'v1', status: 'Failure', reason: 'Expired', code: 410, message: 'too old' },
})}\n`

/** Passes the events of one watch on. */
export class WatchRelay {
  readonly #call: ApiCall
  readonly #rules: () => readonly Rule[]
  readonly #streams: Streams
  /** Told after the next event. */
  #kept = ''

  constructor(call: ApiCall, rules: () => readonly Rule[], streams: Streams) {
    this.#call = call
    this.#rules = rules
    this.#streams = streams
  }

  /** Resolves when the stream is over. */
  async run(): Promise<void> {
    const { from, to } = this.#streams
    to.once('close', () => from.destroy())
    let rest = ''
    try {
      for await (const chunk of from.setEncoding('utf8')) {
        const lines = (rest + chunk).split('\n')
        rest = lines.pop() ?? ''
        for (const line of lines) if (!(await this.#tell(`${line}\n`))) return
      }
      to.end(this.#kept)
    } catch {
      to.destroy()
    }
  }

  /** False when the stream is over with this. */
  async #tell(line: string): Promise<boolean> {
    const { to, socket } = this.#streams
    const fault = this.#faultOf(line)
    switch (fault?.kind) {
      case 'drop':
        socket.destroy()
        return false
      case 'gone':
        to.end(gone)
        return false
      case 'hide':
        return true
      case 'reorder':
        this.#kept += line
        return true
      case 'late':
        await sleep(fault.ms)
    }
    const told = fault?.kind === 'duplicate' ? line + line : line
    to.write(told + this.#kept)
    this.#kept = ''
    return true
  }

  #faultOf(line: string): WatchFault | undefined {
    if (!this.#rules().some((rule) => 'events' in rule.spec)) return undefined
    const { object } = JSON.parse(line) as { object: { metadata?: { name?: string } } }
    const event = { ...this.#call, name: object.metadata?.name ?? '' }
    for (const rule of this.#rules()) if ('events' in rule.spec && rule.takes(event)) return rule.spec.events
  }
}
