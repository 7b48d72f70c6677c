import { join } from 'node:path'
import { manualProjectFolder, ProjectUnreadableError } from '../runner/project/manual.ts'
import type { PreparedProject } from '../runner/project/types.ts'
import { findPreparedProject, type ProjectUpdateOptions, runProjectUpdate } from '../runner/project/update.ts'
import type { RunDocument } from '../store/run-document.ts'
import { resolve } from './credentials.ts'
import type { ActivityDeps } from './deps.ts'

/** Options of an update of the document's project, whether for its own sake or to bring one revision to this machine. */
export function updateOptions(
  deps: ActivityDeps,
  { job, project, scmCredential }: RunDocument,
  wanted: { branch: string; refreshContent: boolean; signal: AbortSignal },
): ProjectUpdateOptions {
  if (!project) throw new ProjectUnreadableError('The project was deleted.')
  return {
    dataFolder: join(deps.settings.dataFolder, 'checkouts'),
    projectId: project.id,
    scmType: 'git',
    scmUrl: project.scmUrl,
    scmBranch: wanted.branch,
    scmRefspec: project.scmRefspec,
    scmTrackSubmodules: project.scmTrackSubmodules,
    scmDeleteOnUpdate: job.type === 'project_update' && project.scmDeleteOnUpdate,
    credential: scmCredential ? resolve(deps, scmCredential) : null,
    galaxy: deps.settings.ansibleGalaxy,
    refreshContent: wanted.refreshContent,
    timeout: Math.max(project.timeout, 0),
    signal: wanted.signal,
  }
}

/**
 * The project's tree that a job runs, on this machine. A revision that this machine does not have, because another worker made the update or
 * the folder was cleaned, is fetched now, as AWX's sync does. Throws ProjectUnreadableError.
 */
export async function projectAtRevision(
  deps: ActivityDeps,
  document: RunDocument,
  signal: AbortSignal,
): Promise<PreparedProject> {
  const { job, project } = document
  if (!project) throw new ProjectUnreadableError('The project of this job was deleted.')
  if (project.scmType === '') {
    const folder = await manualProjectFolder(deps.settings.projectsRoot, project.localPath)
    return { revision: '', folder, rolesFolder: null, collectionsFolder: null }
  }
  const branch = job.scmBranch || job.scmRevision || project.scmRevision
  const options = updateOptions(deps, document, { branch, refreshContent: false, signal })
  const known = await findPreparedProject(options.dataFolder, project.id, branch)
  if (known) return known
  const { project: prepared, cause } = await runProjectUpdate(options, () => {})
  signal.throwIfAborted()
  if (!prepared)
    throw new ProjectUnreadableError(
      cause?.message ?? `Revision ${branch} of project "${project.name}" could not be fetched.`,
    )
  return prepared
}
