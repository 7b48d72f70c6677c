import { open, readdir, realpath, stat } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { isInventoryName } from '../../model/inventory-file.ts'
import { isPlaybookName, looksLikePlaybook, mayHoldPlaybooks, sortPaths } from '../../model/playbook.ts'

/** How much of a file is read to tell whether it is a playbook. */
const readBytes = 256 * 1024
/** A project that nests deeper is no project: a link that leads in a circle, a mounted disk. */
const deepest = 12

/** The real folder of a manual project, or null when there is none, or it lies outside of the projects root. */
export async function projectFolder(root: string, localPath: string): Promise<string | null> {
  if (localPath === '' || localPath.startsWith('.') || /[\\/\0]/.test(localPath)) return null
  try {
    const base = await realpath(root)
    const folder = await realpath(join(base, localPath))
    if (!folder.startsWith(`${base}${sep}`)) return null
    await readdir(folder)
    return folder
  } catch {
    return null
  }
}

/** Names of the folders that a new manual project may take, sorted; none when there is no root. */
export async function projectFolders(root: string, taken: readonly string[]): Promise<string[]> {
  const entries = await readdir(root, { withFileTypes: true }).catch(() => [])
  return entries
    .filter((entry) => entry.isDirectory() && !/^[._]/.test(entry.name) && !taken.includes(entry.name))
    .map((entry) => entry.name)
    .sort()
}

/** Playbooks of a folder as AWX lists them: relative paths, sorted without regard to case. */
export async function listPlaybooks(folder: string): Promise<string[]> {
  const found: string[] = []
  for await (const path of files(folder, '', 0)) {
    const name = path.slice(path.lastIndexOf('/') + 1)
    if (isPlaybookName(name) && looksLikePlaybook(await beginning(join(folder, path)))) found.push(path)
  }
  return sortPaths(found)
}

/** Files of a folder that could be inventories: INI and YAML files, and files without an extension. */
export async function listInventoryFiles(folder: string): Promise<string[]> {
  const found: string[] = []
  for await (const path of files(folder, '', 0)) {
    const name = path.slice(path.lastIndexOf('/') + 1)
    if (!isInventoryName(name)) continue
    if (/\.ya?ml$/i.test(name) && looksLikePlaybook(await beginning(join(folder, path)))) continue
    found.push(path)
  }
  return sortPaths(found)
}

/** Files below a folder by relative path; a link counts where it leads to a file of the same project, and what cannot be read as empty. */
async function* files(root: string, folder: string, depth: number): AsyncGenerator<string> {
  if (depth > deepest || !mayHoldPlaybooks(folder)) return
  for (const entry of await readdir(join(root, folder), { withFileTypes: true }).catch(() => [])) {
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`
    if (entry.isDirectory()) yield* files(root, path, depth + 1)
    else if (entry.isFile() || (entry.isSymbolicLink() && (await leadsToFileOf(root, path)))) yield path
  }
}

async function leadsToFileOf(root: string, path: string): Promise<boolean> {
  try {
    const real = await realpath(join(root, path))
    return real.startsWith(`${root}${sep}`) && (await stat(real)).isFile()
  } catch {
    return false
  }
}

async function beginning(path: string): Promise<string> {
  const file = await open(path)
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(readBytes), 0, readBytes, 0)
    return buffer.toString('utf8', 0, bytesRead)
  } finally {
    await file.close()
  }
}
