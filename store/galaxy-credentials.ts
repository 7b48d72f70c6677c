import { asc, eq } from 'drizzle-orm'
import type { Database } from './database.ts'
import { organizationGalaxyCredentials } from './schema/catalog.ts'
import { readCredential, type TypedCredential } from './typed-credential.ts'

/** The Galaxy servers of an organization, in the order in which they are to be asked; secret inputs are still sealed. */
export async function readGalaxyCredentials(db: Database, organizationId: number | null): Promise<TypedCredential[]> {
  if (organizationId === null) return []
  const rows = await db
    .select({ id: organizationGalaxyCredentials.credentialId })
    .from(organizationGalaxyCredentials)
    .where(eq(organizationGalaxyCredentials.organizationId, organizationId))
    .orderBy(asc(organizationGalaxyCredentials.position), asc(organizationGalaxyCredentials.credentialId))
  const found = await Promise.all(rows.map(({ id }) => readCredential(db, id)))
  return found.filter((credential) => credential !== null)
}
