/** Processor time by part of the system, so that every millisecond of a job has a name. */
import { readdirSync, readFileSync } from 'node:fs'
import { stackStatus } from '../dev/stack.ts'
import { info, type Measurement } from './bench.ts'
import type { Stand } from './stand.ts'

const ticksPerSecond = 100

/** Process ids by name; those of `families` count with everything they started, also what has ended. */
export interface Parts {
  single: Record<string, number>
  families: Record<string, number>
}

/** The parts of a stand and of its stack, and further processes of the bench. */
export async function partsOf(stand: Stand, more: Record<string, number>): Promise<Parts> {
  const { parts } = await stackStatus(stand.stack.stackName)
  const ofStack = Object.fromEntries(parts.filter(({ alive }) => alive).map(({ part, pid }) => [part, pid]))
  const { postgres, containerd: _unused, ...others } = ofStack
  const { ownTemporal } = stand.stack
  if (ownTemporal) others.temporal = ownTemporal.pid
  return {
    single: { api: stand.apiPid, worker: stand.workerPid, ...others, ...more, bench: process.pid },
    families: {
      ...(postgres === undefined ? {} : { postgres }),
      ...(ownTemporal ? { 'PostgreSQL of Temporal': ownTemporal.postgresPid } : {}),
    },
  }
}

/** Seconds used so far, by part. */
export function usedBy({ single, families }: Parts): Map<string, number> {
  const used = new Map<string, number>()
  for (const [name, pid] of Object.entries(single)) used.set(name, ticks(pid).own / ticksPerSecond)
  for (const [name, pid] of Object.entries(families)) {
    const members = [pid, ...childrenOf(pid)].map(ticks)
    // What children have used that are gone is in their parent's account.
    used.set(name, (members.reduce((all, { own }) => all + own, 0) + ticks(pid).ended) / ticksPerSecond)
  }
  return used
}

/** The table: milliseconds of each part for each of `jobs`, and all of them together. */
export function perJob(
  bench: string,
  before: Map<string, number>,
  after: Map<string, number>,
  jobs: number,
): Measurement[] {
  const rows = [...after].map(([name, seconds]) => ({ name, ms: ((seconds - (before.get(name) ?? 0)) * 1000) / jobs }))
  rows.sort((a, b) => b.ms - a.ms)
  const total = rows.reduce((all, { ms }) => all + ms, 0)
  return [
    info(`${bench}.cpu.total`, total, 'ms of CPU a job'),
    ...rows.map(({ name, ms }) => info(`${bench}.cpu.${name}`, ms, 'ms of CPU a job')),
  ]
}

/** Fields 14 to 17 of /proc/PID/stat. */
function ticks(pid: number): { own: number; ended: number } {
  try {
    const fields = statFields(pid)
    return { own: Number(fields[11]) + Number(fields[12]), ended: Number(fields[13]) + Number(fields[14]) }
  } catch {
    return { own: 0, ended: 0 }
  }
}

function childrenOf(parent: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        return Number(statFields(pid)[1]) === parent
      } catch {
        return false
      }
    })
}

function statFields(pid: number): string[] {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  // The name in brackets may hold blanks.
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')
}
