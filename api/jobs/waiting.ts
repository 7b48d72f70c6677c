import type { GroupLoad } from '../../model/group-load.ts'
import { type Line, type Place, placeInLine } from '../../model/place-in-line.ts'
import { explainWaiting, rests, type WaitingJob, type WorkerSign } from '../../model/waiting.ts'
import { type Blocker, blockersOfResting, waitingFor } from '../../store/blocking.ts'
import { groupLoads } from '../../store/group-load.ts'
import { linesOf, unsentStarts } from '../../store/lines.ts'
import { impactsOf } from '../../store/task-impact.ts'
import { lastWorker } from '../../store/workers.ts'
import type { RequestContext, Row } from '../context.ts'
import type { JobRow } from './fields.ts'

/** Jobs that this very request made: they wait for nothing yet that one could tell. */
const madeNow = 'jobs made by this request'

/** Leaves a job's explanation empty in this request's answer, as AWX does for one that was just launched. */
export function explainNothingYet(jobId: number, context: RequestContext): void {
  context.cache.set(madeNow, jobId)
}

/** `job_explanation` of a page of jobs. What a job waits for is put together while it is read, because its place in line and the load of its groups change all the time. */
export async function jobExplanations(rows: readonly Row[], context: RequestContext): Promise<string[]> {
  const jobs = rows as unknown as readonly JobRow[]
  const pending = jobs.filter((job) => job.status === 'pending' && job.id !== context.cache.get(madeNow))
  const waiting = await loadWaiting(pending, context)
  return jobs.map((job) => {
    const load = waiting.get(job.id)
    return load ? explanationOf(job, load) : job.jobExplanation
  })
}

/** The sentence on a pending job; of a further attempt also why there is one (model/retry.ts). */
export function explanationOf(job: JobRow, { waiting }: WaitingLoad): string {
  return [job.retries.told, explainWaiting(waiting).explanation].filter(Boolean).join(' ')
}

/** Everything known about a pending job: what is told of it, and where it stands in the line of each of its groups. */
export interface WaitingLoad {
  waiting: WaitingJob
  /** By the group's id; of groups in whose line it stands. */
  places: Map<number, Place>
}

/**
 * What pending jobs wait for, by their ids: four queries for a whole page, one more where starts are not sent, one where a group limits its forks, and none for no jobs.
 */
export async function loadWaiting(
  pending: readonly JobRow[],
  { db }: Pick<RequestContext, 'db'>,
): Promise<Map<number, WaitingLoad>> {
  if (pending.length === 0) return new Map()
  const ids = pending.map((job) => job.id)
  const groups = await groupLoads(db, [...new Set(pending.flatMap((job) => job.eligibleGroups))])
  const unsent = await unsentStarts(db, ids)
  const before = await blockersOfResting(db, [...unsent.keys()])
  const inLine = pending.filter(
    (job) => job.waitingReason === '' && (job.waitingSince !== null || unsent.get(job.id)?.inLine),
  )
  const lines = await linesOf(
    db,
    inLine.map((job) => job.id),
    [...new Set(inLine.flatMap((job) => job.eligibleGroups))],
  )
  const worker = await lastWorker(db)
  const limited = [...groups.values()].some(({ maxForks }) => maxForks > 0)
  const impacts = limited ? await impactsOf(db, pending) : new Map<number, number>()
  return new Map(
    pending.map((job) => {
      const eligible = job.eligibleGroups.flatMap((id) => groups.get(id) ?? [])
      const places = placesOf(eligible, lines.get(job.id))
      const impact = impacts.get(job.id) ?? 1
      const start = unsent.get(job.id)
      const standing = eligible.map((load) => ({ load, standing: lines.get(job.id)?.get(load.id)?.standing ?? 0 }))
      const handover = start ? { ...start, rests: rests(start, standing, impact) } : null
      const facts = { groups: eligible, impact, place: foremost(places), worker, unsent: handover }
      return [job.id, { waiting: waitingJob(job, facts, before.get(job.id)), places }]
    }),
  )
}

function placesOf(groups: readonly GroupLoad[], lines: ReadonlyMap<number, Line> | undefined): Map<number, Place> {
  const places = new Map<number, Place>()
  for (const { id } of groups) {
    const line = lines?.get(id)
    if (line) places.set(id, placeInLine(line))
  }
  return places
}

function foremost(places: ReadonlyMap<number, Place>): Place | null {
  const [first = null, ...others] = places.values()
  return others.reduce((best, place) => (best === null || place.place < best.place ? place : best), first)
}

function waitingJob(
  job: JobRow,
  facts: Pick<WaitingJob, 'groups' | 'impact' | 'place' | 'unsent'> & { worker: WorkerSign },
  before: Blocker | undefined,
): WaitingJob {
  // One whose start rests until it is its turn says what those say that wait for it in Temporal.
  const turn = before && { unsent: null, waitingReason: 'turn', waitingText: waitingFor(before) }
  return {
    type: job.type,
    created: job.created,
    waitingSince: job.waitingSince,
    waitingReason: job.waitingReason,
    waitingText: job.waitingReason ? job.jobExplanation : '',
    startedBy: job.runId === null && job.attemptCount === 0 ? job.workflowJobId : null,
    expires: job.approvalExpiration,
    ...facts,
    ...turn,
  }
}
