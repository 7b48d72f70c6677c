import { ApplicationFailure } from '@temporalio/common'
import { type LogLevel, type LogMetadata, makeTelemetryFilterString, Runtime } from '@temporalio/worker'
import type { Logger } from 'pino'
import { createActivities } from '../activities/activities.ts'
import type { ActivityDeps, ActivitySettings } from '../activities/deps.ts'
import { activityFailures } from '../activities/types.ts'
import { KubernetesError } from '../kubernetes/errors.ts'
import type { ClusterTarget } from '../kubernetes/target.ts'
import type { Store } from '../store/database.ts'
import type { Keyring } from '../store/secrets.ts'
import { mainTaskQueue } from '../workflows/names.ts'
import { jobFailureType } from '../workflows/types.ts'
import { admissionSweep } from './admission-sweep.ts'
import { StoredCancels } from './cancel-news.ts'
import { ClusterPool } from './clusters.ts'
import { GroupRegistry } from './gate/group-registry.ts'
import { Watches } from './gate/watches.ts'
import { claimNamespace } from './namespace.ts'
import { scheduleNightlyPreflights, type TimeOfDay } from './nightly.ts'
import { checkOrder, orderRemedy } from './order-check.ts'
import { OutboxSender } from './outbox.ts'
import { Presence } from './presence.ts'
import { reasonOf } from './reason.ts'
import { restingSweep } from './resting-sweep.ts'
import { RunningWorkflows } from './running-workflows.ts'
import { scheduleSweep } from './schedules.ts'
import { registerSearchAttributes, type TemporalLink } from './temporal.ts'
import { turnSweep } from './turn-sweep.ts'
import { workflowBundle } from './workflow-bundle.ts'
import { WorkflowWorker } from './workflow-worker.ts'

/** What a worker is made of. */
export interface WorkerOptions {
  store: Store
  keyring: Keyring
  temporal: TemporalLink
  settings: ActivitySettings
  /** Where groups without a credential run. */
  home: ClusterTarget
  /** Keeps the workflow bundle from start to start; workers may share it. */
  bundleFolder: string
  reaperIntervalSeconds: number
  /** When all container groups are tested; null: never. */
  nightlyTest: TimeOfDay | null
  /** How many jobs of a line stand open in Temporal; the starts of others rest (store/line-key.ts). */
  lineDepth: number
  log: Logger
}

/** A worker that takes work. */
export interface RunningWorker {
  /** Resolves when the worker has stopped; rejects when it broke. */
  readonly done: Promise<void>
  /** Stops taking work, lets short activities end and hands long ones over to whoever comes next. */
  stop(): Promise<void>
}

/** How long short activities may take to end at a shutdown; long ones hand over at once. */
const graceMs = 1_000

/** The SDK logs through ours, and never installs signal handlers of its own: the process decides the order in which things stop. */
export function installRuntime(log: Logger): void {
  const write = (level: LogLevel) => (message: string, meta?: LogMetadata) =>
    log[levelOf(level, message, meta)](readable(meta), message)
  Runtime.install({
    shutdownSignals: [],
    // Its native part too, which would otherwise write lines of its own beside ours.
    telemetryOptions: { logging: { filter: makeTelemetryFilterString({ core: 'WARN', other: 'ERROR' }), forward: {} } },
    logger: {
      log: (level, message, meta) => write(level)(message, meta),
      trace: write('TRACE'),
      debug: write('DEBUG'),
      info: write('INFO'),
      warn: write('WARN'),
      error: write('ERROR'),
    },
  })
}

/** What the SDK tells is a detail to us, and some of what it warns of is how things are meant to be. */
function levelOf(
  level: LogLevel,
  message: string,
  meta: LogMetadata = {},
): 'trace' | 'debug' | 'info' | 'warn' | 'error' {
  if (level === 'ERROR') return 'error'
  if (level !== 'WARN') return level === 'TRACE' ? 'trace' : 'debug'
  // A worker that serves one group's queue and has no workflows is how the gates are built.
  if (message.startsWith('No workflows registered')) return 'debug'
  if (!(meta.error instanceof ApplicationFailure)) return 'warn'
  // Jobs fail: the workflow tells it once, at the end of the job, and its activities need not.
  if (meta.error.type === jobFailureType) return 'info'
  return Object.values<unknown>(activityFailures).includes(meta.error.type) ? 'debug' : 'warn'
}

/** Metadata that is worth a line: task tokens say nothing, and an error says more than the empty object it would be written as. */
function readable({ error, taskToken: _opaque, ...meta }: LogMetadata = {}): object {
  if (!(error instanceof Error)) return meta
  // Where one of our own errors was made says nothing; where one of the language's was, everything.
  const ours = error instanceof ApplicationFailure ? error.nonRetryable : error instanceof KubernetesError
  const { stack } = error.cause instanceof Error ? error.cause : error
  return { ...meta, reason: error.message, ...(ours && !(error.cause instanceof Error) ? {} : { stack }) }
}

/** Says what keeps the server from serving jobs in their order; a server that cannot be asked says nothing of it. */
async function warnOfOrder(temporal: TemporalLink, log: Logger): Promise<void> {
  try {
    const problems = await checkOrder(temporal)
    if (problems.length > 0) log.warn({ remedy: orderRemedy }, problems.join(' '))
  } catch (error) {
    log.debug({ reason: reasonOf(error) }, 'the order in which Temporal serves could not be tried')
  }
}

/** Starts everything a worker process does: workflows, activities, the gates, the outbox. Throws ForeignNamespaceError. */
export async function startWorker(options: WorkerOptions): Promise<RunningWorker> {
  const { store, keyring, temporal, settings, log } = options
  await claimNamespace(temporal, settings.installUuid, options.reaperIntervalSeconds)
  await Promise.all([registerSearchAttributes(temporal), scheduleNightlyPreflights(temporal, options.nightlyTest)])
  const clusters = new ClusterPool({ store, keyring, home: options.home, defaultNamespace: settings.defaultNamespace })
  const watches = new Watches(settings.installUuid, log)
  // The gates need `admit`, and `admit` needs the gates: the activities are made with the registry, and the registry is given them.
  const gates: GroupRegistry = new GroupRegistry(
    {
      store,
      connection: temporal.connection,
      namespace: temporal.namespace,
      admit: (input) => activities.admit(input),
      watches,
      log,
    },
    clusters,
  )
  const cancels = new StoredCancels()
  const workflows = new RunningWorkflows(temporal)
  const deps: ActivityDeps = {
    store,
    keyring,
    clusters,
    gates,
    cancels,
    workflows,
    settings,
    log,
  }
  const activities = createActivities(deps)
  const worker = await WorkflowWorker.create({
    connection: temporal.connection,
    namespace: temporal.namespace,
    taskQueue: mainTaskQueue,
    workflowBundle: await workflowBundle(options.bundleFolder),
    activities,
    maxConcurrentActivityTaskExecutions: 1_000,
    // One that prepares a job holds its slot for as long as that takes; those that only go on must find another.
    maxConcurrentWorkflowTaskExecutions: 100,
    maxCachedWorkflows: 300,
    maxHeartbeatThrottleInterval: '1 second',
    defaultHeartbeatThrottleInterval: '1 second',
    // Short, because a job whose worker died waits for it before another worker goes on.
    stickyQueueScheduleToStartTimeout: '5 seconds',
    shutdownGraceTime: graceMs,
    shutdownForceTime: '15 seconds',
  })
  const outbox = new OutboxSender(store, temporal, log, options.lineDepth)
  const presence = new Presence(store, settings.nodeName, log)
  await presence.start()
  await cancels.start(store)
  await gates.start()
  await outbox.start()
  const sweep = scheduleSweep(store, log)
  sweep.start({ atOnce: true })
  const turns = turnSweep(store.db, log)
  turns.start()
  const resting = restingSweep(store.db, log)
  resting.start({ atOnce: true })
  const admissions = admissionSweep(store.db, workflows, log)
  admissions.start()
  void warnOfOrder(temporal, log)
  const done = worker.run()
  let stopping: Promise<void> | undefined
  const stop = async () => {
    await presence.stop()
    await sweep.stop()
    await turns.stop()
    await resting.stop()
    await admissions.stop()
    await outbox.stop()
    await gates.stop()
    if (worker.getState() === 'RUNNING') worker.shutdown()
    await done
    await cancels.stop()
    clusters.close()
  }
  return { done, stop: () => (stopping ??= stop()) }
}
