import { and, asc, eq, inArray, isNull, type SQL, sql } from 'drizzle-orm'
import type { Cause } from '../model/cause.ts'
import { channels } from './channel.ts'
import type { AttemptRow } from './claims.ts'
import type { Database } from './database.ts'
import { FencedError } from './fence.ts'
import { jobLocked } from './lock-order.ts'
import { notify } from './notify.ts'
import { preparedOn } from './prepared.ts'
import { attempts } from './schema/runtime.ts'

/** An attempt as its owner names it; every write is refused with FencedError when another run owns it or its place was given back. */
export interface OwnedAttempt {
  attemptId: number
  runId: string
}

/** Where the attempt's pod is. */
export interface PodPlace {
  clusterKey: string
  credentialId: number | null
  namespace: string
  podName: string
  podUid: string
}

/** Phases only move on; a repeated call of an activity must not take an attempt back. */
const phaseOrder = ['claimed', 'created', 'delivered', 'ended', 'released'] as const

const attemptAlone = preparedOn((db) =>
  db
    .select()
    .from(attempts)
    .where(eq(attempts.id, sql.placeholder('attemptId')))
    .prepare('attempt_alone'),
)

/** One attempt; undefined when there is none. */
export async function getAttempt(db: Database, attemptId: number): Promise<AttemptRow | undefined> {
  const [attempt] = await attemptAlone(db).execute({ attemptId })
  return attempt
}

/** Attempts that hold a place, oldest first: of one group, or of all (the reaper's view). */
export async function liveAttempts(db: Database, groupId?: number): Promise<AttemptRow[]> {
  return await db
    .select()
    .from(attempts)
    .where(and(isNull(attempts.releasedAt), groupId === undefined ? undefined : eq(attempts.instanceGroupId, groupId)))
    .orderBy(asc(attempts.id))
}

/** Attempts, over or not, whose pods have these names, oldest first. */
export async function attemptsOfPods(db: Database, podNames: readonly string[]): Promise<AttemptRow[]> {
  if (podNames.length === 0) return []
  return await db
    .select()
    .from(attempts)
    .where(inArray(attempts.podName, [...podNames]))
    .orderBy(asc(attempts.id))
}

/** All attempts of a job, first to last. */
export async function attemptsOf(db: Database, jobId: number): Promise<AttemptRow[]> {
  return await db.select().from(attempts).where(eq(attempts.jobId, jobId)).orderBy(asc(attempts.number))
}

/** Where the pod is going to be, noted before it is created, so that a crash in between leaves no pod that nobody can find. */
export async function recordPlace(db: Database, owned: OwnedAttempt, place: Omit<PodPlace, 'podUid'>): Promise<void> {
  await write(db, owned, { ...place })
}

/** The API server has the pod. */
export async function recordPod(db: Database, owned: OwnedAttempt, place: PodPlace): Promise<AttemptRow> {
  return await advance(db, owned, 'created', { ...place, podCreatedAt: firstTime(attempts.podCreatedAt) })
}

/** The payload was committed in the pod: the play may have started and must never be started again. Refused once the attempt has ended. */
export async function recordDelivered(db: Database, owned: OwnedAttempt): Promise<AttemptRow> {
  const attempt = await advance(db, owned, 'delivered', { deliveredAt: firstTime(attempts.deliveredAt) })
  // Another attempt may have begun meanwhile: the caller's transaction must change nothing of the job.
  if (attempt.endedAt !== null) throw new FencedError(`attempt ${owned.attemptId}`, owned.runId)
  return attempt
}

/** A payload is about to be sent: from here on the play can have begun, whatever becomes of the pod. Refused once the attempt has ended. */
export async function recordOffered(db: Database, owned: OwnedAttempt): Promise<void> {
  const rows = await db
    .update(attempts)
    .set({ offeredAt: sql`coalesce(${attempts.offeredAt}, now())` })
    .where(and(ownedBy(owned), isNull(attempts.endedAt), jobLocked(owned.attemptId)))
    .returning({ id: attempts.id })
  if (rows.length === 0) throw new FencedError(`attempt ${owned.attemptId}`, owned.runId)
}

/**
 * Ends an attempt, once: null when it has ended already, and then nothing is changed. Who ends it decides in the same transaction what follows,
 * for the job and for the pod.
 */
export async function endAttempt(db: Database, owned: OwnedAttempt, cause: Cause | null): Promise<AttemptRow | null> {
  const [ended] = await db
    .update(attempts)
    .set({ phase: 'ended', cause, endedAt: sql`now()` })
    .where(and(ownedBy(owned), isNull(attempts.endedAt), isNull(attempts.releasedAt), jobLocked(owned.attemptId)))
    .returning()
  if (ended) return ended
  const attempt = await getAttempt(db, owned.attemptId)
  if (attempt?.runId !== owned.runId) throw new FencedError(`attempt ${owned.attemptId}`, owned.runId)
  return null
}

/** The verdict is stored; `cause` is null after a plain success. */
export async function recordEnded(db: Database, owned: OwnedAttempt, cause: Cause | null): Promise<AttemptRow> {
  return await advance(db, owned, 'ended', { cause, endedAt: firstTime(attempts.endedAt) })
}

/**
 * The pod is gone: gives the attempt's place back and notifies `groups`. Doing it again changes nothing. The reaper passes the run id that
 * it read, so that it loses against a run that took the attempt over meanwhile.
 */
export async function releaseAttempt(db: Database, owned: OwnedAttempt): Promise<void> {
  await db.transaction(async (tx) => {
    const [released] = await tx
      .update(attempts)
      .set({ phase: 'released', releasedAt: sql`now()` })
      .where(and(ownedBy(owned), isNull(attempts.releasedAt)))
      .returning({ groupId: attempts.instanceGroupId })
    if (released) {
      if (released.groupId !== null) await notify(tx, channels.groups, released.groupId)
      return
    }
    const attempt = await getAttempt(tx, owned.attemptId)
    if (attempt && attempt.runId !== owned.runId) throw new FencedError(`attempt ${owned.attemptId}`, owned.runId)
  })
}

/** Moves the phase on, never back, and writes the columns either way. */
async function advance(
  db: Database,
  owned: OwnedAttempt,
  to: (typeof phaseOrder)[number],
  columns: Parameters<typeof write>[2],
): Promise<AttemptRow> {
  const earlier = phaseOrder.slice(0, phaseOrder.indexOf(to))
  const phase = sql`CASE WHEN ${inArray(attempts.phase, earlier)} THEN ${to} ELSE ${attempts.phase} END`
  return await write(db, owned, { ...columns, phase })
}

type Writable = { [Column in keyof AttemptRow]?: AttemptRow[Column] | SQL }

async function write(db: Database, owned: OwnedAttempt, columns: Writable): Promise<AttemptRow> {
  const [attempt] = await db
    .update(attempts)
    .set(columns)
    .where(and(ownedBy(owned), isNull(attempts.releasedAt), jobLocked(owned.attemptId)))
    .returning()
  if (!attempt) throw new FencedError(`attempt ${owned.attemptId}`, owned.runId)
  return attempt
}

function ownedBy(owned: OwnedAttempt) {
  return and(eq(attempts.id, owned.attemptId), eq(attempts.runId, owned.runId))
}

function firstTime(column: typeof attempts.deliveredAt | typeof attempts.podCreatedAt | typeof attempts.endedAt): SQL {
  return sql`coalesce(${column}, now())`
}
