import { join } from 'node:path'
import { textInput } from '../runner/credentials.ts'
import { manualProjectFolder, ProjectUnreadableError } from '../runner/project/manual.ts'
import { forgetProject, projectsOnDisk } from '../runner/project/prune.ts'
import type { GalaxyServer, PreparedProject } from '../runner/project/types.ts'
import { findPreparedProject, type ProjectUpdateOptions, runProjectUpdate } from '../runner/project/update.ts'
import { readGalaxyCredentials } from '../store/galaxy-credentials.ts'
import { missingProjects } from '../store/project-updates.ts'
import type { RunDocument } from '../store/run-document.ts'
import { resolve } from './credentials.ts'
import type { ActivityDeps } from './deps.ts'

/** What an update is to bring. */
interface Wanted {
  /** As in ProjectUpdateOptions. */
  branch: string
  refreshContent: boolean
  signal: AbortSignal
}

/** Options of an update of the document's project: of a project update as it was made, else to bring one revision of the project to this machine. */
export async function updateOptions(
  deps: ActivityDeps,
  { job, project, scmCredential }: RunDocument,
  wanted: Wanted,
): Promise<ProjectUpdateOptions> {
  if (!project) throw new ProjectUnreadableError('The project was deleted.')
  const source = job.type === 'project_update' ? job : project
  return {
    dataFolder: checkoutsOf(deps),
    projectId: project.id,
    scmType: source.scmType,
    scmUrl: source.scmUrl,
    scmBranch: wanted.branch,
    scmRefspec: source.scmRefspec,
    scmTrackSubmodules: source.scmTrackSubmodules,
    // What one job needs is no reason to forget what others are about to use.
    scmDeleteOnUpdate: job.type === 'project_update' && job.launchType !== 'sync' && job.scmDeleteOnUpdate,
    credential: scmCredential ? resolve(deps, scmCredential) : null,
    galaxy: deps.settings.ansibleGalaxy,
    galaxyServers: await galaxyServers(deps, project.organizationId),
    refreshContent: wanted.refreshContent,
    timeout: Math.max(source.timeout, 0),
    signal: wanted.signal,
  }
}

function checkoutsOf({ settings }: ActivityDeps): string {
  return join(settings.dataFolder, 'checkouts')
}

/** Removes what this machine keeps for projects that were deleted; a project with active jobs is never deleted, so nobody reads there. */
export async function forgetDeletedProjects(deps: ActivityDeps): Promise<void> {
  const folder = checkoutsOf(deps)
  for (const id of await missingProjects(deps.store.db, await projectsOnDisk(folder))) await forgetProject(folder, id)
}

/** Where the organization of the project lets roles and collections come from. */
async function galaxyServers(deps: ActivityDeps, organizationId: number | null): Promise<GalaxyServer[]> {
  const credentials = await readGalaxyCredentials(deps.store.db, organizationId)
  return credentials.map((credential) => {
    const opened = resolve(deps, credential)
    const [url, authUrl, token] = ['url', 'auth_url', 'token'].map((field) => textInput(opened, field))
    return { url: url ?? '', authUrl: authUrl ?? '', token: token ?? '' }
  })
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
  const branch = job.scmRevision || project.scmRevision
  const options = await updateOptions(deps, document, { branch, refreshContent: false, signal })
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
