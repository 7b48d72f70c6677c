import { WorkflowNotFoundError } from '@temporalio/client'
import type { Workflows } from '../activities/deps.ts'
import { jobWorkflowId, workflowTypes } from '../workflows/names.ts'
import type { TemporalLink } from './temporal.ts'

/**
 * Asks Temporal which jobs still have a workflow. The list of running workflows may lag behind, so whatever it does not name is looked up one
 * by one before it is called dead.
 */
export class RunningWorkflows implements Workflows {
  readonly #temporal: TemporalLink

  constructor(temporal: TemporalLink) {
    this.#temporal = temporal
  }

  async notRunning(jobIds: readonly number[]): Promise<number[]> {
    if (jobIds.length === 0) return []
    const { client } = this.#temporal
    const running = new Set<string>()
    const types = [workflowTypes.job, workflowTypes.projectUpdate].map((type) => `"${type}"`).join(', ')
    const query = `ExecutionStatus = "Running" AND WorkflowType IN (${types})`
    for await (const { workflowId } of client.workflow.list({ query })) running.add(workflowId)
    const dead: number[] = []
    for (const jobId of jobIds) {
      const workflowId = jobWorkflowId(jobId)
      if (!running.has(workflowId) && !(await this.#isRunning(workflowId))) dead.push(jobId)
    }
    return dead
  }

  async #isRunning(workflowId: string): Promise<boolean> {
    try {
      const { status } = await this.#temporal.client.workflow.getHandle(workflowId).describe()
      return status.name === 'RUNNING'
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return false
      throw error
    }
  }
}
