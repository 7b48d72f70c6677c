import { cause, causeStatus } from '../../model/cause.ts'
import { activeJobs } from '../../store/active-jobs.ts'
import { attemptsOf } from '../../store/attempts.ts'
import { MissingRowError } from '../../store/errors.ts'
import { FencedError } from '../../store/fence.ts'
import { transitionJob } from '../../store/job-status.ts'
import type { ActivityDeps, Owner } from '../deps.ts'
import { changesOfCause } from '../failures.ts'
import { examineLive, recordDead } from '../play/record-dead.ts'
import type { ReaperPass } from './pass.ts'

const reason = cause('workflow_terminated', 'The workflow of this job was terminated in Temporal.')

/** Jobs whose workflow was terminated: nobody else will ever give them a final status. Returns their ids. */
export async function endAbandonedJobs(deps: ActivityDeps, pass: ReaperPass): Promise<Set<number>> {
  const { store, workflows, settings } = deps
  const abandoned = new Set<number>()
  for (const { owner, current } of await workflows.gone(await activeJobs(store.db, settings.orphanGraceSeconds))) {
    // A Reset has made a new run, which ends the job.
    if (current) continue
    abandoned.add(owner.jobId)
    const finding = {
      ...({ kind: 'job', cluster: '', instance_group: null, namespace: '', pod: '', job: owner.jobId } as const),
      ...({ reason: 'workflow_gone', outcome: 'due', overdue: 0, message: reason.message } as const),
    }
    if (pass.dryRun) await pass.seeTo(finding, async () => {})
    else if (await endJob(deps, owner, pass)) pass.findings.push({ ...finding, outcome: 'done' })
  }
  return abandoned
}

/** Whether the job was ended by this; an outage of the store is the whole pass's. */
async function endJob(deps: ActivityDeps, { jobId, runId }: Owner, { counts }: ReaperPass): Promise<boolean> {
  const { store } = deps
  try {
    const dead = await examineLive(deps, await attemptsOf(store.db, jobId), reason)
    return await store.db.transaction(async (tx) => {
      await recordDead(tx, dead, reason)
      const { applied } = await transitionJob(tx, jobId, causeStatus[reason.kind], changesOfCause(reason), runId)
      if (applied) counts.jobsEnded++
      return applied
    })
  } catch (error) {
    // A run began since we looked: the job is its.
    if (error instanceof FencedError || error instanceof MissingRowError) return false
    throw error
  }
}
