import { eq, inArray } from 'drizzle-orm'
import type { PgColumn, PgTable } from 'drizzle-orm/pg-core'
import { pluginSources } from '../../model/inventory-source.ts'
import { credentials, credentialTypes } from '../../store/schema/catalog.ts'
import { inventorySourceCredentials } from '../../store/schema/updates.ts'
import type { RequestContext, Row } from '../context.ts'
import { ApiError } from '../errors.ts'
import type { CredentialSummary } from '../jobs/credentials.ts'

/** Credentials of sources or updates, by the owner's id; the first is what the field `credential` shows. */
export async function attachedCredentials(
  pairs: { table: PgTable; owner: PgColumn; credential: PgColumn },
  ids: readonly number[],
  context: RequestContext,
): Promise<Map<number, CredentialSummary[]>> {
  const found = new Map<number, CredentialSummary[]>(ids.map((id) => [id, []]))
  if (ids.length === 0) return found
  const rows = await context.db
    .select({
      owner: pairs.owner,
      id: credentials.id,
      name: credentials.name,
      description: credentials.description,
      namespace: credentialTypes.namespace,
      kind: credentialTypes.kind,
    })
    .from(pairs.table)
    .innerJoin(credentials, eq(credentials.id, pairs.credential))
    .innerJoin(credentialTypes, eq(credentialTypes.id, credentials.credentialTypeId))
    .where(inArray(pairs.owner, [...ids]))
    .orderBy(credentials.name, credentials.id)
  for (const { owner, namespace, kind, ...summary } of rows)
    found.get(Number(owner))?.push({ ...summary, kind: namespace, cloud: kind === 'cloud' })
  return found
}

/** Credentials of inventory sources. */
export const ofSources = {
  table: inventorySourceCredentials,
  owner: inventorySourceCredentials.inventorySourceId,
  credential: inventorySourceCredentials.credentialId,
}

/** Why a source of that kind cannot use a credential, in AWX's words; null when it can. A custom cloud type stands for any cloud's. */
export function credentialProblem(
  source: string,
  credential: { kind: string; namespace: string | null } | null,
): string | null {
  if (source === 'scm') {
    const refused = credential && ['insights', 'vault'].includes(credential.kind)
    return refused ? 'Credentials of type insights and vault are disallowed for scm inventory sources.' : null
  }
  const wanted = pluginSources[source]?.credential
  if (!wanted) return null
  if (!credential)
    return source === 'ec2' || source === 'terraform' ? null : 'Credential is required for a cloud source.'
  const fits = credential.namespace === wanted || (credential.kind === 'cloud' && credential.namespace === null)
  if (fits) return null
  return `Cloud-based inventory sources (such as ${source}) require credentials for the matching cloud service.`
}

/** A credential's kind and AWX's name of its type; null where there is none. */
export async function kindOfCredential(
  id: number,
  context: RequestContext,
): Promise<{ kind: string; namespace: string | null } | null> {
  const [row] = await context.db
    .select({ kind: credentialTypes.kind, namespace: credentialTypes.namespace })
    .from(credentials)
    .innerJoin(credentialTypes, eq(credentialTypes.id, credentials.credentialTypeId))
    .where(eq(credentials.id, id))
  return row ?? null
}

/** `POST /inventory_sources/N/credentials/`: what the source cannot use is refused. */
export async function checkSourceCredential(
  source: { id: number; source: string },
  credential: Row,
  attaching: boolean,
  context: RequestContext,
): Promise<void> {
  if (!attaching) return
  const problem = credentialProblem(source.source, await kindOfCredential(credential.id, context))
  if (problem) throw new ApiError(400, { msg: problem })
}

/** Makes the credential named by the deprecated field `credential` the only one of a source; null takes all away. */
export async function replaceCredential(
  context: RequestContext,
  inventorySourceId: number,
  credentialId: number | null,
): Promise<void> {
  await context.db
    .delete(inventorySourceCredentials)
    .where(eq(inventorySourceCredentials.inventorySourceId, inventorySourceId))
  if (credentialId !== null)
    await context.db.insert(inventorySourceCredentials).values({ inventorySourceId, credentialId })
}
