import { and, eq, isNull, not, sql } from 'drizzle-orm'
import { countsAsFailed } from '../model/job.ts'
import type { OwnedAttempt, PodPlace } from './attempts.ts'
import { attemptColumns } from './attempts.ts'
import { channels } from './channel.ts'
import type { Database } from './database.ts'
import { parentUpdate } from './job-parent.ts'
import type { JobRow } from './job-status.ts'
import { isAnnounced } from './notifications/announce.ts'
import { preparedVariants } from './prepared.ts'
import { unifiedJobs } from './schema/jobs.ts'
import { attempts } from './schema/runtime.ts'
import { derivedColumns, type Facts, keyOfFacts, namedFacts } from './transition.ts'
import { isToldToService } from './webhook-status.ts'

/** A step of an attempt, and the one that its job takes with it. */
const steps = {
  /** The API server has the pod. */
  created: { from: 'pending', to: 'waiting' },
  /** The payload was committed in the pod. */
  delivered: { from: 'waiting', to: 'running' },
} as const

/** Which step, and what it needs to know. */
export type Step =
  | { name: 'created'; place: PodPlace; instanceGroupId: number }
  /** From here on the play must never be started again. */
  | { name: 'delivered' }

/**
 * Takes an attempt and its job one step on in a single statement, where nothing else follows from it, as is mostly so. False, having changed nothing, where
 * somebody is to be told, the job stands elsewhere than its run expects, or another run owns the attempt: then the two are to be written in a transaction, which finds
 * out. `job`: as it was read some time ago.
 */
export async function takeStep(db: Database, owned: OwnedAttempt, job: JobRow, step: Step): Promise<boolean> {
  const { from, to } = steps[step.name]
  if (job.status !== from || isToldToService(job)) return false
  const after = { ...job, status: to, failed: countsAsFailed(to) }
  const values = step.name === 'created' ? { ...step.place, toGroup: step.instanceGroupId } : {}
  const told = await stepped(db, { name: step.name, after }).execute({ ...after, ...owned, ...values })
  return told.length > 0
}

const stepped = preparedVariants(
  'step',
  ({ name, after }: { name: Step['name']; after: Facts }) => name + keyOfFacts(after),
  (db: Database, { name, after }, called) => {
    const { from, to } = steps[name]
    const facts = namedFacts(after)
    const value = sql.placeholder
    const job = db.$with('job').as(
      db
        .select({ id: unifiedJobs.id })
        .from(unifiedJobs)
        .where(and(eq(unifiedJobs.id, value('id')), eq(unifiedJobs.status, from), not(isAnnounced(facts))))
        // Before its attempt: lock-order.ts.
        .for('no key update'),
    )
    const owned = and(eq(attempts.id, value('attemptId')), eq(attempts.runId, value('runId')))
    const attempt = db.$with('attempt').as(
      db
        .update(attempts)
        .set(attemptColumns[name])
        .from(job)
        .where(and(owned, isNull(attempts.releasedAt), isNull(attempts.endedAt), eq(attempts.jobId, job.id)))
        .returning({ id: attempts.id }),
    )
    const isMoved = sql`EXISTS (SELECT FROM attempt)`
    const parent = parentUpdate(facts)
    return db
      .with(job, attempt, ...(parent ? [db.$with('parent', {}).as(sql`${parent} AND ${isMoved}`)] : []))
      .update(unifiedJobs)
      .set({
        ...derivedColumns(from, to),
        ...(name === 'created' ? { instanceGroupId: sql`${value('toGroup')}` } : {}),
      })
      .where(and(eq(unifiedJobs.id, value('id')), isMoved))
      .returning({ told: sql`pg_notify(${channels.jobs}, ${unifiedJobs.id}::text)` })
      .prepare(called)
  },
)
