import { setTimeout as pause } from 'node:timers/promises'
import { WorkflowNotFoundError } from '@temporalio/client'
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common'
import type { Logger } from 'pino'
import type { StartFacts } from '../model/start-facts.ts'
import { channels } from '../store/channel.ts'
import { claimOutbox } from '../store/claim-outbox.ts'
import type { Store } from '../store/database.ts'
import { MissingRowError } from '../store/errors.ts'
import { transitionJob } from '../store/job-status.ts'
import { leftLines } from '../store/left-lines.ts'
import { notificationGivenUp } from '../store/notifications/deliveries.ts'
import { notBegun, type OutboxRow, outboxFailed, outboxSent } from '../store/outbox.ts'
import { noteRested } from '../store/rested.ts'
import { readStartFacts } from '../store/start-facts.ts'
import {
  jobWorkflowId,
  mainTaskQueue,
  notificationWorkflowId,
  preflightWorkflowId,
  reaperPassWorkflowId,
  signals,
  workflowTypeOf,
  workflowTypes,
} from '../workflows/names.ts'
import { notificationStartOptions, startOptions, webhookStatusStartOptions } from '../workflows/start-options.ts'
import { DeepLines } from './deep-lines.ts'
import { LineLooks } from './line-looks.ts'
import { reasonOf } from './reason.ts'
import { sendSchedulePlan } from './schedules.ts'
import { StartPace } from './start-pace.ts'
import type { TemporalLink } from './temporal.ts'

/** Messages in flight at once. */
const concurrency = 8
/** How soon it is looked whether starts that were held back may be sent. */
const heldMs = 25

/**
 * Tells Temporal what was written down: starts, cancels, notifications to deliver. Woken by the notification of the same transaction, so a launch reaches
 * Temporal within milliseconds; what was not sent, because of a crash or because Temporal was away, is found by the sweep that looks at lines.
 */
export class OutboxSender {
  readonly #store: Store
  readonly #temporal: TemporalLink
  readonly #log: Logger
  readonly #pace: StartPace
  readonly #lines: DeepLines
  readonly #looks: LineLooks
  #unlisten: (() => Promise<void>) | undefined
  #pass: Promise<void> | undefined
  #again = false
  #stopped = false

  /** `lineDepth`: how many jobs of a line may stand open in Temporal (store/line-key.ts). */
  constructor(store: Store, temporal: TemporalLink, log: Logger, lineDepth: number) {
    this.#store = store
    this.#temporal = temporal
    this.#log = log
    this.#pace = new StartPace((ids) => notBegun(store.db, ids))
    this.#lines = new DeepLines(lineDepth)
    this.#looks = new LineLooks({
      ...{ store, lines: this.#lines, wake: () => this.#wake() },
      leftLines: (since) => leftLines(store.db, since),
    })
  }

  async start(): Promise<void> {
    this.#unlisten = await this.#store.listen(channels.outbox, () => this.#wake())
    await this.#looks.start()
    this.#wake()
  }

  async stop(): Promise<void> {
    this.#stopped = true
    await this.#looks.stop()
    await this.#unlisten?.()
    await this.#pass
  }

  #wake(): void {
    if (this.#stopped) return
    this.#again = true
    this.#pass ??= this.#sendAll().finally(() => {
      this.#pass = undefined
      if (this.#again) this.#wake()
    })
  }

  async #sendAll(): Promise<void> {
    try {
      while (this.#again && !this.#stopped) {
        this.#again = false
        const starts = await this.#pace.hasRoomFor(concurrency)
        const rows = await claimOutbox(this.#store.db, concurrency, { starts, lines: this.#lines })
        await this.#send(rows)
        if (rows.length === 0 && !starts) await pause(heldMs)
        if (rows.length > 0 || !starts) this.#again = true
      }
    } catch (error) {
      this.#again = false
      this.#log.warn({ reason: reasonOf(error) }, 'the outbox could not be read')
    }
  }

  /** Sends what was claimed together, and forgets it together. */
  async #send(rows: OutboxRow[]): Promise<void> {
    const starts = rows.filter(({ kind }) => kind === 'start').map(({ subjectId }) => subjectId)
    this.#lines.sending(rows)
    await noteRested(this.#store.db, rows)
    const facts = await readStartFacts(this.#store.db, starts)
    const sent = await Promise.all(rows.map((row) => this.#sendOne(row, facts.get(row.subjectId))))
    await outboxSent(
      this.#store.db,
      rows.filter((_row, index) => sent[index]),
    )
  }

  /** False when it did not arrive, and is to be sent again. */
  async #sendOne(row: OutboxRow, facts: StartFacts | undefined): Promise<boolean> {
    try {
      await this.#tell(row, facts)
      return true
    } catch (error) {
      if (row.kind === 'start') this.#lines.failed(row.subjectId)
      const retryMs = Math.min(500 * 2 ** row.tries, 30_000)
      const reason = reasonOf(error)
      this.#log.warn({ subject: row.subjectId, kind: row.kind, reason, retryMs }, 'a message could not be sent')
      await outboxFailed(this.#store.db, row.id, reason, new Date(Date.now() + retryMs))
      return false
    }
  }

  async #tell({ kind, subjectId }: OutboxRow, facts: StartFacts | undefined): Promise<void> {
    switch (kind) {
      case 'start':
        // The job was deleted: there is nothing to start.
        return facts && (await this.#startWorkflow(subjectId, facts))
      case 'cancel':
        return await this.#cancelWorkflow(subjectId)
      case 'progress':
      case 'decided':
      case 'raise':
        return await this.#signal(subjectId, signals[kind])
      case 'notify':
        return await this.#startNotification(subjectId)
      case 'plan_schedule':
        return await sendSchedulePlan(this.#store, this.#temporal, subjectId)
      case 'webhook_status':
        return await this.#tellService(subjectId)
      case 'preflight':
        return await this.#startOnce(workflowTypes.preflight, preflightWorkflowId(subjectId), {
          preflightId: subjectId,
        })
      case 'reap':
        return await this.#startOnce(workflowTypes.reaper, reaperPassWorkflowId(subjectId), { passId: subjectId })
      default:
        throw new Error(`nobody sends messages of the kind ${kind}`)
    }
  }

  async #startWorkflow(jobId: number, facts: StartFacts): Promise<void> {
    this.#pace.sending(jobId)
    try {
      await this.#temporal.client.workflow.start(workflowTypeOf[facts.type], {
        ...startOptions(jobId, facts),
        taskQueue: mainTaskQueue,
        requestEagerStart: true,
      })
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error
      // A crash between the start and the row's removal: it was sent, and has perhaps even ended since.
      if (await this.#isOf(jobId, facts)) return
      await this.#endForeign(jobId)
    }
  }

  /** Whether the workflow that has the job's id was started for this job. Those that do not say are believed to be. */
  async #isOf(jobId: number, { installation, created }: StartFacts): Promise<boolean> {
    const { memo = {} } = await this.#temporal.client.workflow.getHandle(jobWorkflowId(jobId)).describe()
    return (memo.installation ?? installation) === installation && (memo.created ?? created) === created
  }

  async #endForeign(jobId: number): Promise<void> {
    const workflow = `workflow ${jobWorkflowId(jobId)} in Temporal's namespace ${this.#temporal.namespace}`
    const explanation = `The ${workflow} is that of another installation, or of this one before its database was restored. Give this installation a namespace of its own (TEMPORAL_NAMESPACE) and launch again.`
    this.#log.error({ job: jobId, namespace: this.#temporal.namespace }, 'the workflow id of a job is taken')
    try {
      await transitionJob(this.#store.db, jobId, 'error', { cause: 'workflow_id_taken', explanation })
    } catch (error) {
      if (!(error instanceof MissingRowError)) throw error
    }
  }

  /** Starts what is done once for this id, whether or not a crash has let it be started before. */
  async #startOnce(type: string, workflowId: string, input: object): Promise<void> {
    try {
      const options = { workflowId, taskQueue: mainTaskQueue, args: [input] }
      await this.#temporal.client.workflow.start(type, { ...options, workflowIdReusePolicy: 'REJECT_DUPLICATE' })
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error
    }
  }

  async #startNotification(notificationId: number): Promise<void> {
    try {
      await this.#temporal.client.workflow.start(workflowTypes.notification, {
        ...notificationStartOptions(notificationId),
        taskQueue: mainTaskQueue,
      })
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error
      const { status } = await this.#temporal.client.workflow
        .getHandle(notificationWorkflowId(notificationId))
        .describe()
      // Its own workflow leaves no notification pending when it ends: that was another one's, or it was terminated.
      if (status.name === 'RUNNING') return
      const reason = `Workflow ${notificationWorkflowId(notificationId)} has ended already in Temporal's namespace ${this.#temporal.namespace}.`
      await notificationGivenUp(this.#store.db, notificationId, reason)
    }
  }

  async #tellService(jobId: number): Promise<void> {
    await this.#temporal.client.workflow.signalWithStart(workflowTypes.webhookStatus, {
      ...webhookStatusStartOptions(jobId),
      taskQueue: mainTaskQueue,
      signal: signals.statusChanged,
    })
  }

  async #signal(jobId: number, signal: string): Promise<void> {
    try {
      await this.#temporal.client.workflow.getHandle(jobWorkflowId(jobId)).signal(signal)
    } catch (error) {
      // It has ended, so it needs to know no more.
      if (!(error instanceof WorkflowNotFoundError)) throw error
    }
  }

  async #cancelWorkflow(jobId: number): Promise<void> {
    try {
      await this.#temporal.client.workflow.getHandle(jobWorkflowId(jobId)).cancel()
    } catch (error) {
      // Ended by itself in the meantime, or so long ago that Temporal has forgotten it: there is nothing left to cancel.
      if (!(error instanceof WorkflowNotFoundError)) throw error
    }
  }
}
