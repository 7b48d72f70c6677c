/** Looks at the machine and says what is missing for a stack of our own, and the remedy. */
import { existsSync, readFileSync, statfsSync } from 'node:fs'
import { availableParallelism, totalmem } from 'node:os'
import { dirname } from 'node:path'
import { findPython, pythonIsRecent } from './ansible.ts'
import { cachedFolder } from './cache.ts'
import { cgroupRoots } from './cgroups.ts'
import { etcdBuild, goIsRecent, kubernetesBuild, temporalBuild } from './go-builds.ts'
import { canInstall, clusterPackages, imagePackages } from './packages.ts'
import { cacheRoot } from './paths.ts'
import { postgresFolder } from './postgres.ts'
import { run, which } from './run.ts'

/** One line of the doctor's report. */
export interface Check {
  name: string
  ok: boolean
  detail: string
  /** What to do; only when something is wrong. */
  remedy?: string
}

/** All checks; with a cluster or a Temporal given, what only a part of our own needs is not asked for. */
export async function doctor(env: NodeJS.ProcessEnv = process.env): Promise<Check[]> {
  const ownCluster = !(env.MAYFLY_KUBECONFIG || env.KUBECONFIG || env.MAYFLY_KUBE_CONTEXT)
  const checks = [nodeCheck(), machineCheck(), ...(await temporalChecks(env)), ...(await ansibleChecks())]
  if (ownCluster) checks.push(...(await clusterChecks(env)))
  else checks.push(...givenClusterChecks(env))
  checks.push(postgresCheck())
  return checks
}

function check(name: string, ok: boolean, detail: string, remedy: string): Check {
  return ok ? { name, ok, detail } : { name, ok, detail, remedy }
}

function nodeCheck(): Check {
  const ok = Number(process.versions.node.split('.')[0]) >= 24
  return check('node', ok, `Node ${process.versions.node}`, 'run through npm, which brings Node 24 along (npm install)')
}

function machineCheck(): Check {
  const memory = totalmem() / 2 ** 30
  const detail = `${availableParallelism()} cores, ${memory.toFixed(1)} GiB memory`
  return check('machine', memory >= 3.5, detail, 'the whole stack needs about 2 GiB, and building it 4 GiB')
}

async function temporalChecks(env: NodeJS.ProcessEnv): Promise<Check[]> {
  if (env.TEMPORAL_ADDRESS) return [{ name: 'temporal', ok: true, detail: `given: ${env.TEMPORAL_ADDRESS}` }]
  const program = which('temporal', env)
  if (program) return [{ name: 'temporal', ok: true, detail: program }]
  if (existsSync(cachedFolder(temporalBuild(), env))) return [{ name: 'temporal', ok: true, detail: 'built' }]
  return [{ name: 'temporal', ok: true, detail: 'will be built (about 3 min, once)' }, await goCheck(env)]
}

async function goCheck(env: NodeJS.ProcessEnv): Promise<Check> {
  const go = which('go', env)
  const version = go ? await run(go, ['version']).catch(() => '') : ''
  if (goIsRecent(version)) return { name: 'go', ok: true, detail: version.trim() }
  const found = version.trim() || 'no Go'
  // Any Go can fetch a newer one as a module, and apt brings any Go.
  const ok = go !== undefined || canInstall()
  return check('go', ok, `${found}; a newer one will be fetched`, 'install Go 1.25 or newer')
}

async function ansibleChecks(): Promise<Check[]> {
  const python = await findPython()
  const ok = python ? pythonIsRecent(python.version) : canInstall()
  const detail = python ? `Python ${python.version} with pip` : 'no Python with pip'
  return [
    check('python', ok, detail, 'install Python 3.11 or newer with pip: project updates run Ansible on this machine'),
  ]
}

async function clusterChecks(env: NodeJS.ProcessEnv): Promise<Check[]> {
  const root = process.getuid?.() === 0
  const remedyRoot = 'run as root, or name a cluster in MAYFLY_KUBECONFIG'
  const missing = [...clusterPackages, ...imagePackages].filter((one) => !one.present()).map((one) => one.name)
  const found = missing.length === 0 ? 'all there' : `missing: ${missing.join(' ')}`
  const packages = canInstall() && missing.length > 0 ? `${found} (will be installed)` : found
  const built = [etcdBuild(), kubernetesBuild()].every((build) => existsSync(cachedFolder(build, env)))
  const kernel = readFileSync('/proc/filesystems', 'utf8').includes('overlay')
  return [
    check('root', root, root ? 'yes' : 'no', remedyRoot),
    check('packages', missing.length === 0 || canInstall(), packages, `apt-get install ${missing.join(' ')}`),
    check('cgroups', cgroupRoots().length > 0, cgroupDetail(), 'mount the cgroup file system'),
    check('overlayfs', kernel, kernel ? 'yes' : 'not in this kernel', 'modprobe overlay'),
    check(
      'kmsg',
      existsSync('/dev/kmsg'),
      '/dev/kmsg',
      'in a container: give it /dev/kmsg; the kubelet watches it for killed processes',
    ),
    diskCheck(env),
    { name: 'kubernetes', ok: true, detail: built ? 'built' : 'will be built (about 5 min, once)' },
    ...(built ? [] : [await goCheck(env)]),
  ]
}

function cgroupDetail(): string {
  const roots = cgroupRoots()
  return roots.length === 1 ? 'version 2' : `version 1 (${roots.length} hierarchies)`
}

function diskCheck(env: NodeJS.ProcessEnv): Check {
  let folder = cacheRoot(env)
  while (!existsSync(folder)) folder = dirname(folder)
  const { bavail, bsize } = statfsSync(folder)
  const free = (bavail * bsize) / 2 ** 30
  return check(
    'disk',
    free >= 8,
    `${free.toFixed(0)} GiB free below ${folder}`,
    'builds and images need about 8 GiB; set MAYFLY_CACHE and MAYFLY_STATE',
  )
}

function givenClusterChecks(env: NodeJS.ProcessEnv): Check[] {
  const file = env.MAYFLY_KUBECONFIG || env.KUBECONFIG
  const image = env.MAYFLY_EE_IMAGE
  return [
    check(
      'kubernetes',
      !file || existsSync(file),
      `given: ${file ?? env.MAYFLY_KUBE_CONTEXT}`,
      'the kubeconfig file does not exist',
    ),
    check(
      'image',
      !!image,
      image ?? 'none',
      'name an execution environment that the cluster can pull in MAYFLY_EE_IMAGE',
    ),
  ]
}

function postgresCheck(): Check {
  const folder = postgresFolder()
  return check(
    'postgres',
    !!folder,
    folder ?? 'none (only tests need it)',
    'apt-get install postgresql, or npm install',
  )
}
