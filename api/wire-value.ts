import { encrypted } from '../model/encrypted.ts'
import { toWireTime } from '../store/instant.ts'
import type { Row } from './context.ts'
import type { ModelField } from './registry.ts'

/** A stored value as the wire shows it. Computed fields have no stored value. */
export function wireValue({ field, key }: ModelField, row: Row): unknown {
  const value = key === undefined ? undefined : row[key]
  switch (field.kind) {
    case 'datetime':
      return toWireTime((value ?? null) as string | null)
    case 'secret':
      return value === null || value === '' || value === undefined ? '' : encrypted
    case 'decimal':
      return value === null || value === undefined ? null : String(value)
    default:
      return value ?? null
  }
}
