import { eq } from 'drizzle-orm'
import { cause } from '../model/cause.ts'
import { countsAsFailed, isFinal } from '../model/job.ts'
import { overridesBranch, previousTask, updateOnLaunch } from '../model/project-update.ts'
import type { JobRow } from '../store/job-status.ts'
import { linkDependency } from '../store/prepare.ts'
import { createProjectUpdate, newestUpdate } from '../store/project-updates.ts'
import { type RunDocument, readJob } from '../store/run-document.ts'
import { projects } from '../store/schema/templates.ts'
import { explainWaiting } from '../store/waiting.ts'
import type { ActivityDeps } from './deps.ts'
import { endJob } from './end-job.ts'
import { inventoryUpdatesOf } from './inventory-dependencies.ts'
import type { Dependency } from './types.ts'

/** The updates a job must wait for: of its project, and of its inventory. */
export async function dependenciesOf(deps: ActivityDeps, document: RunDocument): Promise<Dependency[]> {
  const ofProject = await projectUpdatesOf(deps, document)
  return [...ofProject, ...(await inventoryUpdatesOf(deps, document))]
}

/**
 * The updates of its project that a job must wait for: one that is at work, or a new one when the project is updated on launch and the last is too
 * old; then the sync that finds out the revision of the job's own branch. Asked again when they have ended: one that did not succeed ends the job, in
 * the words that AWX's clients parse.
 */
async function projectUpdatesOf(deps: ActivityDeps, document: RunDocument): Promise<Dependency[]> {
  const { job, project } = document
  if (!project || project.scmType === '') return []
  const linkedId = job.projectUpdateId ?? (await projectUpdateFor(deps, document))
  const linked = linkedId === null ? undefined : await readJob(deps.store.db, linkedId)
  if (linked) {
    const waiting = await settled(deps, document, linked)
    if (waiting.length > 0) return waiting
  }
  if (linked?.launchType === 'sync' || !overridesBranch(job, project)) return []
  const sync = await readJob(deps.store.db, await makeSync(deps, document))
  return sync ? await settled(deps, document, sync) : []
}

/** The update as a dependency while it has not ended; nothing when the job may go on. A job that may not is ended here. */
async function settled(deps: ActivityDeps, { job, project }: RunDocument, update: JobRow): Promise<Dependency[]> {
  const { db } = deps.store
  if (job.projectUpdateId !== update.id) await linkDependency(db, job.id, update.id)
  if (!isFinal(update.status)) {
    await explainWaiting(db, job.id, 'dependency', `waiting for project_update-${update.id} to finish`)
    const shared = update.launchType !== 'sync'
    return [{ jobId: update.id, kind: 'project_update', title: update.name, shared }]
  }
  if (!countsAsFailed(update.status)) return []
  if (update.status !== 'canceled') {
    const message = previousTask('Failed', update)
    await endJob(deps, job.id, cause('dependency_failed', message, update.jobExplanation))
  }
  // One that the job only had to let pass leaves it what the project had before.
  const isNeeded = update.launchType === 'sync' || project?.scmUpdateOnLaunch || !project?.scmRevision
  if (isNeeded) await endJob(deps, job.id, cause('canceled', previousTask('Canceled', update)))
  return []
}

/** The update that a job waits for before it looks at the project's revision; null when it needs none. */
async function projectUpdateFor(deps: ActivityDeps, { job, project }: RunDocument): Promise<number | null> {
  if (!project) return null
  if (!project.scmUpdateOnLaunch) {
    const atWork = await newestUpdate(deps.store.db, project.id)
    return atWork && !isFinal(atWork.status) ? atWork.id : null
  }
  return await deps.store.db.transaction(async (tx) => {
    // Of many jobs that ask at once, one makes the update and the others find it.
    const [fresh] = await tx.select().from(projects).where(eq(projects.id, project.id)).for('no key update')
    if (!fresh) return null
    const newest = await newestUpdate(tx, fresh.id)
    const decision = updateOnLaunch(newest ? timesOf(newest) : null, {
      // A Reset begins the job anew, and touches it.
      launchedMs: Date.parse(job.modified),
      nowMs: Date.now(),
      cacheSeconds: fresh.scmUpdateCacheTimeout,
    })
    if (decision === 'reuse') return null
    const updateId =
      decision === 'join' && newest
        ? newest.id
        : await createProjectUpdate(tx, fresh, { launchType: 'dependency', createdById: null, priority: job.priority })
    await linkDependency(tx, job.id, updateId)
    return updateId
  })
}

function timesOf({ status, started, finished }: JobRow) {
  const ms = (instant: string | null) => (instant === null ? null : Date.parse(instant))
  return { status, startedMs: ms(started), finishedMs: ms(finished) }
}

/** Makes the update that finds out the commit of the job's branch, and fetches it; it changes nothing of the project. */
async function makeSync(deps: ActivityDeps, { job, project }: RunDocument): Promise<number> {
  if (!project) throw new Error(`job ${job.id} has no project`)
  return await deps.store.db.transaction(async (tx) => {
    const sync = { launchType: 'sync', createdById: null, scmBranch: job.scmBranch, priority: job.priority } as const
    const updateId = await createProjectUpdate(tx, project, sync)
    await linkDependency(tx, job.id, updateId)
    return updateId
  })
}
