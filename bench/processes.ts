/** Mayfly's own processes as children of the bench. */
import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const program = join(import.meta.dirname, '..', 'cli', 'main.ts')
/** Ticks per second of /proc/PID/stat; fixed at 100 for user space on Linux. */
const ticksPerSecond = 100

/** One `mayfly` process. */
export class MayflyProcess {
  readonly pid: number
  readonly #child: ChildProcess
  readonly #log: string

  /** Starts `mayfly COMMAND…` with exactly this environment; its output goes to `log`. */
  constructor(command: string[], env: NodeJS.ProcessEnv, log: string) {
    const file = openSync(log, 'a')
    this.#child = spawn(process.execPath, [program, ...command], { env, stdio: ['ignore', file, file] })
    closeSync(file)
    this.pid = this.#child.pid ?? 0
    this.#log = log
  }

  /** Throws when it has ended; for waits. */
  mustRun(): void {
    const { exitCode, signalCode } = this.#child
    if (exitCode === null && signalCode === null) return
    const said = readFileSync(this.#log, 'utf8').slice(-2000)
    throw new Error(`mayfly ended with ${signalCode ?? exitCode}: ${said}`)
  }

  /** Ends it, gently first. */
  async stop(): Promise<void> {
    const child = this.#child
    if (child.exitCode !== null || child.signalCode !== null) return
    const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
    child.kill('SIGTERM')
    const force = setTimeout(() => child.kill('SIGKILL'), 20_000)
    await ended
    clearTimeout(force)
  }

  /** Resident memory in MB (10⁶ bytes). */
  residentMegabytes(): number {
    return this.#fromStatus('VmRSS')
  }

  /** The most that was ever resident, in MB. */
  peakMegabytes(): number {
    return this.#fromStatus('VmHWM')
  }

  /** CPU time used so far in seconds, user and system. */
  cpuSeconds(): number {
    const stat = readFileSync(`/proc/${this.pid}/stat`, 'utf8')
    // The name in brackets may hold blanks; user and system time are fields 14 and 15.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond
  }

  #fromStatus(key: string): number {
    const status = readFileSync(`/proc/${this.pid}/status`, 'utf8')
    const kib = new RegExp(`^${key}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]
    return (Number(kib ?? Number.NaN) * 1024) / 1e6
  }
}
