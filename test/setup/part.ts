/** One `mayfly` process of a test, started from the sources and ended by its own pid only. */
import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { until } from '../../dev/wait.ts'

const program = join(import.meta.dirname, '..', '..', 'cli', 'main.ts')
const node = join(import.meta.dirname, '..', '..', 'node_modules', '.bin', 'node')

/** What a worker logs once it takes work. */
const workerReady = 'worker is ready'

/** One process of Mayfly. */
export class Part {
  readonly name: string
  readonly log: string
  readonly #command: string[]
  readonly #env: NodeJS.ProcessEnv
  #child: ChildProcess | undefined
  #logBefore = 0

  /** `mayfly COMMAND…` with exactly this environment; its output is appended to `log`. */
  constructor(name: string, command: string[], env: NodeJS.ProcessEnv, log: string) {
    this.name = name
    this.log = log
    this.#command = command
    this.#env = env
  }

  /** Process id, while it runs. */
  get pid(): number | undefined {
    return this.#alive() ? this.#child?.pid : undefined
  }

  /** Of the one that ended last; null when that was killed, or none has ended. */
  get exitCode(): number | null {
    return this.#child?.exitCode ?? null
  }

  /** Starts it; see `ready`. */
  start(): void {
    if (this.#alive()) throw new Error(`${this.name} runs already`)
    const file = openSync(this.log, 'a')
    this.#logBefore = readFileSync(this.log).length
    this.#child = spawn(node, [program, ...this.#command], { env: this.#env, stdio: ['ignore', file, file] })
    closeSync(file)
  }

  /** Resolves once a worker takes work, or `answers` says that the API does. */
  async ready(answers: () => Promise<boolean>): Promise<void> {
    const [command] = this.#command
    const works = () => readFileSync(this.log).subarray(this.#logBefore).includes(workerReady)
    const giveUp = () => {
      if (!this.#alive()) throw new Error(`${this.name} ended while starting:\n${this.logs().slice(-4000)}`)
    }
    await until({ what: `${this.name} to be ready`, seconds: 180, log: this.log, giveUp }, async () => {
      return (command === 'api' || works()) && (command === 'worker' || (await answers()))
    })
  }

  /** Sends a signal and resolves when the process has ended, if it runs; SIGKILL follows after two minutes. */
  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const child = this.#child
    if (!child || !this.#alive()) return
    const ended = new Promise((resolve) => child.once('exit', resolve))
    child.kill(signal)
    const force = setTimeout(() => child.kill('SIGKILL'), 120_000)
    await ended
    clearTimeout(force)
  }

  /** Everything it has written, over all its starts. */
  logs(): string {
    return readFileSync(this.log, 'utf8')
  }

  #alive(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null
  }
}
