/** Detached processes that are known again later by pid and start time, so that a recycled pid is never taken for ours. */
import { spawn } from 'node:child_process'
import {
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  truncateSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { until } from './wait.ts'

/** Names one process of one boot of the machine. */
export interface Identity {
  pid: number
  /** Field 22 of /proc/PID/stat: clock ticks since boot. */
  startTime: string
  bootId: string
}

/** How to start a part, kept so that it can be started again in the same way. */
export interface Command {
  program: string
  args: string[]
  /** Added to the environment; the rest is only PATH, HOME and the language. */
  env?: Record<string, string>
  cwd?: string
  uid?: number
  gid?: number
  /** The folder that it and its children work in; a start waits until an earlier one's children have left it. */
  workFolder?: string
  /** Its lock file, removed before a start: one that was killed stays on the process list for a while and would seem to hold it. */
  lockFile?: string
  /** Files whose content it reads once, at its start: when they change, it is started anew. */
  configHash?: string
  log: string
}

const logLimit = 32 * 1024 * 1024

/** The kernel's name for the time since the machine was last started. */
export function bootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
}

/** What /proc/PID/stat says of a process; the name in brackets may hold blanks and brackets. */
export function parseStat(text: string): { state: string; threads: number; startTime: string } | undefined {
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  const state = fields[0]
  const startTime = fields[19]
  return state && startTime ? { state, threads: Number(fields[17]), startTime } : undefined
}

/** Who has this pid now; undefined when nobody has, or when it is dead and only waits to be reaped. */
export function identify(pid: number): Identity | undefined {
  try {
    const stat = parseStat(readFileSync(`/proc/${pid}/stat`, 'utf8'))
    // While a killed process has threads that are still ending, it holds its ports and locks.
    if (!stat || stat.state === 'X' || (stat.state === 'Z' && stat.threads <= 1)) return undefined
    return { pid, startTime: stat.startTime, bootId: bootId() }
  } catch {
    return undefined
  }
}

/** Whether two identities name the same process. */
export function same(a: Identity | undefined, b: Identity | undefined): boolean {
  return !!a && !!b && a.pid === b.pid && a.startTime === b.startTime && a.bootId === b.bootId
}

/** Whether exactly this process still runs. */
export function alive(identity: Identity | undefined): boolean {
  return !!identity && same(identity, identify(identity.pid))
}

/** Resident memory in bytes, 0 when the process is gone. */
export function residentBytes(identity: Identity): number {
  try {
    if (!alive(identity)) return 0
    const kib = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${identity.pid}/status`, 'utf8'))?.[1]
    return Number(kib ?? 0) * 1024
  } catch {
    return 0
  }
}

/** Starts a process that outlives us, its output appended to its log. */
export async function launch(command: Command): Promise<Identity> {
  mkdirSync(dirname(command.log), { recursive: true })
  // Nobody rotates these logs; a start is the one moment when nothing is lost that still matters.
  const size = statSync(command.log, { throwIfNoEntry: false })?.size ?? 0
  if (size > logLimit) truncateSync(command.log)
  const log = openSync(command.log, 'a')
  try {
    const child = spawn(command.program, command.args, {
      detached: true,
      stdio: ['ignore', log, log],
      cwd: command.cwd ?? '/',
      env: { PATH: process.env.PATH, HOME: process.env.HOME ?? '/', LANG: 'C.UTF-8', ...command.env },
      ...(command.uid === undefined ? {} : { uid: command.uid, gid: command.gid }),
    })
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve)
      child.once('error', reject)
    })
    child.unref()
    const identity = identify(child.pid ?? 0)
    if (!identity) throw new Error(`${command.program} ended at once; see ${command.log}`)
    return identity
  } finally {
    closeSync(log)
  }
}

/** Sends a signal to exactly this process; false when it is gone. */
export function signal(identity: Identity, name: NodeJS.Signals): boolean {
  if (!alive(identity)) return false
  try {
    process.kill(identity.pid, name)
    return true
  } catch {
    return false
  }
}

/** Ends a process: the gentle signal first, SIGKILL when that does not help in time. */
export async function end(identity: Identity, gentle: NodeJS.Signals = 'SIGTERM', seconds = 10): Promise<void> {
  if (!signal(identity, gentle)) return
  try {
    await until({ what: `process ${identity.pid} to end`, seconds, everyMs: 10 }, () => !alive(identity))
  } catch {
    signal(identity, 'SIGKILL')
    await until(
      { what: `process ${identity.pid} to end after SIGKILL`, seconds: 60, everyMs: 20 },
      () => !alive(identity),
    )
  }
}

/** The current folder of a process; undefined when it is gone. */
export function workFolder(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/cwd`)
  } catch {
    return undefined
  }
}

/** All processes whose arguments (and pid) satisfy `matches`. */
export function findProcesses(matches: (args: string[], pid: number) => boolean): Identity[] {
  const found: Identity[] = []
  for (const entry of readdirSync('/proc')) {
    const pid = Number(entry)
    if (!Number.isInteger(pid)) continue
    try {
      const args = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
      const identity = matches(args, pid) ? identify(pid) : undefined
      if (identity) found.push(identity)
    } catch {
      // It ended while we looked.
    }
  }
  return found
}
