import { encrypted } from '../../model/encrypted.ts'
import type { Prompts } from '../../model/prompts.ts'
import type { Variables } from '../../model/variables.ts'
import { camelCase } from '../../store/camel-case.ts'
import { isSealed } from '../../store/secrets.ts'
import type { Choice, Field } from '../field.ts'
import { jobTypeChoices, priorityField, verbosityChoices } from '../jobs/fields.ts'

const nothing: Choice = [null, '---------']
const prompt = <F extends Field>(field: F): F => ({ ...field, nullable: true, default: null, filterable: false })

/** Prompts that nodes of templates and of jobs keep, in the order of the wire; null says nothing. */
export const promptFields: Record<string, Field> = {
  extra_data: { kind: 'json', holds: 'any', default: {}, unsearchable: true },
  inventory: { kind: 'id', to: 'inventory' },
  scm_branch: prompt({ kind: 'string' }),
  job_type: prompt({ kind: 'choice', choices: [nothing, ['', '---------'], ...jobTypeChoices] }),
  job_tags: prompt({ kind: 'string' }),
  skip_tags: prompt({ kind: 'string' }),
  limit: prompt({ kind: 'string' }),
  diff_mode: prompt({ kind: 'boolean' }),
  verbosity: prompt({ kind: 'choice', choices: [nothing, ...verbosityChoices] }),
  execution_environment: { kind: 'id', to: 'execution_environments' },
  forks: prompt({ kind: 'integer', min: 0 }),
  job_slice_count: prompt({ kind: 'integer', min: 0 }),
  timeout: prompt({ kind: 'integer' }),
  priority: prompt(priorityField),
}

/** Variables of a node as clients see them: what is sealed reads `$encrypted$`. */
export function shownVariables(variables: Variables): Variables {
  return Object.fromEntries(
    Object.entries(variables).map(([name, value]) => [name, isSealed(value) ? encrypted : value]),
  )
}

/** What a stored node says in columns of its own, by the names of a launch; sealed answers stay sealed. */
export function columnPrompts(node: { extraData: Variables }): Prompts {
  const row = node as unknown as Record<string, unknown>
  const entries = Object.entries(promptFields)
    .filter(([name]) => name !== 'extra_data')
    .map(([name, { kind }]) => [name, row[kind === 'id' ? `${camelCase(name)}Id` : camelCase(name)]] as const)
    .filter(([, value]) => value !== null && value !== undefined)
  const variables = Object.keys(node.extraData).length > 0 ? { extra_vars: node.extraData } : {}
  return { ...Object.fromEntries(entries), ...variables }
}
