import { and, asc, eq, inArray, isNull, type SQL, sql } from 'drizzle-orm'
import type { AnyPgColumn, PgUpdateSetSource } from 'drizzle-orm/pg-core'
import type { Cause } from '../model/cause.ts'
import { channels } from './channel.ts'
import type { AttemptRow } from './claims.ts'
import type { Database } from './database.ts'
import { FencedError } from './fence.ts'
import type { JobRow } from './job-status.ts'
import { preparedOn } from './prepared.ts'
import { credentials, credentialTypes } from './schema/catalog.ts'
import { unifiedJobs } from './schema/jobs.ts'
import { attempts } from './schema/runtime.ts'
import { type TypedCredential, typedCredential, typedCredentialColumns } from './typed-credential.ts'

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

/** An attempt that was written, and its job, which the same statement has locked: read by the way, since what follows is mostly a change of its status. */
export interface WrittenAttempt extends AttemptRow {
  job: JobRow
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

const attemptWithCredential = preparedOn((db) =>
  db
    .select({ attempt: attempts, ...typedCredentialColumns })
    .from(attempts)
    .leftJoin(credentials, eq(credentials.id, attempts.credentialId))
    .leftJoin(credentialTypes, eq(credentialTypes.id, credentials.credentialTypeId))
    .where(eq(attempts.id, sql.placeholder('attemptId')))
    .prepare('attempt_with_credential'),
)

/** An attempt, and what reaches the cluster that its pod was made in. */
export interface ReachableAttempt {
  attempt: AttemptRow
  /** Null where the attempt names none, or it is gone. */
  credential: TypedCredential | null
}

/** One attempt with its credential; undefined when there is none. */
export async function readReachable(db: Database, attemptId: number): Promise<ReachableAttempt | undefined> {
  const [row] = await attemptWithCredential(db).execute({ attemptId })
  return row && { attempt: row.attempt, credential: typedCredential(row) }
}

/** Attempts that hold a place, oldest first. */
export async function liveAttempts(db: Database): Promise<AttemptRow[]> {
  return await db.select().from(attempts).where(isNull(attempts.releasedAt)).orderBy(asc(attempts.id))
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
  await noted(db, owned, notes.place, place)
}

/** The API server has the pod. */
export async function recordPod(db: Database, owned: OwnedAttempt, place: PodPlace): Promise<WrittenAttempt> {
  return await written(db, owned, writes.created, place)
}

/** The payload was committed in the pod: the play may have started and must never be started again. Refused once the attempt has ended. */
export async function recordDelivered(db: Database, owned: OwnedAttempt): Promise<WrittenAttempt> {
  const attempt = await written(db, owned, writes.delivered)
  // Another attempt may have begun meanwhile: the caller's transaction must change nothing of the job.
  if (attempt.endedAt !== null) throw new FencedError(`attempt ${owned.attemptId}`, owned.runId)
  return attempt
}

/** A payload is about to be sent: from here on the play can have begun, whatever becomes of the pod. Refused once the attempt has ended. */
export async function recordOffered(db: Database, owned: OwnedAttempt): Promise<void> {
  await noted(db, owned, notes.offered)
}

/**
 * Ends an attempt, once: null when it has ended already, and then nothing is changed. Who ends it decides in the same transaction what follows,
 * for the job and for the pod.
 */
export async function endAttempt(
  db: Database,
  owned: OwnedAttempt,
  cause: Cause | null,
): Promise<WrittenAttempt | null> {
  const [ended] = await writes.end(db).execute({ ...owned, cause: cause && JSON.stringify(cause) })
  if (ended) return ended
  const attempt = await getAttempt(db, owned.attemptId)
  if (attempt?.runId !== owned.runId) throw new FencedError(`attempt ${owned.attemptId}`, owned.runId)
  return null
}

/** The verdict is stored; `cause` is null after a plain success. */
export async function recordEnded(db: Database, owned: OwnedAttempt, cause: Cause | null): Promise<WrittenAttempt> {
  return await written(db, owned, writes.ended, { cause: cause && JSON.stringify(cause) })
}

/**
 * The pod is gone: gives the attempt's place back and notifies `groups`. Doing it again changes nothing. The reaper passes the run id that
 * it read, so that it loses against a run that took the attempt over meanwhile.
 */
export async function releaseAttempt(db: Database, owned: OwnedAttempt): Promise<void> {
  const told = await released(db).execute({ ...owned })
  if (told.length > 0) return
  const attempt = await getAttempt(db, owned.attemptId)
  if (attempt && attempt.runId !== owned.runId) throw new FencedError(`attempt ${owned.attemptId}`, owned.runId)
}

/** Does one of the writes. Throws FencedError. */
async function written(
  db: Database,
  owned: OwnedAttempt,
  write: (typeof writes)[keyof typeof writes],
  values: object = {},
): Promise<WrittenAttempt> {
  const [attempt] = await write(db).execute({ ...owned, ...values })
  if (!attempt) throw new FencedError(`attempt ${owned.attemptId}`, owned.runId)
  return attempt
}

/** As written, for what nothing of the job follows from. Throws FencedError. */
async function noted(
  db: Database,
  owned: OwnedAttempt,
  note: (typeof notes)[keyof typeof notes],
  values: object = {},
): Promise<void> {
  const found = await note(db).execute({ ...owned, ...values })
  if (found.length === 0) throw new FencedError(`attempt ${owned.attemptId}`, owned.runId)
}

/**
 * A statement that locks the attempt's job, reads it, and then writes the attempt (lock-order.ts); no row when another run owns the attempt, its place was
 * given back, or not `when`.
 */
function writing(name: string, columns: PgUpdateSetSource<typeof attempts>, when?: SQL) {
  return preparedOn((db) => {
    const job = db.$with('job').as(db.select().from(unifiedJobs).where(isItsJob).for('no key update'))
    return db
      .with(job)
      .update(attempts)
      .set(columns)
      .from(job)
      .where(and(isOwned, when, eq(attempts.jobId, job.id)))
      .returning()
      .prepare(`attempt_${name}`)
  })
}

/** As writing, without reading the job, which has a hundred columns. */
function noting(name: string, columns: PgUpdateSetSource<typeof attempts>, when?: SQL) {
  return preparedOn((db) => {
    const { id } = unifiedJobs
    const job = db.$with('job').as(db.select({ id }).from(unifiedJobs).where(isItsJob).for('no key update'))
    return db
      .with(job)
      .update(attempts)
      .set(columns)
      .from(job)
      .where(and(isOwned, when, eq(attempts.jobId, job.id)))
      .returning({ id: attempts.id })
      .prepare(`attempt_${name}`)
  })
}

const isItsJob = sql`${unifiedJobs.id} = (SELECT job_id FROM attempts WHERE id = ${sql.placeholder('attemptId')})`
const isOwned = and(
  eq(attempts.id, sql.placeholder('attemptId')),
  eq(attempts.runId, sql.placeholder('runId')),
  isNull(attempts.releasedAt),
)

const firstTime = (column: AnyPgColumn): SQL => sql`coalesce(${column}, now())`

/** The phase moved on, never back. */
function movedTo(phase: (typeof phaseOrder)[number]): SQL {
  const earlier = phaseOrder.slice(0, phaseOrder.indexOf(phase))
  return sql`CASE WHEN ${inArray(attempts.phase, earlier)} THEN ${phase} ELSE ${attempts.phase} END`
}

const given = (name: string): SQL => sql`${sql.placeholder(name)}`
const place = {
  clusterKey: given('clusterKey'),
  credentialId: given('credentialId'),
  namespace: given('namespace'),
  podName: given('podName'),
}
const givenCause = sql`${sql.placeholder('cause')}::text::json`

/** What changes of an attempt when its pod exists, and when its payload is there; `created` is given a PodPlace's values by their names. */
export const attemptColumns = {
  created: {
    ...place,
    podUid: given('podUid'),
    phase: movedTo('created'),
    podCreatedAt: firstTime(attempts.podCreatedAt),
  },
  delivered: { phase: movedTo('delivered'), deliveredAt: firstTime(attempts.deliveredAt) },
}

/** What may be written of an attempt by who owns it. */
const writes = {
  created: writing('created', attemptColumns.created),
  delivered: writing('delivered', attemptColumns.delivered),
  ended: writing('ended', { phase: movedTo('ended'), cause: givenCause, endedAt: firstTime(attempts.endedAt) }),
  end: writing('end', { phase: 'ended', cause: givenCause, endedAt: sql`now()` }, isNull(attempts.endedAt)),
}

/** What its owner may note on it. */
const notes = {
  place: noting('place', place),
  offered: noting('offered', { offeredAt: firstTime(attempts.offeredAt) }, isNull(attempts.endedAt)),
}

const released = preparedOn((db) =>
  db
    .update(attempts)
    .set({ phase: 'released', releasedAt: sql`now()` })
    .where(
      and(
        eq(attempts.id, sql.placeholder('attemptId')),
        eq(attempts.runId, sql.placeholder('runId')),
        isNull(attempts.releasedAt),
      ),
    )
    .returning({
      told: sql`pg_notify(${channels.groups}, concat_ws(' ', ${attempts.instanceGroupId}, nullif(${attempts.podName}, '')))`,
    })
    .prepare('attempt_released'),
)
