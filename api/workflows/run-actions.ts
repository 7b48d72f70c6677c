import { eq } from 'drizzle-orm'
import { isFinal } from '../../model/job.ts'
import { splitSecretAnswers } from '../../model/launch.ts'
import { sortVariables } from '../../model/launch-variables.ts'
import { readPrompts } from '../../model/prompts.ts'
import { type SurveyQuestion, surveyQuestions } from '../../model/survey.ts'
import { variablesNotPrompted } from '../../model/workflow-launch.ts'
import type { Database } from '../../store/database.ts'
import { jobTemplates } from '../../store/schema/templates.ts'
import type { workflowJobNodes } from '../../store/schema/workflow-jobs.ts'
import { workflowJobTemplates } from '../../store/schema/workflows.ts'
import { continueRun } from '../../store/workflow/continue.ts'
import { NotNowError, retryNode, setPaused, skipNode } from '../../store/workflow/operate.ts'
import type { RequestContext } from '../context.ts'
import { BadRequestError, ValidationError } from '../errors.ts'
import type { JobRow } from '../jobs/fields.ts'
import { refuseOthersAnswers } from '../jobs/secret-answers.ts'
import { madeHeaders, makeOnce } from '../launch/idempotency.ts'
import { launchedBody } from '../launch/launch.ts'
import { authorize } from '../permissions.ts'
import type { Action, ActionInput, ActionResult } from '../resource.ts'

type NodeRow = typeof workflowJobNodes.$inferSelect

/** `/workflow_jobs/N/pause/`: no further node is started until it is resumed. 202, or 400 once it has ended. */
export const pauseAction = pausing(true)

/** `/workflow_jobs/N/resume/`. */
export const resumeAction = pausing(false)

/** `/workflow_job_nodes/N/retry/`: a failed node gets another job while its run is active. */
export const retryNodeAction = operatingOnNode(retryNode)

/** `/workflow_job_nodes/N/skip/`: the run goes on as if a failed node had succeeded. */
export const skipNodeAction = operatingOnNode(skipNode)

/** `/workflow_jobs/N/continue/`: a new run that takes over what succeeded, with other variables if wished. */
export const continueAction: Action<JobRow> = {
  GET: async ({ object }) => ({ status: 200, body: { can_continue: canContinue(object) } }),
  POST: continueJob,
  permission: { POST: 'start' },
  link: false,
  ownTransaction: true,
  fields: {
    GET: { can_continue: { type: 'boolean', label: 'Can continue', filterable: false } },
    POST: {
      extra_vars: { type: 'json', required: false, label: 'Extra vars', filterable: false, write_only: true },
      credential_passwords: {
        type: 'json',
        required: false,
        label: 'Credential passwords',
        filterable: false,
        write_only: true,
      },
    },
  },
}

function pausing(paused: boolean): Action<JobRow> {
  return {
    GET: async ({ object }) => ({ status: 200, body: { paused: object.paused } }),
    POST: async ({ object, context }) => {
      await now(() => setPaused(context.db, object.id, paused))
      return { status: 202 }
    },
    permission: { POST: 'start' },
    link: false,
    fields: { GET: { paused: { type: 'boolean', label: 'Paused', filterable: false } }, POST: {} },
  }
}

function operatingOnNode(operate: (db: Database, nodeId: number) => Promise<void>): Action<NodeRow> {
  return {
    POST: async ({ object, context }) => {
      const workflowJobs = context.registry.get('workflow_jobs')
      await authorize(context, 'start', workflowJobs, { id: object.workflowJobId })
      await now(() => operate(context.db, object.id))
      return { status: 202 }
    },
    // Who may start the workflow job may; the node itself is only found.
    permission: { POST: 'read' },
    link: false,
    fields: { POST: {} },
  }
}

async function now(operate: () => Promise<void>): Promise<void> {
  try {
    await operate()
  } catch (error) {
    if (error instanceof NotNowError) throw new BadRequestError(error.message)
    throw error
  }
}

function canContinue({ status }: JobRow): boolean {
  return isFinal(status) && status !== 'successful'
}

async function continueJob({ object: run, body, context, render }: ActionInput<JobRow>): Promise<ActionResult> {
  if (!isFinal(run.status)) {
    throw new BadRequestError('The workflow job has not ended: retry or skip its failed nodes, or wait until it has.')
  }
  if (!canContinue(run)) throw new BadRequestError('The workflow job was successful: there is nothing to continue.')
  refuseOthersAnswers(run, context)
  const { prompts, passwords, errors } = readPrompts(body)
  if (errors.extra_vars) throw new ValidationError({ extra_vars: errors.extra_vars })
  const given = prompts.extra_vars ?? {}
  const survey = await checkVariables(run, given, context)
  const { shown, secret } = splitSecretAnswers(survey, given)
  const { keyring } = context.deps
  const made = await makeOnce(context, body, async (tx) => {
    const how = { keyring, createdById: context.actor.id, extraVars: shown, answers: secret, passwords }
    return { jobId: (await continueRun(tx, run, how)).id, ignoredFields: {} }
  })
  return {
    status: 201,
    body: { workflow_job: made.jobId, ...launchedBody(await render('workflow_jobs', made.jobId)) },
    headers: madeHeaders('workflow_jobs', made),
  }
}

/** Variables that the template would not take at a launch are not taken here either. Returns its survey. */
async function checkVariables(
  run: JobRow,
  given: Record<string, unknown>,
  { db }: RequestContext,
): Promise<SurveyQuestion[]> {
  const table = run.isSlicedJob ? jobTemplates : workflowJobTemplates
  const [template] = await db
    .select({
      extraVars: table.extraVars,
      asksVariables: table.askVariablesOnLaunch,
      surveyEnabled: table.surveyEnabled,
      surveySpec: table.surveySpec,
    })
    .from(table)
    .where(eq(table.id, run.unifiedJobTemplateId ?? 0))
  if (!template) throw new BadRequestError('The template of the workflow job was deleted: it cannot be continued.')
  const survey = template.surveyEnabled ? surveyQuestions(template.surveySpec) : []
  const { refused, surveyMessages } = sortVariables({ ...template, survey }, given, false)
  if (surveyMessages.length > 0) throw new ValidationError({ variables_needed_to_start: surveyMessages })
  const names = Object.keys(refused)
  if (names.length > 0) throw ValidationError.on('extra_vars', variablesNotPrompted(names))
  return survey
}
