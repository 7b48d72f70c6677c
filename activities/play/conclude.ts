import { rm } from 'node:fs/promises'
import type { Pod } from '../../kubernetes/objects.ts'
import type { Cause } from '../../model/cause.ts'
import { isMapping } from '../../model/variables.ts'
import { artifactData, type HostSummary, hostStatusCounts, hostSummaries } from '../../runner/results.ts'
import type { AttemptRow } from '../../store/claims.ts'
import { propagateEventFlags, storeHostSummaries } from '../../store/outcome.ts'
import { readPlayRecord } from '../../store/play-record.ts'
import type { ActivityDeps } from '../deps.ts'
import type { Verdict } from '../types.ts'
import { storeArtifacts, storeGatheredFacts } from './artifacts.ts'
import type { Collected } from './collect.ts'
import { type Ending, interpretEnding } from './interpret.ts'
import type { PreparedRun } from './run-parts.ts'
import { storeVerdict } from './store-verdict.ts'

/** A run that came to its end, whatever that was. */
export interface Ended extends Omit<Ending, 'outcome'> {
  /** See AttemptEnd. */
  goesOn: boolean
}

/** What is known of an attempt whose output did not come to its end. */
export interface Broken {
  /** How far it was prepared. */
  run?: Pick<PreparedRun, 'hostIds' | 'secrets'>
  /** The pod as it was last seen. */
  seen?: Pod | null
  /** See AttemptEnd. */
  goesOn: boolean
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
    return await storeVerdict(deps, attempt, {
      found,
      goesOn: ended.goesOn,
      known: { seen: ended.pod, secrets: run.secrets },
      changes: {
        eventsEmitted: record.events,
        hostStatusCounts: hostStatusCounts(summaries),
        playCount: record.plays,
        taskCount: record.tasks,
        artifacts: record.stats ? artifactData(record.stats) : resultsOf(collected),
        ...notesOf(collected),
      },
      async further(tx) {
        await storeHostSummaries(tx, jobId, withHostIds(summaries, run.hostIds))
        if (record.hasFlags) await propagateEventFlags(tx, jobId)
        return harvest && !harvest.cause ? await harvest.write(tx) : {}
      },
    })
  } finally {
    if (typeof collected.artifacts === 'string') await rm(collected.artifacts, { force: true })
  }
}

/** Stores the end of an attempt whose output did not come to its end, with what there is of it. */
export async function concludeWith(
  deps: ActivityDeps,
  attempt: AttemptRow,
  found: Cause,
  { run, seen, goesOn }: Broken,
): Promise<Verdict> {
  const record = await readPlayRecord(deps.store.db, attempt.jobId)
  const summaries = record.stats ? hostSummaries(record.stats) : []
  return await storeVerdict(deps, attempt, {
    found,
    goesOn,
    known: { seen, secrets: run?.secrets },
    changes: { eventsEmitted: record.events, playCount: record.plays, taskCount: record.tasks },
    async further(tx) {
      await storeHostSummaries(tx, attempt.jobId, withHostIds(summaries, run?.hostIds))
      if (record.hasFlags) await propagateEventFlags(tx, attempt.jobId)
      return {}
    },
  })
}

function withHostIds(summaries: HostSummary[], hostIds: ReadonlyMap<string, number> = new Map()) {
  return summaries.map(({ failed: _derived, ...summary }) => ({
    ...summary,
    hostId: hostIds.get(summary.hostName) ?? null,
  }))
}

/** What a container job's command left for others. */
function resultsOf({ status }: Collected): Record<string, unknown> {
  return isMapping(status?.results) ? status.results : {}
}

/** What a container job was to give back and did not. */
function notesOf({ status }: Collected): { traceback?: string } {
  return Array.isArray(status?.notes) && status.notes.length > 0 ? { traceback: status.notes.join('\n') } : {}
}
