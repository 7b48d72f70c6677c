/** What the kernel knows about a process. */
import { readFileSync } from 'node:fs'

/** Ticks per second of /proc/PID/stat; fixed at 100 for user space on Linux. */
const ticksPerSecond = 100

/** Resident memory in MB (10⁶ bytes). */
export function residentMegabytes(pid: number): number {
  return fromStatus(pid, 'VmRSS')
}

/** The most that was ever resident, in MB. */
export function peakMegabytes(pid: number): number {
  return fromStatus(pid, 'VmHWM')
}

/** CPU time used so far in seconds, user and system. */
export function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  // The name in brackets may hold blanks; user and system time are fields 14 and 15.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond
}

function fromStatus(pid: number, key: string): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const kib = new RegExp(`^${key}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]
  return (Number(kib ?? Number.NaN) * 1024) / 1e6
}

/** CPU time of a process with one thread, in milliseconds; finer than `cpuSeconds`, and 0 when it is gone. */
export function scheduledMilliseconds(pid: number): number {
  try {
    return Number(readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ')[0]) / 1e6
  } catch {
    return 0
  }
}
