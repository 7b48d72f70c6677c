/** The cgroup below which all pods of a stack run: made before the kubelet, and the sure way to end whatever is in it. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** The roots of all cgroup hierarchies: several in version 1, one in version 2. */
export function cgroupRoots(mountinfo = readFileSync('/proc/self/mountinfo', 'utf8')): string[] {
  const roots: string[] = []
  for (const line of mountinfo.split('\n')) {
    const [before = '', after = ''] = line.split(' - ')
    const point = before.split(' ')[4]
    if (point && /^cgroup2? /.test(after)) roots.push(point)
  }
  return roots
}

/** Makes the cgroup below which the kubelet keeps all pods; the kubelet refuses a root that does not exist. */
export function makeCgroup(name: string): void {
  const roots = cgroupRoots()
  const [only] = roots
  if (only && roots.length === 1 && existsSync(join(only, 'cgroup.controllers'))) shareControllers(only)
  for (const root of roots) mkdirSync(join(root, name), { recursive: true })
}

/**
 * Version 2 gives controllers to children only where the parent holds no processes itself. The root of the
 * machine is exempt; the root that a container sees is not, so what runs there moves one level down.
 */
function shareControllers(root: string): void {
  const read = (file: string): string[] => readFileSync(join(root, file), 'utf8').trim().split(/\s+/).filter(Boolean)
  const shared = read('cgroup.subtree_control')
  const wanted = read('cgroup.controllers').filter((controller) => !shared.includes(controller))
  if (wanted.length === 0) return
  if (existsSync(join(root, 'cgroup.type'))) {
    mkdirSync(join(root, 'init'), { recursive: true })
    for (const pid of read('cgroup.procs')) {
      try {
        writeFileSync(join(root, 'init', 'cgroup.procs'), pid)
      } catch {
        // It ended, or is the kernel's own and does not count.
      }
    }
  }
  writeFileSync(join(root, 'cgroup.subtree_control'), wanted.map((controller) => `+${controller}`).join(' '))
}

/** Kills all processes of our cgroups and removes the cgroups; true when none is left. */
export function endCgroups(name: string): boolean {
  let left = false
  for (const root of cgroupRoots()) {
    const top = join(root, name)
    for (const folder of foldersDeepestFirst(top)) {
      try {
        const pids = readFileSync(join(folder, 'cgroup.procs'), 'utf8').split('\n').filter(Boolean).map(Number)
        // The kernel names these processes now, so none of the pids can be anybody else's.
        for (const pid of pids) process.kill(pid, 'SIGKILL')
        rmdirSync(folder)
      } catch {
        left ||= existsSync(folder)
      }
    }
  }
  return !left
}

function foldersDeepestFirst(top: string): string[] {
  if (!existsSync(top)) return []
  const below = readdirSync(top, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap((entry) => foldersDeepestFirst(join(top, entry.name)))
  return [...below, top]
}
