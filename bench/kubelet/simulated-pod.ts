/** A pod whose container does what the spooled worker of kubernetes/scripts.ts does, without a process. */
import type { Behaviour } from './behaviour.ts'
import { capturedOutput } from './captured-output.ts'

/** What the node reports of the pod's container. */
export type Report =
  | { state: 'waiting'; reason: string; message: string }
  | { state: 'running'; since: Date }
  | { state: 'ended'; exitCode: number; reason: string; since: Date; until: Date }
  | { state: 'evicted'; since: Date; until: Date }

/** The files of the protocol, and whoever waits for one of them. */
export class SimulatedPod {
  /** `in/commit`: a payload was delivered, or never will be. */
  committed = false
  /** `in/rc`. */
  exitCode: number | undefined
  readonly behaviour: Behaviour
  readonly #id: string
  readonly #report: (report: Report) => void
  readonly #timers = new Set<NodeJS.Timeout>()
  #runnerTimer: NodeJS.Timeout | undefined
  readonly #waiting = new Set<() => void>()
  #state: 'starting' | 'running' | 'ended' = 'starting'
  #since = new Date()
  #spool: Buffer = Buffer.alloc(0)
  #runner: 'none' | 'running' | 'ended' = 'none'

  /** `id`: 8 hexadecimal digits of its own. Nothing happens before `begin`; `report` is called as late as the behaviour says. */
  constructor(behaviour: Behaviour, id: string, report: (report: Report) => void) {
    this.behaviour = behaviour
    this.#id = id
    this.#report = report
  }

  get state(): 'starting' | 'running' | 'ended' {
    return this.#state
  }

  /** `in/pid`: the runner was started. */
  get runnerStarted(): boolean {
    return this.#runner !== 'none'
  }

  /** `spool/out`. */
  get spool(): Buffer {
    return this.#spool
  }

  /** The node has the pod: pulls, starts. */
  begin(): void {
    const { outcome, startMs } = this.behaviour
    if (outcome === 'unpullable') {
      const message = 'rpc error: code = NotFound desc = failed to pull image: not found'
      this.#reportLater({ state: 'waiting', reason: 'ErrImagePull', message })
      return
    }
    this.#after(startMs, () => {
      this.#state = 'running'
      this.#since = new Date()
      this.#reportLater({ state: 'running', since: this.#since })
      this.#changed()
    })
  }

  /** The payload is there and nobody else's was: the runner starts. */
  startRunner(): void {
    const { outcome, runMs } = this.behaviour
    this.#runner = 'running'
    const output = capturedOutput(outcome === 'failed' ? 'failed' : 'successful', this.#id)
    this.#say(output.beginning)
    this.#runnerTimer = this.#after(outcome === 'killed' || outcome === 'evicted' ? runMs / 2 : runMs, () => {
      if (outcome === 'evicted') return this.#evict()
      if (outcome === 'killed') {
        this.#say(output.end.subarray(0, output.end.indexOf(10) - 20))
        this.#endRunner(137)
        return
      }
      this.#say(output.end)
      this.#endRunner(0)
    })
  }

  /** TERM for the runner; false when none runs any more. */
  stopRunner(): boolean {
    if (this.#runner !== 'running') return false
    clearTimeout(this.#runnerTimer)
    // What the beginning of the captured run said was said already; the rest is that of one that was stopped.
    const { end } = capturedOutput('canceled', this.#id)
    this.#say(end.subarray(end.indexOf('{"status": "canceled"')))
    this.#endRunner(254)
    return true
  }

  /** The wrapper was told that everything is stored: the container ends. */
  letGo(): void {
    if (this.#state !== 'running') return
    this.#end(this.exitCode ?? 0)
  }

  /** TERM for the container: the pod was deleted with time to end. `gone` is called when it has. */
  terminate(gone: () => void): void {
    const running = this.stopRunner()
    this.#after(running ? 100 : 0, () => {
      if (this.#state === 'running') this.#end(running ? (this.exitCode ?? 143) : 143)
      gone()
    })
  }

  /** The pod is no more: nothing of it goes on. */
  vanish(): void {
    this.#state = 'ended'
    for (const timer of this.#timers) clearTimeout(timer)
    this.#timers.clear()
    this.#changed()
  }

  /** Resolves once `found` gives something else than undefined, asked at every change; null when aborted or after `ms`. */
  async until<T>(found: () => T | undefined, signal: AbortSignal, ms?: number): Promise<T | null> {
    const late = ms === undefined ? signal : AbortSignal.any([signal, AbortSignal.timeout(ms)])
    for (;;) {
      const value = found()
      if (value !== undefined) return value
      if (late.aborted) return null
      await new Promise<void>((resolve) => {
        const done = () => {
          this.#waiting.delete(done)
          late.removeEventListener('abort', done)
          resolve()
        }
        this.#waiting.add(done)
        late.addEventListener('abort', done, { once: true })
      })
    }
  }

  #endRunner(code: number): void {
    this.#runner = 'ended'
    this.exitCode = code
    this.#changed()
  }

  #end(exitCode: number): void {
    this.#state = 'ended'
    const reason = exitCode === 0 ? 'Completed' : 'Error'
    this.#reportLater({ state: 'ended', exitCode, reason, since: this.#since, until: new Date() })
    this.#changed()
  }

  #evict(): void {
    this.#state = 'ended'
    this.#report({ state: 'evicted', since: this.#since, until: new Date() })
    this.#changed()
  }

  #say(bytes: Buffer): void {
    this.#spool = Buffer.concat([this.#spool, bytes])
    this.#changed()
  }

  #reportLater(report: Report): void {
    this.#after(this.behaviour.reportMs, () => this.#report(report))
  }

  #after(ms: number, act: () => void): NodeJS.Timeout {
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      act()
    }, ms)
    this.#timers.add(timer)
    return timer
  }

  #changed(): void {
    for (const wake of [...this.#waiting]) wake()
  }
}
