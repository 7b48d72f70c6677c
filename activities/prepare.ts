import { Context } from '@temporalio/activity'
import { type Cause, cause } from '../model/cause.ts'
import { noEnvironmentExplanation } from '../model/execution-environment.ts'
import { isFinal } from '../model/job.ts'
import { prestartProblem } from '../runner/credentials.ts'
import { takeOverAttempts } from '../store/claims.ts'
import { resolveExecutionEnvironment } from '../store/execution-environment.ts'
import { restartJob } from '../store/job-status.ts'
import { freezeRun, groupNames, jobOwner, ownJob } from '../store/prepare.ts'
import { type RunDocument, readJobForRun } from '../store/run-document.ts'
import { launchPasswords, resolve } from './credentials.ts'
import { dependenciesOf } from './dependencies.ts'
import type { ActivityDeps } from './deps.ts'
import { endJob, throwEnded } from './end-job.ts'
import { owner } from './failures.ts'
import { releaseAttemptAndPod } from './release-pod.ts'
import type { JobActivities } from './types.ts'

/** Brings the job to the start line: nothing left of an earlier run, everything it needs known, and told what must happen first. */
export function createPrepareActivity(deps: ActivityDeps): JobActivities['prepare'] {
  return async ({ jobId }) => {
    await startAnewAfterReset(deps, jobId)
    const document = await readJobForRun(deps.store.db, jobId)
    if (!document || isFinal(document.job.status)) return await throwEnded(deps, jobId)
    if (document.job.cancelFlag) return await endJob(deps, jobId, cause('canceled', ''))

    const dependencies = await dependenciesOf(deps, document)
    const title = document.job.name
    if (dependencies.length > 0)
      return { jobId, title, dependencies, groups: await groupNames(deps.store.db, document.job.eligibleGroups) }

    const executionEnvironmentId = await resolveExecutionEnvironment(deps.store.db, jobId)
    const problem = whyItCannotRun(deps, document, executionEnvironmentId)
    if (problem) return await endJob(deps, jobId, problem)
    const groups = await groupNames(deps.store.db, document.job.eligibleGroups)
    const [preferred] = groups
    if (!preferred)
      return await endJob(
        deps,
        jobId,
        cause(
          'group_misconfigured',
          'None of the instance groups of this job is a container group: attach one to its template, inventory or organization.',
        ),
      )
    await freezeRun(deps.store.db, jobId, {
      executionEnvironmentId,
      scmRevision: document.job.scmBranch || document.project?.scmRevision || '',
      controllerNode: deps.settings.nodeName,
    })
    await deps.gates.ensure(preferred.id)
    return { jobId, title, dependencies: [], groups }
  }
}

/**
 * Another run id than the one on the job means that an operator reset the workflow. The run before was ended by that without its clean-up: its
 * pod is taken over, which fences its writes, and deleted; then the job begins as if it had never run.
 */
async function startAnewAfterReset(deps: ActivityDeps, jobId: number): Promise<void> {
  const { workflowId, runId } = owner()
  const before = await jobOwner(deps.store.db, jobId)
  if (before === runId) return
  if (before !== null) {
    for (const attempt of await takeOverAttempts(deps.store.db, { jobId, workflowId, runId })) {
      await releaseAttemptAndPod(deps, attempt, Context.current().cancellationSignal)
    }
  }
  // Owned last and together with the new beginning, so that a crash on the way does all of it again.
  await deps.store.db.transaction(async (tx) => {
    if (before !== null) await restartJob(tx, jobId)
    await ownJob(tx, jobId, runId)
  })
}

/** What AWX's pre-start check finds, and what can be known without asking a cluster. */
function whyItCannotRun(
  deps: ActivityDeps,
  document: RunDocument,
  executionEnvironmentId: number | null,
): Cause | null {
  const { project, inventory } = document
  if (!project) return cause('prestart_check_failed', 'Job could not start because its project was deleted.')
  if (!inventory)
    return cause('prestart_check_failed', 'Job could not start because it does not have a valid inventory.')
  if (project.scmType !== '' && project.scmRevision === '') {
    return cause(
      'dependency_failed',
      `Project "${project.name}" has no revision to run: its last update did not succeed.`,
    )
  }
  if (executionEnvironmentId === null) return cause('no_execution_environment', noEnvironmentExplanation)
  const credentials = document.credentials.map((credential) => resolve(deps, credential))
  const missing = prestartProblem(credentials, launchPasswords(deps, document))
  return missing ? cause('prestart_check_failed', missing) : null
}
