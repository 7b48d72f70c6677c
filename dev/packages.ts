/** Programs of the operating system: found, or on Debian as root installed. */
import { existsSync } from 'node:fs'
import type { Progress } from './cache.ts'
import { locked } from './lock.ts'
import { run, which } from './run.ts'

/** A Debian package and how to see that what we need of it is there, wherever it came from. */
export interface SystemPackage {
  name: string
  present(): boolean
}

const program = (name: string, command = name): SystemPackage => ({ name, present: () => !!which(command) })

/** Folders that may hold the CNI plugins: Debian's, and upstream's own. */
const cniFolders = ['/usr/lib/cni', '/opt/cni/bin', '/usr/libexec/cni']

/** The folder with the CNI plugins `bridge`, `host-local` and `loopback`. */
export function cniFolder(): string | undefined {
  return cniFolders.find((folder) => existsSync(`${folder}/bridge`) && existsSync(`${folder}/host-local`))
}

/** What the one-node cluster needs from the system. */
export const clusterPackages: SystemPackage[] = [
  program('containerd'),
  program('runc'),
  { name: 'containernetworking-plugins', present: () => cniFolder() !== undefined },
  program('iptables'),
  program('iproute2', 'ip'),
  program('openssl'),
]

/** What building the images needs from the system. */
export const imagePackages: SystemPackage[] = [
  program('debootstrap'),
  { name: 'busybox-static', present: () => existsSync('/bin/busybox') },
  program('python3'),
]

/** Whether missing packages can be installed by us. */
export function canInstall(): boolean {
  return process.getuid?.() === 0 && which('apt-get') !== undefined
}

/** Makes sure that all of `packages` are there; installs them where we may, else says how. */
export async function ensurePackages(packages: SystemPackage[], progress: Progress): Promise<void> {
  const missing = (): string[] => packages.filter((one) => !one.present()).map((one) => one.name)
  if (missing().length === 0) return
  if (!canInstall()) throw new Error(`missing: ${missing().join(' ')}; as root: apt-get install ${missing().join(' ')}`)
  await locked(
    'apt',
    () => progress('packages: another process is installing, waiting…'),
    async () => {
      const names = missing()
      if (names.length === 0) return
      progress(`packages: installing ${names.join(' ')}…`)
      const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
      const install = ['-y', '-q', '-o', 'DPkg::Lock::Timeout=120', 'install', '--no-install-recommends', ...names]
      try {
        await run('apt-get', install, { env, seconds: 900 })
      } catch {
        // Usually the package lists are missing or older than the archive.
        await run('apt-get', ['-q', 'update'], { env, seconds: 300 })
        await run('apt-get', install, { env, seconds: 900 })
      }
      const still = missing()
      if (still.length > 0) throw new Error(`installed, and yet not found: ${still.join(' ')}`)
    },
  )
}
