import type { LaunchType } from '../../model/job.ts'
import { pythonJson } from '../../model/variables.ts'
import type { Database } from '../database.ts'
import { followUp } from '../job-follow-up.ts'
import { unifiedJobs } from '../schema/jobs.ts'
import type { systemJobTemplates } from '../schema/updates.ts'

/** How a system job comes about. */
export interface SystemJobLaunch {
  launchType: LaunchType
  createdById: number | null
  /** As readSystemJobOptions of model/system-job.ts reads them; what it refuses makes the job fail. */
  extraVars?: Record<string, unknown>
  /** The workflow job whose node it is. */
  workflowJobId?: number
  /** That of what it is made for. */
  priority?: number
  scheduleId?: number
}

/** Makes the row of a system job, pending; the caller starts it. Returns its id. */
export async function createSystemJob(
  tx: Database,
  template: typeof systemJobTemplates.$inferSelect,
  { extraVars = {}, ...launch }: SystemJobLaunch,
): Promise<number> {
  const [job] = await tx
    .insert(unifiedJobs)
    .values({
      type: 'system_job',
      name: template.name,
      description: template.description,
      unifiedJobTemplateId: template.id,
      systemJobTemplateId: template.id,
      status: 'pending',
      jobType: template.jobType,
      extraVars: pythonJson(extraVars),
      executionEnvironmentId: template.executionEnvironmentId,
      ...launch,
    })
    .returning()
  if (!job) throw new Error(`the job of system job template ${template.id} was not made`)
  await followUp(tx, job)
  return job.id
}
