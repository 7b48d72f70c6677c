/** Everything a development or test machine lacks: Temporal, Kubernetes, an execution environment image, PostgreSQL. */
import { existsSync, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import type { Progress } from './cache.ts'
import { cleanCluster, clusterFiles, clusterParts, ensureCluster } from './cluster.ts'
import { importImage } from './containerd.ts'
import { buildExecutionEnvironment } from './execution-environment.ts'
import { partHealthy } from './health.ts'
import { buildNoRunnerImage, buildPauseImage } from './images.ts'
import { locked } from './lock.ts'
import { chooseIndex, choosePorts, type PortName, port } from './numbers.ts'
import { clusterPackages, ensurePackages } from './packages.ts'
import { partLives, restart, type Stack, stopPart } from './parts.ts'
import { stackPaths } from './paths.ts'
import { ensurePostgres, postgresData } from './postgres.ts'
import { bootId, residentBytes } from './process.ts'
import { listParts, otherRecords, readPart, readStackRecord, writeStackRecord } from './state.ts'
import { sweep } from './sweep.ts'
import { ensureTemporal } from './temporal.ts'

/** What to start. A part that the environment names (see `given`) is used and not started. */
export interface StackOptions {
  /** One machine may run several stacks, e.g. `dev` and `test`. */
  name: string
  want: { kubernetes: boolean; temporal: boolean; image: boolean; postgres?: boolean }
  progress: Progress
  /** Names the given parts and the state folder; PATH and MAYFLY_CACHE are always the process's own. */
  env?: NodeJS.ProcessEnv
}

/** Where the parts of a running stack are. */
export interface StackAddresses {
  temporalAddress?: string
  temporalUiUrl?: string
  kubeconfigPath?: string
  kubeContext?: string
  /** The API server's audit log; only of a cluster of ours. */
  auditLogPath?: string
  /** Reference of the execution environment image. */
  image?: string
  /** Superuser's address of the database `mayfly`. */
  postgresUrl?: string
  /** Which parts the environment gave: `temporal`, `kubernetes`, `image`. */
  given: string[]
}

/** One part of a stack, as it is now. */
export interface PartStatus {
  part: string
  alive: boolean
  healthy: boolean
  pid: number
  residentBytes: number
  log: string
}

/** A stack as it is now. */
export interface StackStatus {
  name: string
  stateFolder: string
  ports: Record<string, number>
  parts: PartStatus[]
}

/** Parts in the order in which they are stopped. */
const allParts = [...clusterParts, 'temporal', 'postgres']

/** Starts what is wanted and does not run yet, builds what is not built yet, and gives the addresses. */
export async function startStack(options: StackOptions): Promise<StackAddresses> {
  const paths = stackPaths(options.name, options.env)
  const waiting = (): void => options.progress(`${options.name}: another process starts or stops it, waiting…`)
  return locked(paths.state, waiting, () => start(options))
}

async function start(options: StackOptions): Promise<StackAddresses> {
  const { want, progress, env = process.env } = options
  const addresses: StackAddresses = { given: [] }
  const { stack, rebooted } = await openStack(options)
  const tasks: Promise<void>[] = []
  if (want.temporal) tasks.push(startTemporal(stack, rebooted, addresses, progress, env))
  if (want.kubernetes || want.image) tasks.push(startKubernetes(options, stack, rebooted, addresses))
  if (want.postgres) {
    tasks.push(
      ensurePostgres(stack, rebooted, progress).then((url) => {
        addresses.postgresUrl = url
      }),
    )
  }
  await settled(tasks, progress)
  return addresses
}

/** Lets all tasks finish, then fails with what failed: a build or a start abandoned half-way would be nobody's. */
async function settled(tasks: Promise<void>[], progress: Progress): Promise<void> {
  const failed = new Set<Error>()
  const watched = tasks.map((task) =>
    task.catch((error: Error) => {
      if (!failed.has(error)) progress(`failed: ${error.message.split('\n')[0]} (letting the rest finish)`)
      failed.add(error)
    }),
  )
  await Promise.all(watched)
  const errors = [...failed]
  if (errors.length > 1) throw new AggregateError(errors, errors.map((error) => error.message).join('\n'))
  if (errors[0]) throw errors[0]
}

/** Reads the stack's numbers, choosing what is not chosen yet. `rebooted`: the machine went down while the stack ran. */
async function openStack(options: StackOptions): Promise<{ stack: Stack; rebooted: boolean }> {
  const paths = stackPaths(options.name, options.env)
  return locked(
    'stack-numbers',
    () => {},
    async () => {
      const known = readStackRecord(paths)
      const index = known?.index ?? chooseIndex(otherRecords(paths, options.env).map((other) => other.index))
      const ports = await choosePorts(index, known?.ports ?? {}, (name) => portIsOurs({ paths }, name))
      const record = { index, ports, runningSince: bootId() }
      writeStackRecord(paths, record)
      const rebooted = known?.runningSince !== undefined && known.runningSince !== record.runningSince
      return { stack: { name: options.name, paths, record }, rebooted }
    },
  )
}

function portIsOurs(stack: Pick<Stack, 'paths'>, name: PortName): boolean {
  const owners: Partial<Record<PortName, string>> = {
    'temporal-ui': 'temporal',
    'etcd-peer': 'etcd',
    'kubelet-health': 'kubelet',
  }
  return partLives(stack, owners[name] ?? name)
}

async function startTemporal(
  stack: Stack,
  rebooted: boolean,
  addresses: StackAddresses,
  progress: Progress,
  env: NodeJS.ProcessEnv,
): Promise<void> {
  if (env.TEMPORAL_ADDRESS) {
    addresses.temporalAddress = env.TEMPORAL_ADDRESS
    addresses.given.push('temporal')
    return
  }
  await ensureTemporal(stack, rebooted, progress)
  addresses.temporalAddress = `127.0.0.1:${port(stack.record, 'temporal')}`
  addresses.temporalUiUrl = `http://127.0.0.1:${port(stack.record, 'temporal-ui')}`
}

async function startKubernetes(
  options: StackOptions,
  stack: Stack,
  rebooted: boolean,
  addresses: StackAddresses,
): Promise<void> {
  const { want, progress, env = process.env } = options
  if (env.MAYFLY_EE_IMAGE) {
    addresses.image = env.MAYFLY_EE_IMAGE
    addresses.given.push('image')
  }
  const named = env.MAYFLY_KUBECONFIG || env.KUBECONFIG
  // Whoever exported the address of this very stack wants it to run.
  const kubeconfig = named === clusterFiles(stack).kubeconfig ? undefined : named
  if (kubeconfig || (env.MAYFLY_KUBE_CONTEXT && !named)) {
    // A context alone means the usual file.
    addresses.kubeconfigPath = kubeconfig || join(homedir(), '.kube', 'config')
    if (env.MAYFLY_KUBE_CONTEXT) addresses.kubeContext = env.MAYFLY_KUBE_CONTEXT
    addresses.given.push('kubernetes')
    if (want.image && !addresses.image) {
      progress('image: your cluster does not see images built here; name one it can pull in MAYFLY_EE_IMAGE')
    }
    return
  }
  if (process.getuid?.() !== 0) {
    throw new Error('a cluster of our own needs root; run as root, or name a cluster in MAYFLY_KUBECONFIG')
  }
  await ensurePackages(clusterPackages, progress)
  await cleanCluster(stack, rebooted, progress)
  const containerd = Promise.withResolvers<void>()
  const images = [buildPauseImage(progress)]
  if (want.image && !addresses.image) images.push(buildExecutionEnvironment(progress))
  if (want.image) images.push(buildNoRunnerImage(progress))
  const imports = images.map(async (image) => {
    const [built] = await Promise.all([image, containerd.promise])
    await importImage(stack, built, progress)
    if (built.reference.startsWith('mayfly.local/ee:')) addresses.image = built.reference
  })
  const cluster = ensureCluster(stack, progress, containerd.resolve).catch((error: unknown) => {
    containerd.reject(error)
    throw error
  })
  await settled([cluster, ...imports], progress)
  addresses.kubeconfigPath = clusterFiles(stack).kubeconfig
  addresses.kubeContext = `mayfly-${stack.name}`
  addresses.auditLogPath = clusterFiles(stack).audit
}

/** Stops exactly what was started, containers included. Data stays for the next start unless `erase` is set. */
export async function stopStack(
  name: string,
  options: { erase?: boolean; env?: NodeJS.ProcessEnv } = {},
): Promise<void> {
  const paths = stackPaths(name, options.env)
  await locked(
    paths.state,
    () => {},
    async () => {
      const record = readStackRecord(paths)
      if (record) {
        const stack: Stack = { name, paths, record }
        await Promise.all([stopCluster(stack), stopPart(stack, 'temporal'), stopPart(stack, 'postgres', 'SIGINT')])
        const { runningSince: _, ...stopped } = record
        writeStackRecord(paths, stopped)
      }
      if (!options.erase) return
      rmSync(paths.state, { recursive: true, force: true })
      rmSync(join(postgresData({ paths }), '..'), { recursive: true, force: true })
    },
  )
}

async function stopCluster(stack: Stack): Promise<void> {
  const started = listParts(stack.paths).some((part) => clusterParts.includes(part))
  if (!started && !existsSync(stack.paths.run)) return
  for (const part of clusterParts) await stopPart(stack, part)
  await sweep(stack)
}

/** What of a stack lives, and where. */
export async function stackStatus(name: string, env?: NodeJS.ProcessEnv): Promise<StackStatus> {
  const paths = stackPaths(name, env)
  const record = readStackRecord(paths)
  const parts = allParts.map(async (part): Promise<PartStatus | undefined> => {
    const known = readPart(paths, part)
    if (!known || !record) return undefined
    const lives = partLives({ paths }, part)
    const healthy = lives && (await partHealthy(part, paths, record).catch(() => false))
    const { identity, command } = known
    return { part, alive: lives, healthy, pid: identity.pid, residentBytes: residentBytes(identity), log: command.log }
  })
  const known = (await Promise.all(parts)).filter((part) => part !== undefined)
  return { name, stateFolder: paths.state, ports: record?.ports ?? {}, parts: known }
}

/** Ends one part (SIGKILL unless told otherwise) and starts it again with the same flags, ports and data; for fault tests. */
export async function restartPart(
  name: string,
  part: string,
  signal: NodeJS.Signals = 'SIGKILL',
  env?: NodeJS.ProcessEnv,
): Promise<void> {
  const paths = stackPaths(name, env)
  const record = readStackRecord(paths)
  if (!record) throw new Error(`there is no stack called ${name}`)
  await restart({ name, paths, record }, part, signal)
}
