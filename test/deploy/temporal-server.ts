/** The servers of `temporal-compose.yml` on this machine, without containers. */
import { type ChildProcess, spawn } from 'node:child_process'
import { createWriteStream, readFileSync, type WriteStream } from 'node:fs'
import { temporalServes } from '../../dev/health.ts'
import { until } from '../../dev/wait.ts'
import { freePort } from '../setup/port.ts'
import type { Step } from './compose-file.ts'

/**
 * Free ports for the server's roles, under the names that `deploy/temporal/server.yaml` reads. Temporal stores them in a signed two-byte column, so they must be, and are, below 32768.
 */
export async function freePorts(names: readonly string[]): Promise<Record<string, string>> {
  const ports: Record<string, string> = {}
  for (const name of names) ports[name] = String(await freePort())
  return ports
}

/** A Temporal server as a child of the test. */
export class TemporalServer {
  readonly address: string
  readonly #step: Step
  readonly #log: string
  #child: ChildProcess | undefined
  #output: WriteStream | undefined

  constructor(step: Step, address: string, log: string) {
    this.#step = step
    this.address = address
    this.#log = log
  }

  /** Its process id. Throws while it does not run. */
  get pid(): number {
    if (this.#child?.pid === undefined) throw new Error('temporal-server does not run')
    return this.#child.pid
  }

  /** Starts it and waits until it serves. */
  async start(): Promise<void> {
    this.#output = createWriteStream(this.#log, { flags: 'a' })
    const child = spawn(this.#step.program, this.#step.args, { env: this.#step.env, stdio: ['ignore', 'pipe', 'pipe'] })
    this.#child = child
    child.stdout.pipe(this.#output, { end: false })
    child.stderr.pipe(this.#output, { end: false })
    const giveUp = (): void => {
      if (child.exitCode === null) return
      const said = readFileSync(this.#log, 'utf8').slice(-1500)
      throw new Error(`temporal-server ended with ${child.exitCode}: ${said}`)
    }
    await until({ what: 'temporal-server to serve', seconds: 180, log: this.#log, giveUp }, () =>
      temporalServes(this.address),
    )
  }

  /** Ends it with a signal and waits for its end. */
  async stop(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child
    this.#child = undefined
    if (child && child.exitCode === null && child.signalCode === null) {
      const ended = new Promise((resolve) => child.once('exit', resolve))
      child.kill(signal)
      await ended
    }
    this.#output?.end()
  }
}
