import { createHash } from 'node:crypto'
import { eq } from 'drizzle-orm'
import type { Database } from '../../store/database.ts'
import { idempotencyKeys } from '../../store/schema/identity.ts'
import { unifiedJobs } from '../../store/schema/jobs.ts'
import type { RequestContext } from '../context.ts'
import { ApiError, BadRequestError } from '../errors.ts'
import { apiRoot } from '../registry.ts'

/** A job that a request made, or that an earlier request with the same key made. */
export interface MadeJob {
  jobId: number
  ignoredFields: Record<string, unknown>
  /** True when it was there already: nothing was made now. */
  replayed: boolean
}

/** Makes the job within the transaction that keeps the key. */
export type MakeJob = (tx: Database) => Promise<Omit<MadeJob, 'replayed'>>

/** Another request with the same key was committed first. */
class KeyTakenError extends Error {
  override name = 'KeyTakenError'
}

const longestKey = 255

/**
 * Makes a job in one transaction (a statement alone is one by itself, which `isOneStatement` says of what `make` does); with an `Idempotency-Key` header at most once per user and key, also under concurrency and whatever died in
 * between. The same key with another request is refused with 422.
 */
export async function makeOnce(
  context: RequestContext,
  body: Record<string, unknown>,
  make: MakeJob,
  isOneStatement = false,
): Promise<MadeJob> {
  const key = context.request.headers.get('Idempotency-Key')
  if (key === null) {
    return { ...(await (isOneStatement ? make(context.db) : context.db.transaction(make))), replayed: false }
  }
  if (key === '' || key.length > longestKey) {
    throw new BadRequestError(`Idempotency-Key must have 1 to ${longestKey} characters.`)
  }
  const keyHash = hash(`${context.actor.id} ${key}`)
  const { method, url } = context.request
  const requestHash = hash(`${method} ${new URL(url).pathname} ${canonical(body)}`)
  const known = await findMade(context.db, key, keyHash, requestHash)
  if (known) return known
  try {
    const made = await context.db.transaction(async (tx) => {
      const job = await make(tx)
      // Waits for a concurrent request with this key to commit or to fail.
      const [kept] = await tx
        .insert(idempotencyKeys)
        .values({ keyHash, requestHash, ...job })
        .onConflictDoNothing()
        .returning({ keyHash: idempotencyKeys.keyHash })
      if (!kept) throw new KeyTakenError()
      return job
    })
    return { ...made, replayed: false }
  } catch (error) {
    const winner = error instanceof KeyTakenError ? await findMade(context.db, key, keyHash, requestHash) : undefined
    if (winner) return winner
    throw error
  }
}

async function findMade(db: Database, key: string, keyHash: string, requestHash: string): Promise<MadeJob | undefined> {
  const [row] = await db
    .select({ made: idempotencyKeys, stillThere: unifiedJobs.id })
    .from(idempotencyKeys)
    .leftJoin(unifiedJobs, eq(unifiedJobs.id, idempotencyKeys.jobId))
    .where(eq(idempotencyKeys.keyHash, keyHash))
  if (!row) return undefined
  if (row.made.requestHash !== requestHash) {
    throw new ApiError(422, { detail: `Idempotency-Key "${key}" was used before with another request.` })
  }
  const { jobId, ignoredFields } = row.made
  // Whoever repeats a request wants it done once, and once it was.
  if (row.stillThere === null) {
    throw new ApiError(409, { detail: `Idempotency-Key "${key}" was used for job ${jobId}, which was deleted.` })
  }
  return { jobId, ignoredFields: ignoredFields as Record<string, unknown>, replayed: true }
}

/** Headers of the answer to a request that made a job, or found the one that it made before. */
export function madeHeaders(resource: string, made: MadeJob): Record<string, string> {
  const location = { Location: `${apiRoot}${resource}/${made.jobId}/` }
  return made.replayed ? { ...location, 'Idempotency-Replayed': 'true' } : location
}

const hash = (text: string) => createHash('sha256').update(text).digest('hex')

/** JSON with sorted keys: two bodies that say the same are the same. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${canonical(item)}`).join()}}`
}
