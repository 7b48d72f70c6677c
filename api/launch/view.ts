import { canStartWithoutInput, type LaunchTemplate } from '../../model/launch.ts'
import { credentialPlace, passwordsNeeded } from '../../model/launch-credentials.ts'
import { promptFlags } from '../../model/prompts.ts'
import { variablesNeeded } from '../../model/survey.ts'
import { launchTemplate, loadSources, type TemplateRow } from '../../store/launch/sources.ts'
import type { ActionInput, ActionResult } from '../resource.ts'
import { loadSummaries } from '../summary.ts'

/** What launching a template takes: GET `/job_templates/N/launch/`. */
export async function showLaunch({ object: template, context }: ActionInput<TemplateRow>): Promise<ActionResult> {
  const sources = await loadSources(
    { db: context.db, keyring: context.deps.keyring },
    { ...template, jobTemplateId: template.id },
  )
  const rules = launchTemplate(template, sources)
  const named = async (resource: string, id: number | null) => {
    if (id === null) return {}
    const summary = (await loadSummaries(context.registry.get(resource), [id], context)).get(id)
    return summary ? { name: summary.name, id: summary.id } : {}
  }
  const flags = Object.fromEntries(
    Object.entries(promptFlags).map(([field, flag]) => [flag, rules.asks[field as keyof typeof rules.asks]]),
  )
  const { inventory: _inventory, execution_environment: _environment, ...plain } = rules.plain
  return {
    status: 200,
    body: {
      can_start_without_user_input: canStartWithoutInput(rules),
      passwords_needed_to_start: passwordsNeeded(rules.credentials),
      ...flags,
      survey_enabled: template.surveyEnabled,
      variables_needed_to_start: variablesNeeded(rules.survey),
      credential_needed_to_start: false,
      inventory_needed_to_start: template.inventoryId === null,
      job_template_data: { name: template.name, id: template.id, description: template.description },
      defaults: {
        ...plain,
        inventory:
          template.inventoryId === null ? { name: null, id: null } : await named('inventory', template.inventoryId),
        extra_vars: template.extraVars,
        ...(rules.credentials.length > 0 ? { credentials: rules.credentials.map(defaultCredential) } : {}),
        ...(rules.labels.length > 0
          ? { labels: await Promise.all(rules.labels.map((id) => named('labels', id))) }
          : {}),
        execution_environment: await named('execution_environments', template.executionEnvironmentId),
        instance_groups: await Promise.all(sources.templateGroups.map((id) => named('instance_groups', id))),
      },
    },
  }
}

function defaultCredential(credential: LaunchTemplate['credentials'][number]): Record<string, unknown> {
  return {
    id: credential.id,
    name: credential.name,
    credential_type: credential.typeId,
    passwords_needed: credential.passwordsNeeded,
    ...(credentialPlace(credential).label.includes('(id=') ? { vault_id: credential.vaultId } : {}),
  }
}
