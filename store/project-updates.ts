import { and, desc, eq, inArray, ne, sql } from 'drizzle-orm'
import type { EventRow } from '../model/event.ts'
import { activeStatuses, type LaunchType } from '../model/job.ts'
import { controlPlaneEnvironment, controlPlaneGroup } from './bootstrap.ts'
import { channels } from './channel.ts'
import type { Database, Store } from './database.ts'
import { encodeEvents, eventColumns } from './event-rows.ts'
import { FencedError } from './fence.ts'
import { type Ahead, olderJobs } from './in-line.ts'
import { followUp } from './job-follow-up.ts'
import type { JobRow } from './job-status.ts'
import { enqueue } from './outbox.ts'
import { executionEnvironments, instanceGroups } from './schema/catalog.ts'
import { jobEvents, unifiedJobs } from './schema/jobs.ts'
import { projects } from './schema/templates.ts'

/**
 * Appends events of a job that runs on the control plane: no pod, so no offset. Throws FencedError when another run owns the job. Notifies
 * `events` once.
 */
export async function storeControlPlaneEvents(
  store: Store,
  { jobId, runId }: { jobId: number; runId: string },
  rows: readonly EventRow[],
): Promise<void> {
  if (rows.length === 0) return
  await store.copyTransaction(async (tx, copyIn) => {
    const answer = await tx.execute<{ owned: boolean }>(sql`
      WITH counted AS (
        UPDATE unified_jobs SET events_stored = events_stored + ${rows.length}
        WHERE id = ${jobId} AND run_id = ${runId} RETURNING id
      )
      SELECT EXISTS (SELECT FROM counted) AS owned, pg_notify(${channels.events}, ${String(jobId)})`)
    if (!answer.rows[0]?.owned) throw new FencedError(`job ${jobId}`, runId)
    await copyIn('job_events', eventColumns, encodeEvents(jobId, rows.values()))
  })
}

/** Forgets what an interrupted try of a control plane job printed: it begins anew. */
export async function forgetControlPlaneEvents(db: Database, jobId: number): Promise<void> {
  await db.transaction(async (tx) => {
    await tx.delete(jobEvents).where(eq(jobEvents.jobId, jobId))
    await tx.update(unifiedJobs).set({ eventsStored: 0 }).where(eq(unifiedJobs.id, jobId))
  })
}

/** What a successful update found: the revision that jobs run from now on, and the playbooks and possible inventories in it. */
export async function recordProjectRevision(
  tx: Database,
  projectId: number,
  found: { revision: string; playbooks: string[]; inventoryFiles: string[] },
): Promise<void> {
  await tx
    .update(projects)
    .set({ scmRevision: found.revision, playbookFiles: found.playbooks, inventoryFiles: found.inventoryFiles })
    .where(eq(projects.id, projectId))
}

/** The oldest update of the project that is active and older than this one, and how many such there are; null when it is this one's turn. */
export async function olderUpdate(db: Database, projectId: number, jobId: number): Promise<Ahead | null> {
  return await olderJobs(
    db,
    jobId,
    and(
      eq(unifiedJobs.projectId, projectId),
      eq(unifiedJobs.type, 'project_update'),
      ne(unifiedJobs.launchType, 'sync'),
    ),
  )
}

/** The update of the project that counts for whoever asks now: the newest that is active, else the newest. A sync for a job is none of them. */
export async function newestUpdate(db: Database, projectId: number): Promise<JobRow | undefined> {
  const [row] = await db
    .select()
    .from(unifiedJobs)
    .where(
      and(
        eq(unifiedJobs.unifiedJobTemplateId, projectId),
        eq(unifiedJobs.type, 'project_update'),
        ne(unifiedJobs.launchType, 'sync'),
      ),
    )
    .orderBy(desc(inArray(unifiedJobs.status, [...activeStatuses])), desc(unifiedJobs.id))
    .limit(1)
  return row
}

/** Those of the ids that no project has (any more). */
export async function missingProjects(db: Database, ids: readonly number[]): Promise<number[]> {
  if (ids.length === 0) return []
  const rows = await db
    .select({ id: projects.id })
    .from(projects)
    .where(inArray(projects.id, [...ids]))
  const found = new Set(rows.map(({ id }) => id))
  return ids.filter((id) => !found.has(id))
}

/** Where project updates run: the control plane's group, and its environment; null where an administrator removed it. */
export async function controlPlane(
  db: Database,
): Promise<{ instanceGroupId: number | null; executionEnvironmentId: number | null }> {
  const [group] = await db
    .select({ id: instanceGroups.id })
    .from(instanceGroups)
    .where(eq(instanceGroups.name, controlPlaneGroup))
  const [environment] = await db
    .select({ id: executionEnvironments.id })
    .from(executionEnvironments)
    .where(and(eq(executionEnvironments.name, controlPlaneEnvironment), eq(executionEnvironments.managed, true)))
  return { instanceGroupId: group?.id ?? null, executionEnvironmentId: environment?.id ?? null }
}

/** How an update of a project comes about. */
export interface ProjectUpdateLaunch {
  /** `sync`: for one job's sake, which names a branch of its own; the project stays as it is. */
  launchType: LaunchType
  createdById: number | null
  executionEnvironmentId?: number | null
  /** Absent: the project's. */
  scmBranch?: string
  /** That of what it is made for. */
  priority?: number
}

/** Makes the row of an update of a project, pending; the caller starts it. Returns its id. */
export async function createProjectUpdate(
  tx: Database,
  project: typeof projects.$inferSelect,
  launch: ProjectUpdateLaunch,
): Promise<number> {
  const [update] = await tx
    .insert(unifiedJobs)
    .values({
      type: 'project_update',
      name: project.name,
      description: project.description,
      unifiedJobTemplateId: project.id,
      projectId: project.id,
      organizationId: project.organizationId,
      launchType: launch.launchType,
      status: 'pending',
      jobType: launch.launchType === 'sync' ? 'run' : 'check',
      jobTags: `update_${project.scmType},install_roles,install_collections`,
      localPath: project.localPath,
      scmType: project.scmType,
      scmUrl: project.scmUrl,
      scmBranch: launch.scmBranch ?? project.scmBranch,
      scmRefspec: project.scmRefspec,
      scmClean: project.scmClean,
      scmTrackSubmodules: project.scmTrackSubmodules,
      scmDeleteOnUpdate: project.scmDeleteOnUpdate,
      credentialId: project.credentialId,
      timeout: project.timeout,
      executionEnvironmentId: launch.executionEnvironmentId ?? null,
      createdById: launch.createdById,
      priority: launch.priority,
    })
    .returning()
  if (!update) throw new Error(`the update of project ${project.id} was not made`)
  await followUp(tx, update)
  // Many may wait for it, and whoever made it may be gone before it could start it.
  if (launch.launchType === 'dependency') await enqueue(tx, 'start', update.id)
  return update.id
}
