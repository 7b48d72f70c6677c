/** A project folder that is missing, unreadable or not where it may be; the message is for people. */
export class ProjectUnreadableError extends Error {
  override name = 'ProjectUnreadableError'
}

/** Names of the folders under the projects root that a manual project may take (AWX: project_local_paths). */
export async function manualProjectFolders(root: string): Promise<string[]> {
  throw new Error(root)
}

/** The real folder of a manual project. Refuses `..`, absolute names and links that lead out of the root: ProjectUnreadableError. */
export async function manualProjectFolder(root: string, localPath: string): Promise<string> {
  throw new Error(`${root} ${localPath}`)
}
