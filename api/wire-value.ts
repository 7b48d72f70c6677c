import { toWireTime } from '../store/instant.ts'
import type { Row } from './context.ts'
import type { ModelField } from './registry.ts'

/** What a stored secret reads as, and what on write keeps the stored one (awx.md §4.3). */
export const encryptedMarker = '$encrypted$'

/** A stored value as the wire shows it. Computed fields have no stored value. */
export function wireValue({ field, key }: ModelField, row: Row): unknown {
  const value = key === undefined ? undefined : row[key]
  switch (field.kind) {
    case 'datetime':
      return toWireTime((value ?? null) as string | null)
    case 'secret':
      return value === null || value === '' || value === undefined ? '' : encryptedMarker
    case 'decimal':
      return value === null || value === undefined ? null : String(value)
    default:
      return value ?? null
  }
}
