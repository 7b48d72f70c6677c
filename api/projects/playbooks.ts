import type { projects } from '../../store/schema/templates.ts'
import type { RequestContext } from '../context.ts'
import { listInventoryFiles, listPlaybooks, projectFolder } from './folder.ts'

type Project = typeof projects.$inferSelect

/** Playbooks of a project: of a manual one those in its folder now, of any other those of its last update. */
export async function playbooksOf(project: Project, context: RequestContext): Promise<string[]> {
  if (project.scmType !== '') return project.playbookFiles
  const folder = await projectFolder(context.deps.projectsRoot, project.localPath)
  return folder === null ? [] : await listPlaybooks(folder)
}

/** Files of a project that could be inventories, from the same places. */
export async function inventoryFilesOf(project: Project, context: RequestContext): Promise<string[]> {
  if (project.scmType !== '') return project.inventoryFiles
  const folder = await projectFolder(context.deps.projectsRoot, project.localPath)
  return folder === null ? [] : await listInventoryFiles(folder)
}
