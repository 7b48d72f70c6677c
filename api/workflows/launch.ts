import { readPrompts } from '../../model/prompts.ts'
import {
  type AcceptedWorkflow,
  decideWorkflowLaunch,
  makeLaunchedWorkflowJob,
  type WorkflowTemplateRow,
} from '../../store/launch/workflow-template.ts'
import type { RequestContext } from '../context.ts'
import { ValidationError } from '../errors.ts'
import { explainNothingYet } from '../jobs/waiting.ts'
import { madeHeaders, makeOnce } from '../launch/idempotency.ts'
import { launchedBody } from '../launch/launch.ts'
import { authorize } from '../permissions.ts'
import type { Action, ActionInput, ActionResult } from '../resource.ts'
import { workflowLaunchFields } from './launch-fields.ts'
import { showWorkflowLaunch } from './launch-view.ts'

/** `/workflow_job_templates/N/launch/`. */
export const workflowLaunchAction: Action<WorkflowTemplateRow> = {
  GET: showWorkflowLaunch,
  POST: launchWorkflow,
  fields: workflowLaunchFields,
  title: 'Workflow Job Template Launch',
  ownTransaction: true,
}

async function launchWorkflow({
  object: template,
  body,
  context,
  render,
}: ActionInput<WorkflowTemplateRow>): Promise<ActionResult> {
  const { prompts, errors } = readPrompts(body)
  const { keyring } = context.deps
  const launch = await decideWorkflowLaunch({ db: context.db, keyring }, template, prompts, { unreadable: errors })
  const { decision } = launch
  if (!decision.ok) throw new ValidationError(decision.errors)
  await authorizePrompts(context, decision)
  const made = await makeOnce(context, body, async (tx) => {
    const job = await makeLaunchedWorkflowJob(tx, keyring, launch, decision, {
      launchType: 'manual',
      createdById: context.actor.id,
    })
    return { jobId: job.id, ignoredFields: decision.ignored }
  })
  explainNothingYet(made.jobId, context)
  const shown = await render('workflow_jobs', made.jobId)
  return {
    status: 201,
    body: { workflow_job: made.jobId, ignored_fields: made.ignoredFields, ...launchedBody(shown) },
    headers: madeHeaders('workflow_jobs', made),
  }
}

/** What a prompt brings in must be usable by who launches. */
async function authorizePrompts(context: RequestContext, { accepted }: AcceptedWorkflow): Promise<void> {
  if (accepted.inventory !== undefined) {
    await authorize(context, 'use', context.registry.get('inventory'), { id: accepted.inventory })
  }
}
