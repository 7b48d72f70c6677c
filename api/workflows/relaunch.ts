import { eq } from 'drizzle-orm'
import { launchSecrets } from '../../model/launch.ts'
import { createJob, secretAnswersKey } from '../../store/launch/create-job.ts'
import { hostCount } from '../../store/launch/sliced-job.ts'
import { copyNodes } from '../../store/launch/workflow-nodes.ts'
import { jobTemplates } from '../../store/schema/templates.ts'
import { workflowJobNodes } from '../../store/schema/workflow-jobs.ts'
import type { RequestContext } from '../context.ts'
import { BadRequestError } from '../errors.ts'
import type { JobRow } from '../jobs/fields.ts'
import { secretAnswers } from '../jobs/secret-answers.ts'
import { jobLabelIds } from '../labels/of-job.ts'
import { madeHeaders, makeOnce } from '../launch/idempotency.ts'
import { launchedBody } from '../launch/launch.ts'
import type { Action, ActionInput, ActionResult } from '../resource.ts'

/** `/workflow_jobs/N/relaunch/`: all of the workflow again, with the nodes and prompts that it had. */
export const workflowRelaunchAction: Action<JobRow> = {
  async GET() {
    return { status: 200, body: {} }
  },
  POST: relaunch,
  permission: { POST: 'start' },
  ownTransaction: true,
}

async function relaunch({ object: job, body, context, render }: ActionInput<JobRow>): Promise<ActionResult> {
  if (job.isSlicedJob) await requireSameSlices(job, context)
  const answers = secretAnswers(job, context)
  const made = await makeOnce(context, body, async (tx) => {
    const { [secretAnswersKey]: _answers, ...launchConfig } = job.launchConfig
    const again = await createJob(
      tx,
      {
        type: 'workflow_job',
        name: job.name,
        description: job.description,
        unifiedJobTemplateId: job.unifiedJobTemplateId,
        workflowJobTemplateId: job.workflowJobTemplateId,
        jobTemplateId: job.jobTemplateId,
        isSlicedJob: job.isSlicedJob,
        organizationId: job.organizationId,
        launchType: 'relaunch',
        createdById: context.actor.id,
        modifiedById: context.actor.id,
        launchConfig,
        inventoryId: job.inventoryId,
        limit: job.limit,
        scmBranch: job.scmBranch,
        jobTags: job.jobTags,
        skipTags: job.skipTags,
        extraVars: job.extraVars,
        allowSimultaneous: job.allowSimultaneous,
        priority: job.priority,
        childPriority: job.childPriority,
      },
      {
        labelIds: await jobLabelIds(tx, job.id),
        secrets: launchSecrets({}, answers),
        answers,
        keyring: context.deps.keyring,
      },
    )
    await copyNodes(tx, { job: job.id }, { job: again.id })
    return { jobId: again.id, ignoredFields: {} }
  })
  return {
    status: 201,
    body: launchedBody(await render('workflow_jobs', made.jobId)),
    headers: madeHeaders('workflow_jobs', made),
  }
}

/** Slices share out hosts: with other hosts or another number of slices they would not be the same. */
async function requireSameSlices(job: JobRow, { db }: RequestContext): Promise<void> {
  const [template] =
    job.jobTemplateId === null ? [] : await db.select().from(jobTemplates).where(eq(jobTemplates.id, job.jobTemplateId))
  if (!template) throw new BadRequestError('Cannot relaunch slice workflow job orphaned from job template.')
  const nodes = await db
    .select({ id: workflowJobNodes.id })
    .from(workflowJobNodes)
    .where(eq(workflowJobNodes.workflowJobId, job.id))
  const asked = Number(job.launchConfig.job_slice_count ?? template.jobSliceCount)
  const hosts = job.inventoryId === null ? 0 : await hostCount(db, job.inventoryId)
  if (Math.min(asked, hosts) !== nodes.length) {
    throw new BadRequestError('Cannot relaunch sliced workflow job after slice count has changed.')
  }
}
