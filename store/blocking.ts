import { and, asc, eq, inArray, lt, ne, or } from 'drizzle-orm'
import { activeStatuses } from '../model/job.ts'
import type { Database } from './database.ts'
import { enqueue } from './outbox.ts'
import { unifiedJobs } from './schema/jobs.ts'

type Serialised = Pick<typeof unifiedJobs.$inferSelect, 'id' | 'type' | 'unifiedJobTemplateId' | 'allowSimultaneous'>

/** Kinds whose templates say whether their jobs may run at the same time; a sliced job and a plain one of a template wait for each other. */
const serialisedTypes = ['job', 'workflow_job'] as const

const isSerialised = ({ type, unifiedJobTemplateId, allowSimultaneous }: Serialised) =>
  !allowSimultaneous && unifiedJobTemplateId !== null && (serialisedTypes as readonly string[]).includes(type)

const ofSameTemplate = (job: Serialised) =>
  and(
    eq(unifiedJobs.unifiedJobTemplateId, job.unifiedJobTemplateId ?? 0),
    eq(unifiedJobs.allowSimultaneous, false),
    inArray(unifiedJobs.type, [...serialisedTypes]),
    ne(unifiedJobs.id, job.id),
  )

/**
 * The job that this one must wait for, because their template allows only one at a time: one that has started, else an older one that
 * waits as well. Null when it is this one's turn.
 */
export async function blockerOf(db: Database, job: Serialised): Promise<{ id: number; type: string } | null> {
  if (!isSerialised(job)) return null
  const [blocker] = await db
    .select({ id: unifiedJobs.id, type: unifiedJobs.type })
    .from(unifiedJobs)
    .where(
      and(
        ofSameTemplate(job),
        or(
          inArray(unifiedJobs.status, ['waiting', 'running']),
          and(inArray(unifiedJobs.status, [...activeStatuses]), lt(unifiedJobs.id, job.id)),
        ),
      ),
    )
    .orderBy(asc(unifiedJobs.id))
    .limit(1)
  return blocker ?? null
}

/** AWX's sentence for a job that waits for another one. */
export function waitingFor({ id, type }: { id: number; type: string }): string {
  return `waiting for ${type}-${id} to finish`
}

/** Wakes the next job of the template when one has ended; in the transaction that ends it. */
export async function wakeNext(tx: Database, job: Serialised): Promise<void> {
  if (!isSerialised(job)) return
  const [next] = await tx
    .select({ id: unifiedJobs.id })
    .from(unifiedJobs)
    .where(and(ofSameTemplate(job), eq(unifiedJobs.status, 'pending')))
    .orderBy(asc(unifiedJobs.id))
    .limit(1)
  if (next) await enqueue(tx, 'progress', next.id)
}
