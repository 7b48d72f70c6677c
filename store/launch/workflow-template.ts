import { and, eq, notExists, sql } from 'drizzle-orm'
import { jobVariables, launchSecrets, missingObjects, splitSecretAnswers } from '../../model/launch.ts'
import type { Prompts } from '../../model/prompts.ts'
import { surveyQuestions } from '../../model/survey.ts'
import { mergeVariables, pythonJson, storedVariables } from '../../model/variables.ts'
import {
  decideWorkflowLaunch as decide,
  type RootNode,
  type WorkflowLaunchDecision,
  type WorkflowLaunchOptions,
  type WorkflowLaunchTemplate,
  workflowPrompts,
} from '../../model/workflow-launch.ts'
import type { Database } from '../database.ts'
import type { JobRow } from '../job-status.ts'
import { inventories } from '../schema/inventory.ts'
import { workflowJobTemplateLabels } from '../schema/labels.ts'
import { jobTemplates } from '../schema/templates.ts'
import { workflowJobTemplateEdges, workflowJobTemplateNodes, type workflowJobTemplates } from '../schema/workflows.ts'
import type { Keyring } from '../secrets.ts'
import { createJob } from './create-job.ts'
import { type LaunchOrigin, openSurveyDefaults } from './new-job.ts'
import { type LaunchStore, loadObjects } from './sources.ts'
import { copyNodes } from './workflow-nodes.ts'

/** A workflow job template as stored. */
export type WorkflowTemplateRow = typeof workflowJobTemplates.$inferSelect

/** A launch of a workflow with everything that was read for it. */
export interface WorkflowLaunch {
  template: WorkflowTemplateRow
  rules: WorkflowLaunchTemplate
  decision: WorkflowLaunchDecision
}

/** A launch of a workflow that may be made. */
export type AcceptedWorkflow = Extract<WorkflowLaunchDecision, { ok: true }>

/**
 * Decides the launch of a workflow job template, for whoever launches: the API, a node of another workflow, a schedule, a web hook. Prompts that no workflow
 * has are dropped. `unreadable` are complaints about the prompts that were found before (readPrompts). Changes nothing.
 */
export async function decideWorkflowLaunch(
  store: LaunchStore,
  template: WorkflowTemplateRow,
  given: Prompts,
  options: WorkflowLaunchOptions & { unreadable?: Record<string, string[]> } = {},
): Promise<WorkflowLaunch> {
  const own = (record: object) =>
    Object.fromEntries(Object.entries(record).filter(([name]) => (workflowPrompts as readonly string[]).includes(name)))
  const prompts: Prompts = own(given)
  const rules = await workflowLaunchTemplate(store.db, template)
  const found = await loadObjects(store, prompts)
  const errors = { ...missingObjects(prompts, found), ...own(options.unreadable ?? {}) }
  const decision: WorkflowLaunchDecision =
    Object.keys(errors).length > 0 ? { ok: false, errors } : decide(rules, prompts, found, options)
  return { template, rules, decision }
}

/** The template as the rules of launching look at it. */
export async function workflowLaunchTemplate(
  db: Database,
  template: WorkflowTemplateRow,
): Promise<WorkflowLaunchTemplate> {
  const [inventory] =
    template.inventoryId === null
      ? []
      : await db
          .select({ pendingDeletion: inventories.pendingDeletion })
          .from(inventories)
          .where(eq(inventories.id, template.inventoryId))
  const labels = await db
    .select({ id: workflowJobTemplateLabels.labelId })
    .from(workflowJobTemplateLabels)
    .where(eq(workflowJobTemplateLabels.workflowJobTemplateId, template.id))
  return {
    plain: {
      inventory: template.inventoryId,
      limit: template.limit,
      scm_branch: template.scmBranch,
      skip_tags: template.skipTags,
      job_tags: template.jobTags,
      priority: template.priority,
    },
    extraVars: template.extraVars,
    asks: {
      inventory: template.askInventoryOnLaunch,
      limit: template.askLimitOnLaunch,
      scm_branch: template.askScmBranchOnLaunch,
      extra_vars: template.askVariablesOnLaunch,
      labels: template.askLabelsOnLaunch,
      skip_tags: template.askSkipTagsOnLaunch,
      job_tags: template.askTagsOnLaunch,
      priority: template.askPriorityOnLaunch,
    },
    survey: template.surveyEnabled ? surveyQuestions(template.surveySpec) : [],
    labels: labels.map(({ id }) => id),
    inventoryBeingDeleted: inventory?.pendingDeletion ?? false,
    roots: await rootsWithSurvey(db, template.id),
  }
}

/** Nodes without parents whose job template asks questions. */
async function rootsWithSurvey(db: Database, templateId: number): Promise<RootNode[]> {
  const node = workflowJobTemplateNodes
  const rows = await db
    .select({
      identifier: node.identifier,
      extraData: node.extraData,
      templateName: jobTemplates.name,
      extraVars: jobTemplates.extraVars,
      surveySpec: jobTemplates.surveySpec,
    })
    .from(node)
    .innerJoin(jobTemplates, eq(jobTemplates.id, node.unifiedJobTemplateId))
    .where(
      and(
        eq(node.workflowJobTemplateId, templateId),
        eq(jobTemplates.surveyEnabled, true),
        notExists(
          db
            .select({ one: sql`1` })
            .from(workflowJobTemplateEdges)
            .where(eq(workflowJobTemplateEdges.childId, node.id)),
        ),
      ),
    )
    .orderBy(node.id)
  return rows.map(({ extraData, extraVars, surveySpec, ...row }) => ({
    ...row,
    survey: surveyQuestions(surveySpec),
    variables: mergeVariables(storedVariables(extraVars), extraData),
  }))
}

/** What every workflow job has of its template, whatever is prompted. */
export function ofWorkflowTemplate(template: WorkflowTemplateRow) {
  return {
    type: 'workflow_job' as const,
    name: template.name,
    description: template.description,
    unifiedJobTemplateId: template.id,
    workflowJobTemplateId: template.id,
    organizationId: template.organizationId,
    allowSimultaneous: template.allowSimultaneous,
  }
}

/**
 * Makes the workflow job of a launch that may be made, with its nodes and with what starts it, within the caller's transaction. What the job says of inventory, limit,
 * branch and tags, its own or prompted, is in its columns; an empty text says nothing.
 */
export async function makeLaunchedWorkflowJob(
  tx: Database,
  keyring: Keyring,
  { template, rules }: WorkflowLaunch,
  { accepted }: AcceptedWorkflow,
  { hidden = [], priority: inherited, ...origin }: LaunchOrigin,
): Promise<JobRow> {
  const { shown, secret } = splitSecretAnswers(rules.survey, jobVariables(rules, accepted.extra_vars), hidden)
  const asked = splitSecretAnswers(rules.survey, accepted.extra_vars ?? {}, hidden).shown
  const answers = openSurveyDefaults(template, secret, keyring)
  const priority = inherited ?? accepted.priority ?? template.priority
  const job = await createJob(
    tx,
    {
      ...ofWorkflowTemplate(template),
      ...origin,
      ...(priority === null ? {} : { priority, childPriority: priority }),
      modifiedById: origin.createdById,
      launchConfig: { ...accepted, ...(accepted.extra_vars ? { extra_vars: asked } : {}) },
      inventoryId: accepted.inventory ?? template.inventoryId,
      limit: accepted.limit ?? template.limit ?? '',
      scmBranch: accepted.scm_branch ?? template.scmBranch ?? '',
      jobTags: accepted.job_tags ?? template.jobTags ?? '',
      skipTags: accepted.skip_tags ?? template.skipTags ?? '',
      extraVars: pythonJson(shown),
    },
    { labelIds: accepted.labels ?? rules.labels, secrets: launchSecrets({}, answers), answers, keyring },
  )
  await copyNodes(tx, { template: template.id }, { job: job.id })
  return job
}
