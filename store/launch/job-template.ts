import { decideLaunch, type LaunchDecision, type LaunchTemplate, missingObjects } from '../../model/launch.ts'
import type { Prompts } from '../../model/prompts.ts'
import type { Database } from '../database.ts'
import type { JobRow } from '../job-status.ts'
import type { Keyring } from '../secrets.ts'
import { createJob } from './create-job.ts'
import { type Accepted, type LaunchOrigin, newJob } from './new-job.ts'
import {
  type LaunchSources,
  type LaunchStore,
  launchTemplate,
  loadObjects,
  loadSources,
  type TemplateRow,
} from './sources.ts'

/** A launch of a job template with everything that was read for it. */
export interface JobTemplateLaunch {
  template: TemplateRow
  rules: LaunchTemplate
  sources: LaunchSources
  decision: LaunchDecision
}

/**
 * Decides the launch of a job template, for whoever launches: the API, a node of a workflow, a schedule, a web hook. `unreadable` are complaints
 * about the prompts that were found before (readPrompts). Changes nothing.
 */
export async function decideJobTemplateLaunch(
  store: LaunchStore,
  template: TemplateRow,
  prompts: Prompts,
  passwords: Record<string, string> = {},
  unreadable: Record<string, string[]> = {},
): Promise<JobTemplateLaunch> {
  const found = await loadObjects(store, prompts)
  const inventoryId = template.askInventoryOnLaunch ? (prompts.inventory ?? template.inventoryId) : template.inventoryId
  const executionEnvironmentId = template.askExecutionEnvironmentOnLaunch
    ? (prompts.execution_environment ?? template.executionEnvironmentId)
    : template.executionEnvironmentId
  const sources = await loadSources(store, {
    ...template,
    jobTemplateId: template.id,
    inventoryId,
    executionEnvironmentId,
  })
  const rules = launchTemplate(template, sources)
  const errors = { ...missingObjects(prompts, found), ...unreadable }
  const decision: LaunchDecision =
    Object.keys(errors).length > 0 ? { ok: false, errors } : decideLaunch(rules, prompts, passwords, found)
  return { template, rules, sources, decision }
}

/** Makes the job of a launch that may be made, with everything that starts it, within the caller's transaction. */
export async function makeLaunchedJob(
  tx: Database,
  keyring: Keyring,
  { template, rules, sources }: JobTemplateLaunch,
  accepted: Accepted,
  origin: LaunchOrigin,
): Promise<JobRow> {
  const { values, more } = newJob(template, rules, sources, accepted, { ...origin, keyring })
  return await createJob(tx, values, more)
}
