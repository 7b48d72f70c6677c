import { eq, sql } from 'drizzle-orm'
import { isFinal } from '../../model/job.ts'
import type { Database } from '../database.ts'
import { type JobRow, transitionJob } from '../job-status.ts'
import { createJob } from '../launch/create-job.ts'
import { enqueue } from '../outbox.ts'
import { unifiedJobs } from '../schema/jobs.ts'
import type { workflowApprovalTemplates } from '../schema/workflows.ts'

/** AWX's answer to a decision that comes too late. */
export const alreadyDecided = 'This workflow step has already been approved or denied.'

/** What was decided of an approval, and by whom. */
export type ApprovalDecision = { decision: 'approve' | 'deny'; userId: number | null } | { decision: 'expire' }

/** Makes the approval of a node: it is pending and counts from now. Returns its id. */
export async function createApproval(
  tx: Database,
  template: typeof workflowApprovalTemplates.$inferSelect,
  workflow: JobRow,
): Promise<number> {
  const job = await createJob(tx, {
    type: 'workflow_approval',
    name: template.name,
    description: template.description,
    unifiedJobTemplateId: template.id,
    workflowApprovalTemplateId: template.id,
    organizationId: workflow.organizationId,
    launchType: 'workflow',
    createdById: workflow.createdById,
    workflowJobId: workflow.id,
    timeout: template.timeout,
    priority: workflow.priority,
  })
  const expiration =
    template.timeout > 0 ? sql`${unifiedJobs.created} + make_interval(secs => ${template.timeout})` : null
  await tx
    .update(unifiedJobs)
    .set({ started: unifiedJobs.created, approvalExpiration: expiration })
    .where(eq(unifiedJobs.id, job.id))
  return job.id
}

/**
 * Decides an approval, in one transaction with what follows: exactly one decision wins. False when it was decided, had expired or was cancelled
 * before; `expire` before its time does nothing either. The workflow of the approval is told.
 */
export async function decideApproval(db: Database, approvalId: number, decision: ApprovalDecision): Promise<boolean> {
  return await db.transaction(async (tx) => {
    const [approval] = await tx
      .select({
        type: unifiedJobs.type,
        name: unifiedJobs.name,
        status: unifiedJobs.status,
        timeout: unifiedJobs.timeout,
        isDue: sql<boolean>`coalesce(${unifiedJobs.approvalExpiration} <= now(), false)`,
      })
      .from(unifiedJobs)
      .where(eq(unifiedJobs.id, approvalId))
      .for('no key update')
    if (approval?.type !== 'workflow_approval' || isFinal(approval.status)) return false
    if (decision.decision === 'expire') {
      if (!approval.isDue) return false
      const explanation = `The approval node ${approval.name} (${approvalId}) has expired after ${approval.timeout} seconds.`
      await transitionJob(tx, approvalId, 'failed', { explanation, timedOut: true })
    } else {
      const status = decision.decision === 'approve' ? 'successful' : 'failed'
      await transitionJob(tx, approvalId, status, { approvedOrDeniedById: decision.userId })
    }
    await enqueue(tx, 'decided', approvalId)
    return true
  })
}

/** How an approval stands: its row, and the milliseconds until it expires by the database's clock; null when it never does. */
export async function readApproval(
  db: Database,
  approvalId: number,
): Promise<{ job: JobRow; msLeft: number | null } | undefined> {
  const [row] = await db
    .select({
      job: unifiedJobs,
      msLeft: sql<
        number | null
      >`(extract(epoch FROM ${unifiedJobs.approvalExpiration} - now()) * 1000)::double precision`,
    })
    .from(unifiedJobs)
    .where(eq(unifiedJobs.id, approvalId))
  return row && { job: row.job, msLeft: row.msLeft === null ? null : Math.max(0, Math.ceil(row.msLeft)) }
}
