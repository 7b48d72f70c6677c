import { inventorySourceChoices } from '../../model/inventory-source.ts'
import { type Choice, derived, type Field } from '../field.ts'

const largest = 2147483647

/** How much an update says. */
export const updateVerbosityChoices: readonly Choice[] = [
  [0, '0 (WARNING)'],
  [1, '1 (INFO)'],
  [2, '2 (DEBUG)'],
]

/** Fields that a source and its updates share, as a source takes them. */
export function sourceFields(): Record<string, Field> {
  return {
    source: { kind: 'choice', choices: inventorySourceChoices.map((choice): Choice => [...choice]), default: null },
    source_path: { kind: 'string', maxLength: 1024, default: '' },
    source_vars: { kind: 'json', holds: 'variables', default: '', options: { type: 'string' } },
    scm_branch: { kind: 'string', maxLength: 1024, default: '' },
    credential: { kind: 'integer', column: null, min: 1, nullable: true, default: null, filterable: false },
    enabled_var: { kind: 'string', default: '' },
    enabled_value: { kind: 'string', default: '' },
    host_filter: { kind: 'string', default: '' },
    overwrite: { kind: 'boolean', default: false },
    overwrite_vars: { kind: 'boolean', default: false },
    custom_virtualenv: derived('string', () => null, { filterable: true }),
    timeout: { kind: 'integer', min: -largest - 1, max: largest, default: 0 },
    verbosity: { kind: 'choice', choices: updateVerbosityChoices, default: 1 },
    limit: { kind: 'string', default: '' },
  }
}
