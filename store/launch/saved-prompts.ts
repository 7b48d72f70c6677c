import { eq } from 'drizzle-orm'
import type { PromptTaker } from '../../model/saved-prompts.ts'
import { type SurveyQuestion, surveyQuestions } from '../../model/survey.ts'
import { jobTemplates } from '../schema/templates.ts'
import { type NodeTemplateType, workflowJobTemplates } from '../schema/workflows.ts'
import { type LaunchStore, launchTemplate, loadSources } from './sources.ts'
import { workflowLaunchTemplate } from './workflow-template.ts'

/** A template of any kind that prompts are saved for. */
export interface PromptTarget {
  id: number
  type: NodeTemplateType
}

/** What a template takes of saved prompts, and its survey; null when it is gone. */
export interface PromptRules {
  taker: PromptTaker
  survey: SurveyQuestion[]
}

/** Reads what a template of any kind takes of saved prompts. The survey is there whether it is enabled or not: secrets are kept either way. */
export async function loadPromptRules(store: LaunchStore, { id, type }: PromptTarget): Promise<PromptRules | null> {
  if (type === 'job_template') {
    const [template] = await store.db.select().from(jobTemplates).where(eq(jobTemplates.id, id))
    if (!template) return null
    const sources = await loadSources(store, { ...template, jobTemplateId: id })
    const rules = launchTemplate(template, sources)
    return { taker: { kind: type, rules }, survey: surveyQuestions(template.surveySpec) }
  }
  if (type === 'workflow_job_template') {
    const [template] = await store.db.select().from(workflowJobTemplates).where(eq(workflowJobTemplates.id, id))
    if (!template) return null
    const rules = await workflowLaunchTemplate(store.db, template)
    return { taker: { kind: type, rules }, survey: surveyQuestions(template.surveySpec) }
  }
  return { taker: { kind: 'other', takesVariables: type === 'system_job_template' }, survey: [] }
}
