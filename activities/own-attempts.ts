import { attemptsOf } from '../store/attempts.ts'
import type { AttemptRow } from '../store/claims.ts'
import type { Database } from '../store/database.ts'

/** The attempts of a job that still hold a place and belong to this run. */
export async function liveAttemptsOf(db: Database, jobId: number, runId: string): Promise<AttemptRow[]> {
  const attempts = await attemptsOf(db, jobId)
  return attempts.filter((attempt) => attempt.releasedAt === null && attempt.runId === runId)
}
