import { type Cause, cause } from '../model/cause.ts'
import { noEnvironmentExplanation } from '../model/execution-environment.ts'
import { isFinal } from '../model/job.ts'
import { prestartProblem } from '../runner/credentials.ts'
import { blockerOf, waitingFor } from '../store/blocking.ts'
import { DatabaseUnavailableError } from '../store/errors.ts'
import { FencedError } from '../store/fence.ts'
import { freezeRun, groupNames, readStartLine } from '../store/prepare.ts'
import { type RunDocument, readJobForRun } from '../store/run-document.ts'
import { explainWaiting } from '../store/waiting.ts'
import { launchPasswords, resolve } from './credentials.ts'
import { dependenciesOf } from './dependencies.ts'
import type { ActivityDeps } from './deps.ts'
import { endJob, throwEnded } from './end-job.ts'
import { noCapacity } from './failures.ts'
import { ownJob, ownLiveAttempts } from './own-job.ts'
import { releaseAttemptAndPod } from './release-pod.ts'
import type { JobActivities } from './types.ts'

/** Below the activity's time-out, which would tell nobody why. */
const leftoverPatienceMs = 12_000
const leftoverRetryMs = 2_000

/** Brings the job to the start line: nothing left of an earlier run, everything it needs known, and told what must happen first. */
export function createPrepareActivity(deps: ActivityDeps): JobActivities['prepare'] {
  return async ({ jobId }) => {
    await ownJob(deps, jobId, { restart: true })
    const document = await readJobForRun(deps.store.db, jobId)
    if (document && document.job.attemptCount > 0) await releaseLeftovers(deps, jobId)
    if (!document || isFinal(document.job.status)) return await throwEnded(deps, jobId)
    if (document.job.cancelFlag) return await endJob(deps, jobId, cause('canceled', ''))

    const title = document.job.name
    const blocker = await blockerOf(deps.store.db, document.job)
    if (blocker) {
      await explainWaiting(deps.store.db, jobId, 'turn', waitingFor(blocker))
      return { jobId, title, blocked: true, dependencies: [], groups: [] }
    }
    // Another attempt runs what the first one was to run, whatever has become of project and template since.
    const { executionEnvironmentId: frozenEnvironment, scmRevision: frozenRevision, retries } = document.job
    const isFrozen = retries.told !== undefined
    const dependencies = isFrozen ? [] : await dependenciesOf(deps, document)
    if (dependencies.length > 0)
      return {
        jobId,
        title,
        blocked: false,
        dependencies,
        groups: await groupNames(deps.store.db, document.job.eligibleGroups),
      }

    const line = await readStartLine(deps.store.db, jobId)
    const { groups } = line
    const executionEnvironmentId = isFrozen ? frozenEnvironment : line.executionEnvironmentId
    const scmRevision = isFrozen ? frozenRevision : line.scmRevision
    const problem = whyItCannotRun(deps, document, { executionEnvironmentId, scmRevision })
    if (problem) return await endJob(deps, jobId, problem)
    if (groups.length === 0) return await endJob(deps, jobId, noContainerGroup)
    await freezeRun(deps.store.db, jobId, {
      executionEnvironmentId,
      scmRevision,
      controllerNode: deps.settings.nodeName,
    })
    await Promise.all(groups.map(({ id }) => deps.gates.ensure(id)))
    return { jobId, title, blocked: false, dependencies: [], groups }
  }
}

/** A job that needs a pod, and has no group to get one in. */
export const noContainerGroup = cause(
  'group_misconfigured',
  'None of the instance groups of this job is a container group: attach one to its template, inventory or organization.',
)

/**
 * Deletes the pods of runs before this one. Two plays of one job must not run at once, so this waits until they are gone, however long their
 * cluster or node takes.
 */
export async function releaseLeftovers(deps: ActivityDeps, jobId: number): Promise<void> {
  for (const attempt of await ownLiveAttempts(deps, jobId)) {
    // An attempt that has not ended is at work for this very run: this is then a late repetition of its `prepare`.
    if (attempt.endedAt === null) continue
    try {
      await releaseAttemptAndPod(deps, attempt, AbortSignal.timeout(leftoverPatienceMs))
    } catch (error) {
      if (error instanceof FencedError || error instanceof DatabaseUnavailableError) throw error
      const message = `Pod ${attempt.podName} of an earlier run is not gone yet.`
      await explainWaiting(deps.store.db, jobId, 'leftover', message)
      deps.log.warn({ job: jobId, pod: attempt.podName, reason: String(error) }, 'an earlier pod does not go')
      throw noCapacity(message, leftoverRetryMs)
    }
  }
}

/** What AWX's pre-start check finds, and what can be known without asking a cluster. */
function whyItCannotRun(
  deps: ActivityDeps,
  document: RunDocument,
  { executionEnvironmentId, scmRevision }: { executionEnvironmentId: number | null; scmRevision: string },
): Cause | null {
  const { job, project, inventory } = document
  if (job.type === 'job' && !project && !job.container)
    return cause('prestart_check_failed', 'Job could not start because its project was deleted.')
  if (!inventory && !job.container)
    return cause('prestart_check_failed', 'Job could not start because it does not have a valid inventory.')
  if (project && project.scmType !== '' && scmRevision === '') {
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
