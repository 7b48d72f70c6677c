import { WorkflowNotFoundError } from '@temporalio/client'
import protocol from '@temporalio/proto'
import type { CurrentRun, Owner, Workflows } from '../activities/deps.ts'
import { jobWorkflowId, workflowTypeOf } from '../workflows/names.ts'
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

  async current(jobId: number): Promise<CurrentRun | null> {
    try {
      const { status, runId, raw } = await this.#temporal.client.workflow.getHandle(jobWorkflowId(jobId)).describe()
      if (status.name !== 'RUNNING') return null
      const pending = raw.pendingActivities ?? []
      const isInQueue = ({ activityType, state }: (typeof pending)[number]) =>
        activityType?.name === admitActivity && state === states.PENDING_ACTIVITY_STATE_SCHEDULED
      const queued = pending.find(isInQueue)
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

const admitActivity = 'admit'
const states = protocol.temporal.api.enums.v1.PendingActivityState

function isOwner({ runId }: Owner, running: string | undefined): boolean {
  return running !== undefined && (runId === null || runId === running)
}
