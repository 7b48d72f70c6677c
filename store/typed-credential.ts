import { asc, eq, inArray, sql } from 'drizzle-orm'
import type { Database } from './database.ts'
import { preparedOn } from './prepared.ts'
import { credentials, credentialTypes } from './schema/catalog.ts'

/** A credential with its type; secret inputs are still sealed (open them with credentialContext). */
export interface TypedCredential {
  credential: typeof credentials.$inferSelect
  type: typeof credentialTypes.$inferSelect
}

/** What is selected of a credential and its type. */
export const typedCredentialColumns = { credential: credentials, type: credentialTypes }

/** The credential of a row to which it and its type were joined; null where there is none. */
export function typedCredential({
  credential,
  type,
}: {
  [Part in keyof TypedCredential]: TypedCredential[Part] | null
}): TypedCredential | null {
  return credential && type && { credential, type }
}

const typedCredentials = (db: Database) =>
  db
    .select(typedCredentialColumns)
    .from(credentials)
    .innerJoin(credentialTypes, eq(credentialTypes.id, credentials.credentialTypeId))

const credentialAlone = preparedOn((db) =>
  typedCredentials(db)
    .where(eq(credentials.id, sql.placeholder('credentialId')))
    .prepare('credential_alone'),
)

/** Reads one credential with its type; null for null and for one that is gone. */
export async function readCredential(db: Database, credentialId: number | null): Promise<TypedCredential | null> {
  if (credentialId === null) return null
  const [found] = await credentialAlone(db).execute({ credentialId })
  return found ?? null
}

/** Reads those of these credentials that there are, with their types, by id and in its order. */
export async function readCredentials(
  db: Database,
  ids: readonly (number | null)[],
): Promise<Map<number, TypedCredential>> {
  const wanted = ids.filter((id) => id !== null)
  if (wanted.length === 0) return new Map()
  const rows = await typedCredentials(db).where(inArray(credentials.id, wanted)).orderBy(asc(credentials.id))
  return new Map(rows.map((row) => [row.credential.id, row]))
}
