import { Context } from '@temporalio/activity'
import { type Cause, cause, causeStatus } from '../model/cause.ts'
import { isFinal } from '../model/job.ts'
import { type ProjectUpdateResult, runProjectUpdate } from '../runner/project/update.ts'
import type { Database } from '../store/database.ts'
import { transitionJob } from '../store/job-status.ts'
import { propagateEventFlags, storeHostSummaries } from '../store/outcome.ts'
import { recordProjectRevision, storeControlPlaneEvents } from '../store/project-updates.ts'
import { type RunDocument, readJobForRun } from '../store/run-document.ts'
import { beginOnControlPlane } from './begin-on-control-plane.ts'
import type { ActivityDeps } from './deps.ts'
import { endJob, throwEnded } from './end-job.ts'
import { changesOfCause, owner, throwIfAsked, verdictOfCause } from './failures.ts'
import { Heart } from './heart.ts'
import { ownJob } from './own-job.ts'
import { forgetDeletedProjects, updateOptions } from './project-folder.ts'
import type { JobActivities, Verdict } from './types.ts'
import { takeUpdatePlace, waitForTurn } from './update-turn.ts'

/** Runs a project update on the control plane. A try that was interrupted is forgotten: an update does the same again at no harm. */
export function createUpdateProjectActivity(deps: ActivityDeps): JobActivities['updateProject'] {
  return async ({ jobId }) => {
    const heart = new Heart(Context.current())
    try {
      await ownJob(deps, jobId, { restart: true })
      const document = await readJobForRun(deps.store.db, jobId)
      if (!document || isFinal(document.job.status)) return await throwEnded(deps, jobId)
      const problem = whyItCannotUpdate(document)
      if (problem) return await endJob(deps, jobId, problem)
      await waitForTurn(deps, document.job, heart)
      using _place = takeUpdatePlace()
      await beginOnControlPlane(deps, jobId)
      const signal = heart.asked
      const { scmBranch: branch, launchType } = document.job
      // A sync makes do with what is installed for the same requirements, as AWX's does.
      const options = await updateOptions(deps, document, { branch, refreshContent: launchType !== 'sync', signal })
      const { runId } = owner()
      const result = await runProjectUpdate(options, (rows) =>
        storeControlPlaneEvents(deps.store, { jobId, runId }, rows),
      )
      if (heart.stop.aborted) throwIfAsked()
      const verdict = await conclude(deps, document, result)
      // Tidying is no part of the update: whatever is in its way is in nobody else's.
      await forgetDeletedProjects(deps).catch((error: unknown) =>
        deps.log.warn({ reason: String(error) }, 'tidying projects'),
      )
      return verdict
    } catch (error) {
      if (heart.stop.aborted) throwIfAsked()
      throw error
    } finally {
      heart.end()
    }
  }
}

function whyItCannotUpdate({ job, project }: RunDocument): Cause | null {
  if (!project) return cause('project_missing', 'The project of this update was deleted.')
  if (job.scmType === 'git' || job.scmType === 'archive') return null
  return cause(
    'prestart_check_failed',
    `A project of source control type "${job.scmType}" cannot be updated here: use git, an archive, or a manual project.`,
  )
}

async function conclude(
  { store }: ActivityDeps,
  { job, project }: RunDocument,
  result: ProjectUpdateResult,
): Promise<Verdict> {
  const { cause: found } = result
  const status = found ? causeStatus[found.kind] : 'successful'
  await store.db.transaction(async (tx: Database) => {
    await storeHostSummaries(
      tx,
      job.id,
      result.hostSummaries.map(({ failed: _derived, ...summary }) => ({ ...summary, hostId: null })),
    )
    await propagateEventFlags(tx, job.id)
    // A sync is about one job's branch: the project stays at its own.
    if (result.project && project && job.launchType !== 'sync') {
      const { playbooks, inventoryFiles } = result
      await recordProjectRevision(tx, project.id, { revision: result.project.revision, playbooks, inventoryFiles })
    }
    const changes = {
      ...(found ? changesOfCause(found) : {}),
      scmRevision: result.project?.revision ?? '',
      jobArgs: result.jobArgs,
      jobCwd: result.jobCwd,
      jobEnv: result.jobEnv,
      hostStatusCounts: result.hostStatusCounts,
      playCount: result.playbookCounts.playCount,
      taskCount: result.playbookCounts.taskCount,
      eventsEmitted: result.eventsEmitted,
    }
    await transitionJob(tx, job.id, status, changes, owner().runId)
  })
  return found ? verdictOfCause(found, true) : { status: 'successful', cause: null, explanation: '', released: true }
}
