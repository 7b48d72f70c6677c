import { workflowPromptFlags } from '../../model/workflow-launch.ts'
import { capitalized } from '../registry.ts'
import type { Action, ActionField } from '../resource.ts'

const shown = (names: readonly string[], type: string, filterable: boolean): Record<string, ActionField> =>
  Object.fromEntries(names.map((name) => [name, { type, label: capitalized(name), filterable }]))

const prompt = (name: string, type: string, filterable = true): [string, ActionField] => [
  name,
  { type, required: false, label: capitalized(name), filterable, write_only: true },
]

/** OPTIONS of the launch view of workflows: the `awx` command makes its launch flags of them. */
export const workflowLaunchFields: NonNullable<Action['fields']> = {
  GET: {
    ...shown(Object.values(workflowPromptFlags), 'boolean', true),
    ...shown(['can_start_without_user_input'], 'boolean', false),
    ...shown(['survey_enabled'], 'boolean', true),
    ...shown(
      [
        'defaults',
        'variables_needed_to_start',
        'node_templates_missing',
        'node_prompts_rejected',
        'workflow_job_template_data',
      ],
      'field',
      false,
    ),
  },
  POST: Object.fromEntries([
    prompt('extra_vars', 'json'),
    prompt('inventory', 'id'),
    prompt('limit', 'string', false),
    prompt('scm_branch', 'string', false),
    prompt('labels', 'field', false),
    prompt('skip_tags', 'string', false),
    prompt('job_tags', 'string', false),
    prompt('priority', 'integer', false),
  ]),
}
