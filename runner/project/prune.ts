import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'

/** Ids of the projects that have a folder here; none where there is no data folder yet. */
export async function projectsOnDisk(dataFolder: string): Promise<number[]> {
  const names = await readdir(dataFolder).catch(() => [])
  return names.filter((name) => /^[1-9]\d*$/.test(name)).map(Number)
}

/** Removes what is kept for a project that was deleted. */
export async function forgetProject(dataFolder: string, projectId: number): Promise<void> {
  await rm(join(dataFolder, String(projectId)), { recursive: true, force: true })
}
