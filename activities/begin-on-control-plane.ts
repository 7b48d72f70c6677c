import { transitionJob } from '../store/job-status.ts'
import { controlPlane, forgetControlPlaneEvents } from '../store/project-updates.ts'
import type { ActivityDeps } from './deps.ts'
import { owner } from './failures.ts'

/**
 * A job of this machine begins to run: what an interrupted try told is forgotten. It runs where it is controlled, so both nodes are this one,
 * and the group is that of the control plane.
 */
export async function beginOnControlPlane({ store, settings }: ActivityDeps, jobId: number): Promise<void> {
  await forgetControlPlaneEvents(store.db, jobId)
  const nodes = { controllerNode: settings.nodeName, executionNode: settings.nodeName }
  const place = await controlPlane(store.db)
  await transitionJob(store.db, jobId, 'running', { ...nodes, ...place }, owner().runId)
}
