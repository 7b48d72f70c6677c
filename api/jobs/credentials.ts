import { eq, inArray } from 'drizzle-orm'
import type { PgColumn, PgTable } from 'drizzle-orm/pg-core'
import { storedPasswordsAsked } from '../../store/launch/stored-passwords.ts'
import { credentials, credentialTypes } from '../../store/schema/catalog.ts'
import { unifiedJobCredentials } from '../../store/schema/jobs.ts'
import { jobTemplateCredentials } from '../../store/schema/templates.ts'
import type { RequestContext } from '../context.ts'

/** A credential as jobs and templates show it in `summary_fields.credentials`. */
export interface CredentialSummary {
  id: number
  name: string
  description: string
  /** AWX's namespace of the type; null for custom types. */
  kind: string | null
  cloud: boolean
}

/** One of the credentials of a job or template, and the passwords it asks for. */
export interface Attached {
  summary: CredentialSummary
  passwords: string[]
}

/** Credentials of jobs, by job id. Read once a request. */
export function jobCredentials(ids: readonly number[], context: RequestContext): Promise<Map<number, Attached[]>> {
  return attached(
    'job',
    unifiedJobCredentials,
    unifiedJobCredentials.jobId,
    unifiedJobCredentials.credentialId,
    ids,
    context,
  )
}

/** Keeps the credentials of a job that was just made with them, so that showing it does not read them again. */
export function rememberJobCredentials(jobId: number, credentials: Attached[], context: RequestContext): void {
  context.cache.set(cacheKey('job', [jobId]), Promise.resolve(new Map([[jobId, credentials]])))
}

/** Credentials of job templates, by template id. Read once a request. */
export function templateCredentials(ids: readonly number[], context: RequestContext): Promise<Map<number, Attached[]>> {
  const { jobTemplateId, credentialId } = jobTemplateCredentials
  return attached('template', jobTemplateCredentials, jobTemplateId, credentialId, ids, context)
}

async function attached(
  kind: string,
  pairs: PgTable,
  owner: PgColumn,
  member: PgColumn,
  ids: readonly number[],
  context: RequestContext,
): Promise<Map<number, Attached[]>> {
  const key = cacheKey(kind, ids)
  const known = context.cache.get(key) as Promise<Map<number, Attached[]>> | undefined
  const loading = known ?? load(pairs, owner, member, ids, context)
  context.cache.set(key, loading)
  return await loading
}

const cacheKey = (kind: string, ids: readonly number[]) => `credentials of ${kind} ${ids.join()}`

async function load(
  pairs: PgTable,
  owner: PgColumn,
  member: PgColumn,
  ids: readonly number[],
  context: RequestContext,
): Promise<Map<number, Attached[]>> {
  const found = new Map<number, Attached[]>(ids.map((id) => [id, []]))
  if (ids.length === 0) return found
  const rows = await context.db
    .select({
      owner,
      id: credentials.id,
      name: credentials.name,
      description: credentials.description,
      inputs: credentials.inputs,
      namespace: credentialTypes.namespace,
      kind: credentialTypes.kind,
    })
    .from(pairs)
    .innerJoin(credentials, eq(credentials.id, member))
    .innerJoin(credentialTypes, eq(credentialTypes.id, credentials.credentialTypeId))
    .where(inArray(owner, [...ids]))
    // AWX orders by name, too.
    .orderBy(credentials.name, credentials.id)
  for (const { owner: ownerId, inputs, namespace, kind, ...summary } of rows) {
    const stored = { id: summary.id, kind, inputs }
    found.get(Number(ownerId))?.push({
      summary: { ...summary, kind: namespace, cloud: kind === 'cloud' },
      passwords: storedPasswordsAsked(context.deps.keyring, stored),
    })
  }
  return found
}
