import { firstPriority, lastPriority } from '../../model/priority.ts'
import { promptFlags } from '../../model/prompts.ts'
import { jobTypeChoices, verbosityChoices } from '../jobs/fields.ts'
import { capitalized } from '../registry.ts'
import type { Action, ActionField } from '../resource.ts'

const label = (name: string) => capitalized(name)
const shown = (names: readonly string[], type: string, filterable: boolean): Record<string, ActionField> =>
  Object.fromEntries(names.map((name) => [name, { type, label: label(name), filterable }]))
const prompt = (name: string, field: Partial<ActionField> & { type: string }): [string, ActionField] => [
  name,
  { required: false, label: label(name), filterable: true, write_only: true, ...field },
]

/** OPTIONS of the launch view: the `awx` command makes its launch flags of them, whether the template exists or not. */
export const launchFields: NonNullable<Action['fields']> = {
  GET: {
    ...shown(['can_start_without_user_input'], 'boolean', false),
    ...shown(['passwords_needed_to_start'], 'field', false),
    ...shown(Object.values(promptFlags), 'boolean', true),
    ...shown(['survey_enabled'], 'boolean', true),
    ...shown(
      [
        'variables_needed_to_start',
        'credential_needed_to_start',
        'inventory_needed_to_start',
        'job_template_data',
        'defaults',
      ],
      'field',
      false,
    ),
  },
  POST: Object.fromEntries([
    prompt('extra_vars', { type: 'json' }),
    prompt('inventory', { type: 'id' }),
    prompt('scm_branch', { type: 'string' }),
    prompt('limit', { type: 'string' }),
    prompt('job_tags', { type: 'string' }),
    prompt('skip_tags', { type: 'string' }),
    prompt('job_type', { type: 'choice', choices: jobTypeChoices }),
    prompt('verbosity', { type: 'choice', choices: verbosityChoices }),
    prompt('diff_mode', { type: 'boolean' }),
    prompt('credentials', { type: 'list_of_ids', filterable: false }),
    prompt('credential_passwords', { type: 'json', filterable: false }),
    prompt('execution_environment', { type: 'id' }),
    prompt('labels', { type: 'field', filterable: false }),
    prompt('forks', { type: 'integer', min_value: 0 }),
    prompt('job_slice_count', { type: 'integer', min_value: 0 }),
    prompt('timeout', { type: 'integer' }),
    prompt('instance_groups', { type: 'field', filterable: false }),
    prompt('priority', { type: 'integer', min_value: firstPriority, max_value: lastPriority }),
  ]),
}
