import { inArray } from 'drizzle-orm'
import { credentialTypes } from '../../store/schema/catalog.ts'
import type { RequestContext } from '../context.ts'

/** A credential type as stored. */
export type CredentialTypeRow = typeof credentialTypes.$inferSelect

/** Types of the given credentials, in their order; each type is read once a request. */
export async function typesOf(
  rows: readonly { credentialTypeId: number }[],
  context: RequestContext,
): Promise<(CredentialTypeRow | undefined)[]> {
  const known = (context.cache.get('credential types') as Map<number, CredentialTypeRow> | undefined) ?? new Map()
  context.cache.set('credential types', known)
  const missing = [...new Set(rows.map((row) => row.credentialTypeId))].filter((id) => !known.has(id))
  if (missing.length > 0) {
    const found = await context.db.select().from(credentialTypes).where(inArray(credentialTypes.id, missing))
    for (const type of found) known.set(type.id, type)
  }
  return rows.map((row) => known.get(row.credentialTypeId))
}
