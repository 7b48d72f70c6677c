import { type Cause, cause } from '../model/cause.ts'
import { noEnvironmentExplanation } from '../model/execution-environment.ts'
import { isFinal } from '../model/job.ts'
import { prestartProblem } from '../runner/credentials.ts'
import { readInventorySource } from '../store/inventory-updates.ts'
import { freezeRun, linkDependency, readStartLine } from '../store/prepare.ts'
import { controlPlane, createProjectUpdate } from '../store/project-updates.ts'
import { type RunDocument, readJobForRun } from '../store/run-document.ts'
import { resolve } from './credentials.ts'
import { dependenciesOf } from './dependencies.ts'
import type { ActivityDeps } from './deps.ts'
import { endJob, throwEnded } from './end-job.ts'
import { ownJob } from './own-job.ts'
import { noContainerGroup, releaseLeftovers } from './prepare.ts'
import type { JobActivities } from './types.ts'

/**
 * Brings an inventory update to the start line. It runs on the control plane, unless its source names an execution environment, which only a pod can
 * have, or the installation runs all of them in pods (docs/decisions/0019).
 */
export function createPrepareInventoryUpdateActivity(deps: ActivityDeps): JobActivities['prepareInventoryUpdate'] {
  return async ({ jobId }) => {
    const { db } = deps.store
    await ownJob(deps, jobId, { restart: true })
    await releaseLeftovers(deps, jobId)
    const document = await readJobForRun(db, jobId)
    if (!document || isFinal(document.job.status)) return await throwEnded(deps, jobId)
    if (document.job.cancelFlag) return await endJob(deps, jobId, cause('canceled', ''))
    const problem = await whyItCannotUpdate(deps, document)
    if (problem) return await endJob(deps, jobId, problem)

    const prepared = { jobId, title: document.job.name, blocked: false, onControlPlane: true, groups: [] }
    const dependencies = await dependenciesOf(deps, await withFirstRevision(deps, document))
    if (dependencies.length > 0) return { ...prepared, dependencies }

    const { scmRevision, executionEnvironmentId, groups } = await readStartLine(db, jobId)
    if (document.project && document.project.scmType !== '' && scmRevision === '') {
      const message = `Project "${document.project.name}" has no revision to read: its last update did not succeed.`
      return await endJob(deps, jobId, cause('dependency_failed', message))
    }
    const run = { scmRevision, controllerNode: deps.settings.nodeName }
    if (!(await runsInGroup(deps, document))) {
      await freezeRun(db, jobId, { ...run, executionEnvironmentId: document.job.executionEnvironmentId })
      return { ...prepared, dependencies: [] }
    }
    if (executionEnvironmentId === null)
      return await endJob(deps, jobId, cause('no_execution_environment', noEnvironmentExplanation))
    if (groups.length === 0) return await endJob(deps, jobId, noContainerGroup)
    await freezeRun(db, jobId, { ...run, executionEnvironmentId })
    await Promise.all(groups.map(({ id }) => deps.gates.ensure(id)))
    return { ...prepared, onControlPlane: false, dependencies: [], groups }
  }
}

/** After a Reset the update has the environment of the control plane where it ran there before. */
async function runsInGroup({ store, settings }: ActivityDeps, { job }: RunDocument): Promise<boolean> {
  const { executionEnvironmentId: ofControlPlane } = await controlPlane(store.db)
  const named = job.executionEnvironmentId !== null && job.executionEnvironmentId !== ofControlPlane
  return named || settings.inventoryUpdatesInGroup
}

async function whyItCannotUpdate(deps: ActivityDeps, document: RunDocument): Promise<Cause | null> {
  const { job, inventory, project } = document
  if (!inventory || !(await readInventorySource(deps.store.db, job.inventorySourceId)))
    return cause('prestart_check_failed', 'The inventory source of this update was deleted.')
  if (job.source === 'scm' && !project)
    return cause('project_missing', 'The project of this inventory source was deleted.')
  const missing = prestartProblem(document.credentials.map((credential) => resolve(deps, credential)))
  return missing ? cause('prestart_check_failed', missing) : null
}

/** A project that was never fetched is fetched now, whether it is updated on launch or not. */
async function withFirstRevision({ store }: ActivityDeps, document: RunDocument): Promise<RunDocument> {
  const { job, project } = document
  if (!project || project.scmType === '' || project.scmRevision !== '') return document
  if (job.projectUpdateId !== null || project.currentJobId !== null) return document
  const projectUpdateId = await store.db.transaction(async (tx) => {
    const id = await createProjectUpdate(tx, project, {
      launchType: 'dependency',
      createdById: null,
      priority: job.priority,
    })
    await linkDependency(tx, job.id, id)
    return id
  })
  return { ...document, job: { ...job, projectUpdateId } }
}
