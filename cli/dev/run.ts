/** Starts the stack and, in one process on it, the API and the worker with the embedded database. */
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { portIsFree } from '../../dev/numbers.ts'
import { alive, identify, launch } from '../../dev/process.ts'
import { controlPlaneAnsible, type StackAddresses, startStack } from '../../dev/stack.ts'
import { writeWhole } from '../../dev/state.ts'
import { until } from '../../dev/wait.ts'
import { startApiPart } from '../api-part.ts'
import { openComposition } from '../compose.ts'
import { CommandError } from '../errors.ts'
import { createLogger } from '../log.ts'
import { readSettings, type Settings } from '../settings.ts'
import { endOfProcess } from '../signals.ts'
import { startWorkerPart } from '../worker-part.ts'
import { bannerOf } from './banner.ts'
import { frugalEnvironment, frugalFlags } from './frugal.ts'
import { adminPassword, devFiles, type Places, readDevRecord, writeDevRecord } from './record.ts'

const defaultPort = 8052

/** Runs until the process is asked to end. In the background nothing is shown: whoever started it reads the record. */
export async function runDev(name: string, background: boolean): Promise<void> {
  const progress = progressOf(name)
  const identity = identify(process.pid)
  if (!identity) throw new Error('cannot find this process in /proc')
  writeDevRecord(name, { identity })
  const [addresses, galaxy] = await Promise.all([startParts(name, progress), findGalaxy(progress)])

  const env = await environment(name, addresses)
  const settings = readSettings(env)
  const log = createLogger({ ...settings, logFormat: settings.logFormat ?? 'text' })
  const end = endOfProcess()
  const composition = await openComposition({ settings, env, log, migrate: true, signal: end.signal })
  try {
    const { generatedPassword } = composition
    if (generatedPassword) writeWhole(devFiles(name).adminPassword, `${generatedPassword}\n`)
    const server = await startApiPart(composition)
    const worker = await startWorkerPart(composition, galaxy, end.signal)
    const places = placesOf(name, settings, addresses, server.url)
    writeDevRecord(name, { identity, places })
    if (!background) console.log(bannerOf(name, places, generatedPassword))
    const signal = await Promise.race([end.asked, worker.done])
    log.info({ signal }, 'ending')
    await server.close()
    await worker.stop()
  } finally {
    await composition.store.close()
  }
}

/** Starts it as a process of its own; resolves with its places once it is ready, and the admin's password if it was made now. */
export async function startDetached(name: string): Promise<[Places, string | undefined]> {
  const progress = progressOf(name)
  // Builds and starts here, where progress is seen; the background process then finds all of it running.
  await Promise.all([startParts(name, progress), findGalaxy(progress)])
  const { log, adminPassword: passwordFile } = devFiles(name)
  const hadPassword = statSync(passwordFile, { throwIfNoEntry: false }) !== undefined
  const program = join(import.meta.dirname, '..', 'main.ts')
  const args = [...frugalFlags, program, 'dev', '--name', name, '--background']
  const env = { ...(process.env as Record<string, string>), ...frugalEnvironment }
  const logBefore = statSync(log, { throwIfNoEntry: false })?.size ?? 0
  const identity = await launch({ program: process.execPath, args, env, cwd: process.cwd(), log })
  const giveUp = () => {
    if (alive(identity)) return
    const said = readFileSync(log).subarray(logBefore).toString().trim().split('\n').slice(-15).join('\n')
    throw new CommandError(`Mayfly ended while starting:\n${said}`, `the whole log is in ${log}`)
  }
  const places = await until({ what: 'Mayfly to be ready', seconds: 120, log, giveUp }, () => {
    const record = readDevRecord(name)
    return record?.identity.pid === identity.pid ? record.places : undefined
  })
  progress('mayfly: ready')
  return [places, hadPassword ? undefined : adminPassword(name, {})]
}

/** Says on stderr what goes on, with the seconds since the start. */
export function progressOf(name: string): (line: string) => void {
  const begin = performance.now()
  return (line) => console.error(`${name} ${((performance.now() - begin) / 1000).toFixed(1).padStart(6)} s  ${line}`)
}

function startParts(name: string, progress: (line: string) => void): Promise<StackAddresses> {
  return startStack({ name, want: { kubernetes: true, temporal: true, image: true }, progress })
}

/** Ansible for project updates; without it everything works but projects with a requirements.yml. */
async function findGalaxy(progress: (line: string) => void) {
  try {
    const { galaxy, env } = await controlPlaneAnsible(progress)
    return { command: galaxy, env }
  } catch (error) {
    progress(
      `ansible: none for the control plane (${error instanceof Error ? error.message : error}); projects with a requirements.yml will fail to update`,
    )
    return null
  }
}

/** The process's environment with what the stack and its state folder fill in. */
async function environment(name: string, addresses: StackAddresses): Promise<NodeJS.ProcessEnv> {
  const { data, secretKey } = devFiles(name)
  const env: NodeJS.ProcessEnv = { ...process.env }
  env.MAYFLY_DATA ||= data
  if (!env.MAYFLY_SECRET_KEY) env.MAYFLY_SECRET_KEY_FILE ||= secretKey
  env.MAYFLY_PORT ||= String(await freePort())
  if (addresses.image) env.MAYFLY_EE_IMAGE = addresses.image
  if (addresses.kubeconfigPath) env.MAYFLY_KUBECONFIG = addresses.kubeconfigPath
  if (addresses.kubeContext) env.MAYFLY_KUBE_CONTEXT = addresses.kubeContext
  if (addresses.temporalAddress) env.TEMPORAL_ADDRESS = addresses.temporalAddress
  return env
}

/** The usual port, or the next one when somebody else has it. */
async function freePort(): Promise<number> {
  for (let port = defaultPort; port < defaultPort + 100; port++) if (await portIsFree(port)) return port
  throw new CommandError(`no free port from ${defaultPort} on`, 'set MAYFLY_PORT')
}

function placesOf(name: string, settings: Settings, addresses: StackAddresses, url: string): Places {
  const { temporalUiUrl, kubeconfigPath, kubeContext, temporalAddress = '' } = addresses
  return {
    ...{ url, temporalAddress, temporalUiUrl, kubeconfigPath, kubeContext },
    temporalNamespace: settings.temporalNamespace,
    kubernetesNamespace: settings.defaultNamespace,
    image: settings.defaultImage,
    dataFolder: settings.dataFolder,
    logsFolder: devFiles(name).logs,
  }
}
