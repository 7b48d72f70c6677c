/** Removes what containers leave on the machine when nobody ends them in order: processes, mounts, cgroups, sockets. */
import { existsSync, lstatSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs'
import { basename, join } from 'node:path'
import { endCgroups } from './cgroups.ts'
import { removeNetwork } from './network.ts'
import { podNetwork } from './numbers.ts'
import type { Stack } from './parts.ts'
import { findProcesses, signal } from './process.ts'
import { run } from './run.ts'
import { until } from './wait.ts'

/** The name of a stack's cgroup and CNI network: unique per state folder. */
export function ownName(stack: Pick<Stack, 'paths'>): string {
  return `mayfly-${basename(stack.paths.run)}`
}

/** The mount points in the text of /proc/self/mountinfo, unescaped, the deepest first. */
export function mountPoints(mountinfo: string): string[] {
  const points = mountinfo
    .split('\n')
    .map((line) => line.split(' ')[4])
    .filter((point) => point !== undefined)
  const unescaped = points.map((point) =>
    point.replace(/\\([0-7]{3})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 8))),
  )
  // Mounts over mounts: the later line is the upper one.
  return unescaped.reverse().sort((a, b) => b.split('/').length - a.split('/').length)
}

/** Ends every container and shim of the stack and removes every trace outside its state folder. Only when kubelet and containerd are dead. */
export async function sweep(stack: Stack): Promise<void> {
  const { paths, record } = stack
  const socket = join(paths.run, 'containerd.sock')
  const isShim = (args: string[]): boolean => /containerd-shim/.test(args[0] ?? '') && args.includes(socket)
  await until({ what: 'the container shims to end', seconds: 120 }, () => {
    const shims = findProcesses(isShim)
    for (const shim of shims) signal(shim, 'SIGKILL')
    return shims.length === 0
  })
  await until({ what: 'the containers to end', seconds: 120 }, () => endCgroups(ownName(stack)))
  removeShimSockets(join(paths.run, 'containerd'))
  await unmountBelow([paths.run, paths.state])
  await removeNetwork(podNetwork(record.index), ownName(stack))
  rmSync(paths.run, { recursive: true, force: true })
  removeLogLinks(join(paths.state, 'kubelet', 'pod-logs'))
}

/** A shim that was killed leaves its socket in a folder that all containerds of the machine share. */
function removeShimSockets(state: string): void {
  const bundles = join(state, 'io.containerd.runtime.v2.task', 'k8s.io')
  if (!existsSync(bundles)) return
  for (const bundle of readdirSync(bundles)) {
    const file = join(bundles, bundle, 'address')
    if (!existsSync(file)) continue
    const socket = readFileSync(file, 'utf8')
      .trim()
      .replace(/^unix:\/\//, '')
    if (socket.startsWith('/')) rmSync(socket, { force: true })
  }
}

async function unmountBelow(folders: string[]): Promise<void> {
  await until({ what: `mounts below ${folders.join(' and ')} to go`, seconds: 120 }, async () => {
    const points = mountPoints(readFileSync('/proc/self/mountinfo', 'utf8'))
    const ours = points.filter((point) => folders.some((folder) => point.startsWith(`${folder}/`)))
    // Lazily: a process of somebody else who looks into it must not keep it.
    for (const point of ours) await run('umount', ['-l', point]).catch(() => {})
    return ours.length === 0
  })
}

/** The kubelet links every container's log into one folder of the machine. */
function removeLogLinks(podLogs: string): void {
  const links = '/var/log/containers'
  if (!existsSync(links)) return
  for (const name of readdirSync(links)) {
    const file = join(links, name)
    if (lstatSync(file).isSymbolicLink() && readlinkSync(file).startsWith(`${podLogs}/`)) rmSync(file, { force: true })
  }
}
