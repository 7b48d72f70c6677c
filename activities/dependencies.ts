import { cause } from '../model/cause.ts'
import { countsAsFailed, isFinal } from '../model/job.ts'
import { linkDependency } from '../store/prepare.ts'
import { createProjectUpdate } from '../store/project-updates.ts'
import { type RunDocument, readJob } from '../store/run-document.ts'
import { explainWaiting } from '../store/waiting.ts'
import type { ActivityDeps } from './deps.ts'
import { endJob } from './end-job.ts'
import type { PreparedJob } from './types.ts'

/**
 * The updates a job must wait for: one that runs already, or a new one when the project is updated on launch and the last is too
 * old. Called again when they have ended: a failed one ends the job, in the words that AWX's clients parse.
 */
export async function dependenciesOf(deps: ActivityDeps, document: RunDocument): Promise<PreparedJob['dependencies']> {
  const { job, project } = document
  if (!project || project.scmType === '') return []
  const updateId = job.projectUpdateId ?? project.currentJobId ?? (await ownUpdate(deps, document))
  if (updateId === null) return []
  const update = await readJob(deps.store.db, updateId)
  if (!update) return []
  if (job.projectUpdateId !== updateId) await linkDependency(deps.store.db, job.id, updateId)
  if (!isFinal(update.status)) {
    await explainWaiting(deps.store.db, job.id, 'dependency', `waiting for project_update-${updateId} to finish`)
    return [{ jobId: updateId, kind: 'project_update', title: update.name }]
  }
  if (countsAsFailed(update.status)) {
    const link = JSON.stringify({
      job_type: 'project_update',
      job_name: update.name,
      job_id: String(updateId),
    }).replace(/([:,])"/g, '$1 "')
    await endJob(deps, job.id, cause('dependency_failed', `Previous Task Failed: ${link}`, update.jobExplanation))
  }
  return []
}

/** Makes an update for this job when the project asks for one and the last successful one is older than its cache time-out. */
async function ownUpdate(deps: ActivityDeps, { job, project }: RunDocument): Promise<number | null> {
  if (!project?.scmUpdateOnLaunch) return null
  const lastMs = project.lastJobRun && !project.lastJobFailed ? Date.parse(project.lastJobRun) : 0
  if (project.scmUpdateCacheTimeout > 0 && Date.now() - lastMs < project.scmUpdateCacheTimeout * 1000) return null
  return await deps.store.db.transaction(async (tx) => {
    const updateId = await createProjectUpdate(tx, project, { launchType: 'dependency', createdById: null })
    await linkDependency(tx, job.id, updateId)
    return updateId
  })
}
