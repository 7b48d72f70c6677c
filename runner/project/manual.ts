import { readdir, realpath, stat } from 'node:fs/promises'
import { isAbsolute, join, sep } from 'node:path'

/** A project folder that is missing, unreadable or not where it may be; the message is for people. */
export class ProjectUnreadableError extends Error {
  override name = 'ProjectUnreadableError'
}

/** Names of the folders under the projects root that a manual project may take (AWX: project_local_paths). */
export async function manualProjectFolders(root: string): Promise<string[]> {
  const entries = await readdir(root, { withFileTypes: true }).catch(() => [])
  return entries
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.') && !entry.name.startsWith('_'))
    .map((entry) => entry.name)
    .sort()
}

/** The real folder of a manual project. Refuses `..`, absolute names and links that lead out of the root: ProjectUnreadableError. */
export async function manualProjectFolder(root: string, localPath: string): Promise<string> {
  if (localPath === '' || isAbsolute(localPath) || localPath.split(/[\\/]/).includes('..')) {
    throw new ProjectUnreadableError(`"${localPath}" is not the name of a folder under the projects folder.`)
  }
  try {
    const [realRoot, folder] = await Promise.all([realpath(root), realpath(join(root, localPath))])
    if (!folder.startsWith(realRoot + sep)) {
      throw new ProjectUnreadableError(`The project folder "${localPath}" leads out of the projects folder.`)
    }
    if ((await stat(folder)).isDirectory()) return folder
  } catch (error) {
    if (error instanceof ProjectUnreadableError) throw error
    throw new ProjectUnreadableError(`The project folder "${localPath}" does not exist or cannot be read.`)
  }
  throw new ProjectUnreadableError(`The project folder "${localPath}" is not a folder.`)
}
