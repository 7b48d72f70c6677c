import { firstPriority, lastPriority } from './priority.ts'
import { parseVariables, pythonText, pythonTypeName, type Variables } from './variables.ts'

/**
 * The prompts of a job template: wire name → the flag that lets a launch change it. The order is that of AWX's launch view; `priority` is ours.
 */
export const promptFlags = {
  scm_branch: 'ask_scm_branch_on_launch',
  extra_vars: 'ask_variables_on_launch',
  job_tags: 'ask_tags_on_launch',
  diff_mode: 'ask_diff_mode_on_launch',
  skip_tags: 'ask_skip_tags_on_launch',
  job_type: 'ask_job_type_on_launch',
  limit: 'ask_limit_on_launch',
  verbosity: 'ask_verbosity_on_launch',
  inventory: 'ask_inventory_on_launch',
  credentials: 'ask_credential_on_launch',
  execution_environment: 'ask_execution_environment_on_launch',
  labels: 'ask_labels_on_launch',
  forks: 'ask_forks_on_launch',
  job_slice_count: 'ask_job_slice_count_on_launch',
  timeout: 'ask_timeout_on_launch',
  instance_groups: 'ask_instance_groups_on_launch',
  priority: 'ask_priority_on_launch',
} as const
/** Wire name of a prompt. */
export type PromptField = keyof typeof promptFlags

/** Prompts whose value is a plain column of template and job alike. */
export const plainPrompts = [
  'scm_branch',
  'job_tags',
  'diff_mode',
  'skip_tags',
  'job_type',
  'limit',
  'verbosity',
  'inventory',
  'execution_environment',
  'forks',
  'job_slice_count',
  'timeout',
  'priority',
] as const satisfies readonly PromptField[]
/** One of them. */
export type PlainPrompt = (typeof plainPrompts)[number]

/** What a launch body says, typed; absent keys were not sent. Ids are not looked up yet. */
export interface Prompts {
  scm_branch?: string
  extra_vars?: Variables
  job_tags?: string
  diff_mode?: boolean
  skip_tags?: string
  job_type?: 'run' | 'check'
  limit?: string
  verbosity?: number
  inventory?: number
  credentials?: number[]
  execution_environment?: number
  labels?: number[]
  forks?: number
  job_slice_count?: number
  timeout?: number
  instance_groups?: number[]
  priority?: number
}

/** A launch body, read. */
export interface ReadPrompts {
  prompts: Prompts
  /** credential_passwords, and the passwords that old clients put beside the fields. */
  passwords: Record<string, string>
  /** Field name → messages; empty when all could be read. */
  errors: Record<string, string[]>
}

/** A value, or why it is none. */
type Reading = { value: unknown } | { error: string }

/** Reads a launch body in AWX's words. A null counts as not sent; keys that no prompt names are left to the caller. */
export function readPrompts(body: Record<string, unknown>): ReadPrompts {
  const prompts: Record<string, unknown> = {}
  const errors: Record<string, string[]> = {}
  // Old clients send the inventory under its column's name.
  const source: Record<string, unknown> =
    'inventory_id' in body && !('inventory' in body) ? { ...body, inventory: body.inventory_id } : body
  for (const [field, read] of Object.entries(readers)) {
    const given = source[field]
    if (given === undefined || given === null) continue
    const reading = read(given)
    if ('error' in reading) errors[field] = [reading.error]
    else prompts[field] = reading.value
  }
  return { prompts: prompts as Prompts, passwords: readPasswords(body), errors }
}

/** Text of an id that names nothing. */
export function invalidId(id: unknown): string {
  return `Invalid pk "${id}" - object does not exist.`
}

const text = (value: unknown): Reading => {
  if (typeof value === 'string' && value.includes('\0')) return { error: 'Null characters are not allowed.' }
  if (typeof value === 'string') return { value: value.trim() }
  if (typeof value === 'number') return { value: String(value) }
  return { error: 'Not a valid string.' }
}

const integer =
  (minimum?: number, maximum = 2147483647) =>
  (value: unknown): Reading => {
    const number =
      typeof value === 'number'
        ? value
        : typeof value === 'string' && /^\s*-?\d+\s*$/.test(value)
          ? Number(value)
          : Number.NaN
    if (!Number.isInteger(number)) return { error: 'A valid integer is required.' }
    if (minimum !== undefined && number < minimum)
      return { error: `Ensure this value is greater than or equal to ${minimum}.` }
    if (number > maximum) return { error: `Ensure this value is less than or equal to ${maximum}.` }
    return { value: number }
  }

const choice =
  (choices: readonly (string | number)[]) =>
  (value: unknown): Reading => {
    const given = pythonText(value)
    const found = choices.find((one) => String(one) === given)
    return found === undefined ? { error: `"${given}" is not a valid choice.` } : { value: found }
  }

const truths = new Map<unknown, boolean>(
  [
    [true, ['true', 't', 'yes', 'y', 'on', '1', 1, true]],
    [false, ['false', 'f', 'no', 'n', 'off', '0', 0, false]],
  ].flatMap(([truth, words]) => (words as unknown[]).map((word) => [word, truth] as [unknown, boolean])),
)

const boolean = (value: unknown): Reading => {
  const truth = truths.get(typeof value === 'string' ? value.toLowerCase() : value)
  return truth === undefined ? { error: 'Must be a valid boolean.' } : { value: truth }
}

const largestId = 2147483647

const id = (value: unknown): Reading => {
  const number = typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value
  if (typeof number === 'number' && Math.abs(number) > largestId) return { error: invalidId(value) }
  if (typeof number === 'number' && Number.isInteger(number)) return { value: number }
  return { error: `Incorrect type. Expected pk value, received ${pythonTypeName(value)}.` }
}

const ids = (value: unknown): Reading => {
  if (!Array.isArray(value)) return { error: `Expected a list of items but got type "${pythonTypeName(value)}".` }
  const found: unknown[] = []
  for (const item of value) {
    const reading = id(item)
    if ('error' in reading) return reading
    if (!found.includes(reading.value)) found.push(reading.value)
  }
  return { value: found }
}

const variables = (value: unknown): Reading => {
  const parsed = parseVariables(value)
  return parsed.ok ? { value: parsed.value } : { error: parsed.message }
}

const readers: Record<PromptField, (value: unknown) => Reading> = {
  scm_branch: text,
  extra_vars: variables,
  job_tags: text,
  diff_mode: boolean,
  skip_tags: text,
  job_type: choice(['run', 'check']),
  limit: text,
  verbosity: choice([0, 1, 2, 3, 4, 5]),
  inventory: id,
  credentials: ids,
  execution_environment: id,
  labels: ids,
  forks: integer(0),
  job_slice_count: integer(0),
  timeout: integer(),
  instance_groups: ids,
  priority: integer(firstPriority, lastPriority),
}

/** Names under which AWX takes passwords; a vault's may carry its id (`vault_password.prod`). */
const passwordName = /^(ssh_password|become_password|ssh_key_unlock|vault_password(\..+)?)$/

function readPasswords(body: Record<string, unknown>): Record<string, string> {
  const passwords: Record<string, string> = {}
  const given = body.credential_passwords
  const nested = typeof given === 'object' && given !== null && !Array.isArray(given) ? given : {}
  for (const [name, value] of [...Object.entries(body), ...Object.entries(nested)]) {
    if (passwordName.test(name) && typeof value === 'string') passwords[name] = value
  }
  return passwords
}
