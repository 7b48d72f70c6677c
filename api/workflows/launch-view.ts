import { and, eq, isNull } from 'drizzle-orm'
import { savedPromptErrors } from '../../model/saved-prompts.ts'
import { variablesNeeded } from '../../model/survey.ts'
import { workflowPromptFlags } from '../../model/workflow-launch.ts'
import { openAnswers } from '../../store/launch/saved-answers.ts'
import { loadPromptRules, type PromptRules } from '../../store/launch/saved-prompts.ts'
import { type WorkflowTemplateRow, workflowLaunchTemplate } from '../../store/launch/workflow-template.ts'
import { workflowJobTemplateNodes } from '../../store/schema/workflows.ts'
import { unifiedJobTemplates } from '../../store/unified-templates.ts'
import type { RequestContext } from '../context.ts'
import type { ActionInput, ActionResult } from '../resource.ts'
import { loadSummaries } from '../summary.ts'
import { columnPrompts } from './node-fields.ts'

/** What launching a workflow takes: GET `/workflow_job_templates/N/launch/`. */
export async function showWorkflowLaunch({
  object: template,
  context,
}: ActionInput<WorkflowTemplateRow>): Promise<ActionResult> {
  const rules = await workflowLaunchTemplate(context.db, template)
  const flags = Object.fromEntries(
    Object.entries(workflowPromptFlags).map(([field, flag]) => [flag, rules.asks[field as keyof typeof rules.asks]]),
  )
  const needed = variablesNeeded(rules.survey)
  const inventory = await named('inventory', template.inventoryId, context)
  const labels = await Promise.all(rules.labels.map((id) => named('labels', id, context)))
  const { templatesMissing, promptsRejected } = await faultyNodes(template, context)
  return {
    status: 200,
    body: {
      ...flags,
      can_start_without_user_input: needed.length === 0,
      defaults: {
        inventory,
        limit: template.limit,
        scm_branch: template.scmBranch,
        ...(labels.length > 0 ? { labels } : {}),
        job_tags: template.jobTags,
        skip_tags: template.skipTags,
        priority: template.priority,
        extra_vars: template.extraVars,
      },
      survey_enabled: template.surveyEnabled,
      variables_needed_to_start: needed,
      node_templates_missing: templatesMissing,
      node_prompts_rejected: promptsRejected,
      workflow_job_template_data: { name: template.name, id: template.id, description: template.description },
    },
  }
}

async function named(resource: string, id: number | null, context: RequestContext) {
  const none = { name: null, id: null }
  if (id === null) return none
  const summary = (await loadSummaries(context.registry.get(resource), [id], context)).get(id)
  return summary ? { name: summary.name, id: summary.id } : none
}

/** Ids of nodes whose template is gone, and of those with prompts that their template would not take. */
async function faultyNodes(template: WorkflowTemplateRow, context: RequestContext) {
  const { db, deps } = context
  const node = workflowJobTemplateNodes
  const missing = await db
    .select({ id: node.id })
    .from(node)
    .leftJoin(unifiedJobTemplates, eq(unifiedJobTemplates.id, node.unifiedJobTemplateId))
    .where(and(eq(node.workflowJobTemplateId, template.id), isNull(unifiedJobTemplates.id)))
    .orderBy(node.id)
  const nodes = await db.select().from(node).where(eq(node.workflowJobTemplateId, template.id)).orderBy(node.id)
  const known = new Map<number, PromptRules | null>()
  const rejected: number[] = []
  for (const one of nodes) {
    const { unifiedJobTemplateId: id, templateType: type } = one
    const prompts = columnPrompts(one)
    if (id === null || type === null || Object.keys(prompts).length === 0) continue
    const rules = known.get(id) ?? (await loadPromptRules({ db, keyring: deps.keyring }, { id, type }))
    known.set(id, rules)
    if (!rules) continue
    const readable = prompts.extra_vars ? { extra_vars: openAnswers(deps.keyring, id, prompts.extra_vars) } : {}
    if (Object.keys(savedPromptErrors(rules.taker, { ...prompts, ...readable }, false)).length > 0)
      rejected.push(one.id)
  }
  return { templatesMissing: missing.map(({ id }) => id), promptsRejected: rejected }
}
