import { open, readdir, realpath, stat } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { isInventoryName } from '../../model/inventory-file.ts'
import { isPlaybookName, looksLikePlaybook, mayHoldPlaybooks, sortPaths } from '../../model/playbook.ts'

/** As much of a file as is looked at, in bytes: a play's first keys stand near the top. */
const mostRead = 1024 * 1024

/** Paths of files in a project: relative, sorted without regard to case. */
export interface ProjectFiles {
  playbooks: string[]
  /** What could be an inventory. */
  inventoryFiles: string[]
}

/**
 * The files in a project that look like playbooks or could be inventories, as AWX lists them. Links to folders are not followed, hidden files are left
 * out, and a folder that cannot be read counts as empty.
 */
export async function listProjectFiles(folder: string): Promise<ProjectFiles> {
  const root = await realpath(folder).catch(() => folder)
  const found: ProjectFiles = { playbooks: [], inventoryFiles: [] }
  await look(root, '', found)
  return { playbooks: sortPaths(found.playbooks), inventoryFiles: sortPaths(found.inventoryFiles) }
}

async function look(root: string, relative: string, found: ProjectFiles): Promise<void> {
  const entries = await readdir(join(root, relative), { withFileTypes: true }).catch(() => [])
  for (const entry of entries) {
    if (entry.name.startsWith('.')) continue
    const path = relative === '' ? entry.name : `${relative}/${entry.name}`
    if (entry.isDirectory()) {
      if (mayHoldPlaybooks(path)) await look(root, path, found)
    } else if (isPlaybookName(entry.name) && (await couldBePlaybook(root, path))) found.playbooks.push(path)
    else if (isInventoryName(entry.name) && (await isOwnFile(root, path))) found.inventoryFiles.push(path)
  }
}

/** A link that leads out of the project is none of its files. */
async function isOwnFile(root: string, path: string): Promise<boolean> {
  const real = await realpath(join(root, path)).catch(() => '')
  return real.startsWith(root + sep) && (await stat(real)).isFile()
}

async function couldBePlaybook(root: string, path: string): Promise<boolean> {
  try {
    // A link to a file is a playbook as well, unless it leads out of the project.
    const real = await realpath(join(root, path))
    if (!real.startsWith(root + sep)) return false
    return looksLikePlaybook(await readBeginning(real))
  } catch {
    return false
  }
}

/** Throws for what cannot be opened; a folder or device is ''. */
async function readBeginning(path: string): Promise<string> {
  const file = await open(path)
  try {
    const stat = await file.stat()
    if (!stat.isFile()) return ''
    const length = Math.min(stat.size, mostRead)
    const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(length), length })
    return buffer.toString('utf8', 0, bytesRead)
  } finally {
    await file.close()
  }
}
