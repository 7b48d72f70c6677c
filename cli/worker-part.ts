/** The worker of a process: waits for Temporal, then takes work. */
import { setTimeout as pause } from 'node:timers/promises'
import type { ActivitySettings } from '../activities/deps.ts'
import { reasonOf } from '../worker/reason.ts'
import { connectTemporal, type TemporalLink } from '../worker/temporal.ts'
import { installRuntime, type RunningWorker, startWorker } from '../worker/worker.ts'
import type { Composition } from './compose.ts'
import { homeCluster } from './home-cluster.ts'

/** Starts the worker; waits for Temporal as long as it takes, and says so. Rejects when `signal` aborts first. */
export async function startWorkerPart(
  composition: Composition,
  ansibleGalaxy: ActivitySettings['ansibleGalaxy'],
  signal: AbortSignal,
): Promise<RunningWorker> {
  const { settings, log, store, keyring } = composition
  installRuntime(log)
  const temporal = await temporalAnswers(composition, signal)
  try {
    const worker = await startWorker({
      ...{ store, keyring, temporal, log },
      settings: activitySettings(composition, ansibleGalaxy),
      home: homeCluster(settings, composition.env),
      bundleFolder: settings.bundleFolder,
      reaperIntervalSeconds: settings.reaperIntervalSeconds,
      nightlyTest: settings.nightlyTest,
      lineDepth: settings.lineDepth,
    })
    log.info({ namespace: temporal.namespace }, 'worker is ready')
    const closed = () => temporal.connection.close()
    return { done: worker.done, stop: () => worker.stop().finally(closed) }
  } catch (error) {
    await temporal.connection.close()
    throw error
  }
}

async function temporalAnswers({ env, log }: Composition, signal: AbortSignal): Promise<TemporalLink> {
  for (let waitMs = 250; ; waitMs = Math.min(waitMs * 2, 10_000)) {
    signal.throwIfAborted()
    try {
      return await openTemporal(env)
    } catch (error) {
      const address = env.TEMPORAL_ADDRESS ?? '127.0.0.1:7233'
      log.warn({ address, reason: reasonOf(error), retryMs: waitMs }, 'waiting for Temporal')
      await pause(waitMs, undefined, { signal }).catch(() => signal.throwIfAborted())
    }
  }
}

/** A connection whose namespace exists; the server's parts learn of a new one a while after it was made. */
async function openTemporal(env: NodeJS.ProcessEnv): Promise<TemporalLink> {
  const link = await connectTemporal(env)
  try {
    await link.connection.workflowService.describeNamespace({ namespace: link.namespace })
    return link
  } catch (error) {
    await link.connection.close()
    throw error
  }
}

/** What activities need of the settings. */
function activitySettings(
  { settings, installUuid }: Composition,
  ansibleGalaxy: ActivitySettings['ansibleGalaxy'],
): ActivitySettings {
  const { nodeName, publicUrl, dataFolder, projectsRoot, defaultNamespace } = settings
  const { podPendingSeconds, podDeadlineSeconds, endpointPatienceSeconds, orphanGraceSeconds, notificationSeconds } =
    settings
  return {
    ...{ installUuid, nodeName, publicUrl, dataFolder, projectsRoot, defaultNamespace },
    ...{ podPendingSeconds, podDeadlineSeconds, endpointPatienceSeconds, orphanGraceSeconds, notificationSeconds },
    noNodeSeconds: settings.noNodeSeconds,
    reaperDeletesPerSecond: settings.reaperDeletesPerSecond,
    inventoryUpdatesInGroup: settings.inventoryUpdates === 'group',
    ansibleGalaxy,
  }
}
