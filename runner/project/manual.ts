import { lstat, realpath } from 'node:fs/promises'
import { join, sep } from 'node:path'

/** A project folder that is missing, unreadable or not where it may be; the message is for people. */
export class ProjectUnreadableError extends Error {
  override name = 'ProjectUnreadableError'
}

/** The real folder of a manual project. Refuses `..`, absolute names and links that lead out of the root: ProjectUnreadableError. */
export async function manualProjectFolder(root: string, localPath: string): Promise<string> {
  const parts = localPath.split('/')
  if (
    localPath === '' ||
    parts.some((part) => part === '' || part === '.' || part === '..') ||
    localPath.includes('\0')
  ) {
    throw new ProjectUnreadableError(`The project's folder "${localPath}" is not a name below the projects root.`)
  }
  const missing = new ProjectUnreadableError(
    `The project's folder "${localPath}" does not exist below the projects root.`,
  )
  const realRoot = await realpath(root).catch(() => Promise.reject(missing))
  const folder = await realpath(join(realRoot, localPath)).catch(() => Promise.reject(missing))
  if (!folder.startsWith(realRoot + sep)) {
    throw new ProjectUnreadableError(`The project's folder "${localPath}" leads out of the projects root.`)
  }
  if (!(await lstat(folder)).isDirectory()) {
    throw new ProjectUnreadableError(`The project's folder "${localPath}" is not a folder.`)
  }
  return folder
}
