import { rm } from 'node:fs/promises'
import type { Pod } from '../../kubernetes/objects.ts'
import type { RunnerEnd } from '../../kubernetes/spool.ts'
import type { Cause } from '../../model/cause.ts'
import { causeStatus } from '../../model/cause.ts'
import { isMapping } from '../../model/variables.ts'
import { artifactData, type HostSummary, hostStatusCounts, hostSummaries } from '../../runner/results.ts'
import { recordEnded } from '../../store/attempts.ts'
import type { AttemptRow } from '../../store/claims.ts'
import { type JobChanges, transitionJob } from '../../store/job-status.ts'
import { propagateEventFlags, storeHostSummaries } from '../../store/outcome.ts'
import { readPlayRecord } from '../../store/play-record.ts'
import { storePostMortem } from '../../store/post-mortems.ts'
import type { ActivityDeps } from '../deps.ts'
import { verdictOfCause } from '../failures.ts'
import type { Verdict } from '../types.ts'
import { storeArtifacts, storeGatheredFacts } from './artifacts.ts'
import type { Collected } from './collect.ts'
import { interpretEnding } from './interpret.ts'
import { type Known, takePostMortem } from './post-mortem.ts'
import type { PreparedRun } from './run-parts.ts'

/** A run that came to its end, whatever that was. */
export interface Ended {
  collected: Collected
  end: RunnerEnd | null
  podEnding: Cause | null
  pod: Pod | null
  cancelRequested: boolean
}

/** Stores everything that follows from the output, and the verdict with it, in one transaction. */
export async function conclude(
  deps: ActivityDeps,
  attempt: AttemptRow,
  run: PreparedRun,
  ended: Ended,
): Promise<Verdict> {
  const { collected } = ended
  const { jobId } = attempt
  try {
    if (collected.artifacts && !run.harvest) {
      const notKept = await storeArtifacts(deps.store, jobId, collected.artifacts)
      if (notKept !== null) deps.log.warn({ job: jobId, reason: notKept }, 'files that the play left are not kept')
      if (run.facts) await storeGatheredFacts(deps.store, collected.artifacts, run.hostIds, run.facts)
    }
    const record = await readPlayRecord(deps.store.db, jobId)
    const summaries = record.stats ? hostSummaries(record.stats) : []
    const ending = interpretEnding({
      ...ended,
      outcome: {
        hosts: summaries.map(({ hostName, failures, dark }) => ({ name: hostName, failures, dark })),
        failedTasks: record.failedTasks,
        errorLines: record.errorLines,
      },
    })
    const harvest = ending ? undefined : await run.harvest?.(collected.artifacts)
    const found = ending ?? harvest?.cause ?? null
    return await storeVerdict(
      deps,
      attempt,
      found,
      { seen: ended.pod, secrets: run.secrets },
      {
        eventsEmitted: record.events,
        hostStatusCounts: hostStatusCounts(summaries),
        playCount: record.plays,
        taskCount: record.tasks,
        artifacts: record.stats ? artifactData(record.stats) : resultsOf(collected),
        ...notesOf(collected),
      },
      async (tx) => {
        await storeHostSummaries(tx, jobId, withHostIds(summaries, run.hostIds))
        await propagateEventFlags(tx, jobId)
        return harvest && !harvest.cause ? await harvest.write(tx) : {}
      },
    )
  } finally {
    if (collected.artifacts) await rm(collected.artifacts, { force: true })
  }
}

/** Stores the end of an attempt whose output did not come to its end, with what there is of it. */
export async function concludeWith(
  deps: ActivityDeps,
  attempt: AttemptRow,
  found: Cause,
  run?: Pick<PreparedRun, 'hostIds' | 'secrets'>,
  seen?: Pod | null,
): Promise<Verdict> {
  const record = await readPlayRecord(deps.store.db, attempt.jobId)
  const summaries = record.stats ? hostSummaries(record.stats) : []
  return await storeVerdict(
    deps,
    attempt,
    found,
    { seen, secrets: run?.secrets },
    { eventsEmitted: record.events, playCount: record.plays, taskCount: record.tasks },
    async (tx) => {
      await storeHostSummaries(tx, attempt.jobId, withHostIds(summaries, run?.hostIds))
      await propagateEventFlags(tx, attempt.jobId)
      return {}
    },
  )
}

function withHostIds(summaries: HostSummary[], hostIds: ReadonlyMap<string, number> = new Map()) {
  return summaries.map(({ failed: _derived, ...summary }) => ({
    ...summary,
    hostId: hostIds.get(summary.hostName) ?? null,
  }))
}

async function storeVerdict(
  deps: ActivityDeps,
  attempt: AttemptRow,
  found: Cause | null,
  known: Known,
  changes: JobChanges,
  further: (tx: ActivityDeps['store']['db']) => Promise<JobChanges>,
): Promise<Verdict> {
  const postMortem = found && (await takePostMortem(deps, attempt, found, known))
  const { job } = await deps.store.db.transaction(async (tx) => {
    await recordEnded(tx, { attemptId: attempt.id, runId: attempt.runId }, found)
    if (postMortem) await storePostMortem(tx, { jobId: attempt.jobId, attempt: attempt.number }, postMortem)
    const more = await further(tx)
    return await transitionJob(tx, attempt.jobId, found ? causeStatus[found.kind] : 'successful', {
      ...changes,
      ...more,
      cause: found?.kind ?? null,
      ...(found?.message ? { explanation: found.message } : {}),
      ...(found?.detail ? { traceback: found.detail } : {}),
    })
  })
  if (found) return { ...verdictOfCause(found, false), explanation: job.jobExplanation }
  return { status: 'successful', cause: null, explanation: '', released: false }
}

/** What a container job's command left for others. */
function resultsOf({ status }: Collected): Record<string, unknown> {
  return isMapping(status?.results) ? status.results : {}
}

/** What a container job was to give back and did not. */
function notesOf({ status }: Collected): { traceback?: string } {
  return Array.isArray(status?.notes) && status.notes.length > 0 ? { traceback: status.notes.join('\n') } : {}
}
