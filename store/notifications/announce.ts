import { and, eq, inArray, or, type SQL, sql } from 'drizzle-orm'
import { isFinal } from '../../model/job.ts'
import { recipientsOf } from '../../model/notifications/fields.ts'
import type { NotificationEvent, NotificationList } from '../../model/notifications/types.ts'
import { pythonText } from '../../model/variables.ts'
import type { Database } from '../database.ts'
import { enqueue } from '../outbox.ts'
import { inventories } from '../schema/inventory.ts'
import { unifiedJobs } from '../schema/jobs.ts'
import { notificationAttachments, notifications, notificationTemplates } from '../schema/notifications.ts'

type JobRow = typeof unifiedJobs.$inferSelect
/** The columns of a job that say who wants to be notified of it. */
export type AnnouncedFacts = Pick<
  JobRow,
  | 'type'
  | 'status'
  | 'timedOut'
  | 'retries'
  | 'organizationId'
  | 'jobTemplateId'
  | 'projectId'
  | 'inventoryId'
  | 'inventorySourceId'
  | 'systemJobTemplateId'
  | 'workflowJobTemplateId'
  | 'workflowJobId'
>
type TemplateRow = typeof notificationTemplates.$inferSelect

/**
 * Writes a notification for each template that wants to know of what has just happened to a job, and asks for its delivery. Runs in the transaction
 * of the job's change, so that none is lost and none is written twice; what it says is worked out at the delivery, from the job as it is now.
 */
export async function announce(tx: Database, job: JobRow): Promise<void> {
  const event = eventOf(job)
  const attached = attachedTo(job)
  if (!event || !attached) return
  const wanting = tx
    .select({ id: notificationAttachments.notificationTemplateId })
    .from(notificationAttachments)
    .where(attached)
  const templates = await tx
    .select()
    .from(notificationTemplates)
    .where(inArray(notificationTemplates.id, wanting))
    .orderBy(notificationTemplates.id)
  for (const template of templates) await tell(tx, template, event, job)
}

/** Whether any template wants to know of what has just happened to a job: mostly none does. */
export function isAnnounced(job: AnnouncedFacts): SQL<boolean> {
  const attached = attachedTo(job)
  return attached ? sql`EXISTS (SELECT FROM ${notificationAttachments} WHERE ${attached})` : sql`false`
}

/** Attachments of the templates that want to know of what has just happened to a job; undefined where none can. */
function attachedTo(job: AnnouncedFacts): SQL | undefined {
  const event = eventOf(job)
  const told = event && owners(job)
  if (!told) return undefined
  const list: NotificationList = event === 'started' || event === 'success' || event === 'error' ? event : 'approvals'
  return and(eq(notificationAttachments.list, list), told)
}

/** Writes a notification and asks for its delivery. */
export async function tell(
  tx: Database,
  template: TemplateRow,
  event: NotificationEvent,
  job: JobRow | null,
  said: { subject: string; body: string | null } = { subject: '', body: null },
): Promise<number> {
  const recipients = recipientsOf(template.notificationType, template.notificationConfiguration)
  const [row] = await tx
    .insert(notifications)
    .values({
      notificationTemplateId: template.id,
      notificationType: template.notificationType,
      recipients: pythonText(recipients ?? ''),
      event,
      ...said,
      ...(job ? { jobId: job.id, snapshot: snapshotOf(job) } : {}),
    })
    .returning({ id: notifications.id })
  if (!row) throw new Error('the notification was not written')
  await enqueue(tx, 'notify', row.id)
  return row.id
}

/** What has happened to a job that may be told; a change that nobody is told of gives none. */
function eventOf({ type, status, timedOut, retries }: AnnouncedFacts): NotificationEvent | undefined {
  if (type === 'workflow_approval') {
    if (status === 'pending') return 'running'
    if (status === 'successful') return 'approved'
    return status === 'failed' ? (timedOut ? 'timed_out' : 'denied') : undefined
  }
  // Of a job that is tried again it was told before.
  if (status === 'running') return retries.told === undefined ? 'started' : undefined
  if (!isFinal(status)) return undefined
  return status === 'successful' ? 'success' : 'error'
}

/**
 * To what a template must be attached to be told of a job, as in AWX: its template, the project of its job template, and the organization, which is
 * that of the inventory where there is no template. A job whose template is gone, and a sliced job, tell nobody.
 */
function owners(job: AnnouncedFacts): SQL | undefined {
  const at = notificationAttachments
  const organization = job.organizationId === null ? undefined : eq(at.organizationId, job.organizationId)
  switch (job.type) {
    case 'job':
      if (job.jobTemplateId === null) return undefined
      return or(
        eq(at.jobTemplateId, job.jobTemplateId),
        job.projectId === null ? undefined : eq(at.projectId, job.projectId),
        organization,
      )
    case 'project_update':
      return job.projectId === null ? undefined : or(eq(at.projectId, job.projectId), organization)
    case 'inventory_update':
      if (job.inventorySourceId === null) return undefined
      return or(eq(at.inventorySourceId, job.inventorySourceId), ofInventory(job))
    case 'ad_hoc_command':
      return ofInventory(job)
    case 'system_job':
      return job.systemJobTemplateId === null ? undefined : eq(at.systemJobTemplateId, job.systemJobTemplateId)
    case 'workflow_job':
      if (job.workflowJobTemplateId === null) return undefined
      return or(eq(at.workflowJobTemplateId, job.workflowJobTemplateId), organization)
    case 'workflow_approval': {
      if (job.workflowJobId === null) return undefined
      const of = (column: SQL) => sql`(SELECT ${column} FROM ${unifiedJobs} WHERE id = ${job.workflowJobId})`
      return or(
        sql`${at.workflowJobTemplateId} = ${of(sql`workflow_job_template_id`)}`,
        sql`${at.organizationId} = ${of(sql`organization_id`)}`,
      )
    }
  }
}

function ofInventory({ inventoryId }: AnnouncedFacts): SQL | undefined {
  if (inventoryId === null) return undefined
  const organization = sql`(SELECT organization_id FROM ${inventories} WHERE id = ${inventoryId})`
  return sql`${notificationAttachments.organizationId} = ${organization}`
}

function snapshotOf({ status, failed, started, finished, elapsed, jobExplanation }: JobRow) {
  return { status, failed, started, finished, elapsed, jobExplanation }
}
