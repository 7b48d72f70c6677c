import { WorkflowNotFoundError } from '@temporalio/client'
import protocol from '@temporalio/proto'
import type { CurrentRun, Owner, Workflows } from '../activities/deps.ts'
import { groupTaskQueue, jobWorkflowId, signals, workflowTypeOf } from '../workflows/names.ts'
import type { TemporalLink } from './temporal.ts'

/**
 * Asks Temporal which runs are at work. The list of running workflows may lag behind, so whoever it does not name is looked up one by one
 * before it is called gone.
 */
export class RunningWorkflows implements Workflows {
  readonly #temporal: TemporalLink

  constructor(temporal: TemporalLink) {
    this.#temporal = temporal
  }

  async current(jobId: number, groupId?: number | null): Promise<CurrentRun | null> {
    try {
      const { status, runId, raw } = await this.#temporal.client.workflow.getHandle(jobWorkflowId(jobId)).describe()
      if (status.name !== 'RUNNING') return null
      const queued = queuedAdmit(raw.pendingActivities ?? [], groupId ?? null)
      if (!queued) return { runId, inQueueMs: null }
      // When this try of it was due: seconds and nanoseconds.
      const { seconds, nanos } = queued.scheduledTime ?? {}
      const due = Number(seconds ?? 0) * 1_000 + (nanos ?? 0) / 1e6
      return { runId, inQueueMs: Math.max(0, Date.now() - due) }
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return null
      throw error
    }
  }

  /**
   * Has a job take up the admission that it has a claim for, if that is queued as if there was none: nobody is at work on it then. False when there is nothing to take up.
   */
  async resumeAdmission({ jobId, groupId, runId }: Claimed): Promise<boolean> {
    const current = await this.current(jobId, groupId)
    if (current?.runId !== runId || current.inQueueMs === null) return false
    const execution = { workflowId: jobWorkflowId(jobId), runId }
    const { client, namespace } = this.#temporal
    try {
      // The workflow's next task would wait for whoever had the last one, which is perhaps who died.
      await client.workflowService.resetStickyTaskQueue({ namespace, execution })
      await client.workflow.getHandle(execution.workflowId, runId).signal(signals.resumeAdmission)
      return true
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return false
      throw error
    }
  }

  async gone(owners: readonly Owner[]): Promise<{ owner: Owner; current: CurrentRun | null }[]> {
    if (owners.length === 0) return []
    const listed = new Map<string, string>()
    const types = [...new Set(Object.values(workflowTypeOf))].map((type) => `"${type}"`).join(', ')
    const query = `ExecutionStatus = "Running" AND WorkflowType IN (${types})`
    for await (const { workflowId, runId } of this.#temporal.client.workflow.list({ query })) {
      listed.set(workflowId, runId)
    }
    const gone: { owner: Owner; current: CurrentRun | null }[] = []
    for (const owner of owners) {
      if (isOwner(owner, listed.get(jobWorkflowId(owner.jobId)))) continue
      const current = await this.current(owner.jobId)
      if (!isOwner(owner, current?.runId)) gone.push({ owner, current })
    }
    return gone
  }
}

/** A job that has claimed a place of a group, and the run that did so. */
interface Claimed {
  jobId: number
  groupId: number
  runId: string
}

type PendingActivity = protocol.temporal.api.workflow.v1.PendingActivityInfo.$Properties

const admitActivity = 'admit'
const states = protocol.temporal.api.enums.v1.PendingActivityState

/**
 * The `admit` of a group, or of any, that is queued while none is at work. A job asks several groups at once, each by its queue; a server that does not name the queues
 * leaves it open which one is at work.
 */
function queuedAdmit(pending: readonly PendingActivity[], groupId: number | null): PendingActivity | undefined {
  const asking = pending.filter(({ activityType, activityOptions }) => {
    const queue = activityOptions?.taskQueue?.name
    return activityType?.name === admitActivity && (groupId === null || !queue || queue === groupTaskQueue(groupId))
  })
  const isQueued = ({ state }: PendingActivity) => state === states.PENDING_ACTIVITY_STATE_SCHEDULED
  return asking.every(isQueued) ? asking[0] : undefined
}

function isOwner({ runId }: Owner, running: string | undefined): boolean {
  return running !== undefined && (runId === null || runId === running)
}
