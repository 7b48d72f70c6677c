/** Starts the stack and, in one process on it, the API and the worker with the embedded database. */
import { flushCompileCache } from 'node:module'
import { portIsFree } from '../../dev/numbers.ts'
import { identify } from '../../dev/process.ts'
import type { StackAddresses } from '../../dev/stack.ts'
import { writeWhole } from '../../dev/state.ts'
import { startApiPart } from '../api-part.ts'
import { openComposition } from '../compose.ts'
import { CommandError } from '../errors.ts'
import { createLogger } from '../log.ts'
import { readSettings, type Settings } from '../settings.ts'
import { endOfProcess } from '../signals.ts'
import { startWorkerPart } from '../worker-part.ts'
import { bannerOf } from './banner.ts'
import { makeFirstDatabase } from './first-database.ts'
import { findGalaxy, progressOf, startParts } from './parts.ts'
import { devFiles, type Places, writeDevRecord } from './record.ts'

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
  const madePassword = await makeFirstDatabase(name, settings, env)
  const end = endOfProcess()
  const composition = await openComposition({ settings, env, log, migrate: true, signal: end.signal })
  try {
    const { generatedPassword } = composition
    if (generatedPassword) writeWhole(devFiles(name).adminPassword, `${generatedPassword}\n`)
    const server = await startApiPart(composition)
    const worker = await startWorkerPart(composition, galaxy, end.signal)
    const places = placesOf(name, settings, addresses, server.url)
    writeDevRecord(name, { identity, places })
    // Kept now: a process that is killed keeps nothing.
    flushCompileCache()
    if (!background) console.log(bannerOf(name, places, madePassword ?? generatedPassword))
    const signal = await Promise.race([end.asked, worker.done])
    log.info({ signal }, 'ending')
    await server.close()
    await worker.stop()
  } finally {
    await composition.store.close()
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
