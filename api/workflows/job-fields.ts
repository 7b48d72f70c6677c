import type { Field } from '../field.ts'
import { unifiedJobFields } from '../jobs/fields.ts'

/** Fields of jobs that run nothing themselves, without those that AWX leaves out of them. */
export function fieldsWithout(template: string, ...names: readonly string[]): Record<string, Field> {
  return Object.fromEntries(Object.entries(unifiedJobFields(template)).filter(([name]) => !names.includes(name)))
}
