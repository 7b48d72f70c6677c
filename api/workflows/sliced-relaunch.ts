import { eq } from 'drizzle-orm'
import { type Prompts, readPrompts } from '../../model/prompts.ts'
import { secretAnswersKey } from '../../store/launch/create-job.ts'
import { decideJobTemplateLaunch, makeLaunchedJob, withOwnCredentials } from '../../store/launch/job-template.ts'
import { hostCount, wantedSlices } from '../../store/launch/sliced-job.ts'
import type { TemplateRow } from '../../store/launch/sources.ts'
import { jobTemplates } from '../../store/schema/templates.ts'
import { workflowJobNodes } from '../../store/schema/workflow-jobs.ts'
import { launchContext, open } from '../../store/secrets.ts'
import type { RequestContext } from '../context.ts'
import { BadRequestError, PermissionDeniedError, ValidationError } from '../errors.ts'
import type { JobRow } from '../jobs/fields.ts'
import { type MadeJob, makeOnce } from '../launch/idempotency.ts'

/** Relaunches a sliced job as a whole: its template is launched with the prompts of then, and cut as then. */
export async function relaunchSliced(
  job: JobRow,
  body: Record<string, unknown>,
  context: RequestContext,
): Promise<MadeJob> {
  const template = await templateToRelaunch(job, context)
  const { keyring } = context.deps
  const asked = await withOwnCredentials(context.db, template.id, promptsOf(job, context))
  const { passwords } = readPrompts(body)
  const launch = await decideJobTemplateLaunch({ db: context.db, keyring }, template, asked, passwords)
  const { decision } = launch
  if (!decision.ok) throw new ValidationError(decision.errors)
  return await makeOnce(context, body, async (tx) => {
    const origin = { launchType: 'relaunch' as const, createdById: context.actor.id }
    return { jobId: (await makeLaunchedJob(tx, keyring, launch, decision, origin)).id, ignoredFields: {} }
  })
}

/** Throws AWX's objections: the template is gone, or the job would be cut otherwise now. */
async function templateToRelaunch(job: JobRow, { db }: RequestContext): Promise<TemplateRow> {
  const [template] =
    job.jobTemplateId === null ? [] : await db.select().from(jobTemplates).where(eq(jobTemplates.id, job.jobTemplateId))
  if (!template) throw new BadRequestError('Cannot relaunch slice workflow job orphaned from job template.')
  const nodes = await db.$count(workflowJobNodes, eq(workflowJobNodes.workflowJobId, job.id))
  const wanted = wantedSlices(template, job.launchConfig as Prompts)
  if (job.inventoryId === null || Math.min(await hostCount(db, job.inventoryId), wanted) !== nodes) {
    throw new BadRequestError('Cannot relaunch sliced workflow job after slice count has changed.')
  }
  return template
}

/** Answers to password questions belong to who gave them. */
function promptsOf(job: JobRow, { actor, deps }: RequestContext): Prompts {
  const { [secretAnswersKey]: sealed, ...prompts } = job.launchConfig
  if (typeof sealed !== 'string') return prompts as Prompts
  if (!actor.isSuperuser && job.createdById !== actor.id) {
    throw new PermissionDeniedError('Job was launched with secret prompts provided by another user.')
  }
  const answers = JSON.parse(open(deps.keyring, sealed, launchContext(job.id)))
  return { ...prompts, extra_vars: { ...(prompts.extra_vars as object), ...answers } } as Prompts
}
