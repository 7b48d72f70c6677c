/** The process of `mayfly dev` that stays: the API and the worker with the embedded database. An entry of its own, so that it holds nothing else. */
import { flushCompileCache } from 'node:module'
import { identify } from '../../dev/process.ts'
import { writeWhole } from '../../dev/state.ts'
import { startApiPart } from '../api-part.ts'
import { openComposition } from '../compose.ts'
import { createLogger } from '../log.ts'
import { runProcess } from '../report.ts'
import { readSettings } from '../settings.ts'
import { endOfProcess } from '../signals.ts'
import { startWorkerPart } from '../worker-part.ts'
import { bannerOf } from './banner.ts'
import { adminPassword, devFiles, writeDevRecord } from './record.ts'
import type { DevTask } from './task.ts'

/** Runs until the process is asked to end. */
async function serve({ name, show, galaxy, places: given, newPassword }: DevTask): Promise<void> {
  const identity = identify(process.pid)
  if (!identity) throw new Error('cannot find this process in /proc')
  writeDevRecord(name, { identity })
  const settings = readSettings(process.env)
  const log = createLogger(settings)
  const end = endOfProcess()
  const composition = await openComposition({ settings, env: process.env, log, migrate: true, signal: end.signal })
  try {
    const { generatedPassword } = composition
    if (generatedPassword) writeWhole(devFiles(name).adminPassword, `${generatedPassword}\n`)
    const server = await startApiPart(composition)
    const worker = await startWorkerPart(composition, galaxy, end.signal)
    const places = {
      ...given,
      url: server.url,
      temporalNamespace: settings.temporalNamespace,
      kubernetesNamespace: settings.defaultNamespace,
      image: settings.defaultImage,
      dataFolder: settings.dataFolder,
      logsFolder: devFiles(name).logs,
    }
    writeDevRecord(name, { identity, places })
    // Kept now: a process that is killed keeps nothing.
    flushCompileCache()
    const made = newPassword || generatedPassword !== undefined
    if (show) console.log(bannerOf(name, places, made ? adminPassword(name, {}) : undefined))
    const signal = await Promise.race([end.asked, worker.done])
    log.info({ signal }, 'ending')
    await server.close()
    await worker.stop()
  } finally {
    await composition.store.close()
  }
}

const task = process.env.MAYFLY_DEV_TASK ?? ''
// What this process starts has no part in its task.
delete process.env.MAYFLY_DEV_TASK
await runProcess(() => serve(JSON.parse(task) as DevTask))
