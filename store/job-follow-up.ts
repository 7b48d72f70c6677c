import { isFinal } from '../model/job.ts'
import { wakeNext } from './blocking.ts'
import type { Database } from './database.ts'
import { tellParent } from './job-parent.ts'
import { announce } from './notifications/announce.ts'
import { enqueue } from './outbox.ts'
import { scheduledJobEnded } from './schedules/write.ts'
import type { unifiedJobs } from './schema/jobs.ts'
import { isToldToService } from './webhook-status.ts'

/**
 * What follows when a job was made or its status has changed, in the same transaction, so that nobody who has to know is ever left out: its
 * template shows it, a workflow job goes on when a node's job has ended, the next job of a template that allows one at a time has its turn,
 * its schedule may have more to run, the service whose web hook launched it is told, and whoever wants to be notified is.
 */
export async function followUp(tx: Database, job: typeof unifiedJobs.$inferSelect): Promise<void> {
  await tellParent(tx, job)
  await furtherFollowUp(tx, job, true)
}

/** As followUp, where the template was told already, and is known whether somebody may want to be notified. */
export async function furtherFollowUp(
  tx: Database,
  job: typeof unifiedJobs.$inferSelect,
  announced: boolean,
): Promise<void> {
  if (isFinal(job.status) && job.workflowJobId !== null) await enqueue(tx, 'progress', job.workflowJobId)
  if (isFinal(job.status)) await wakeNext(tx, job)
  if (isFinal(job.status)) await scheduledJobEnded(tx, job)
  if (isToldToService(job)) await enqueue(tx, 'webhook_status', job.id)
  if (announced) await announce(tx, job)
}
