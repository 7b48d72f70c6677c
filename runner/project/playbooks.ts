import { open, readdir, realpath } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { isPlaybookName, looksLikePlaybook, mayHoldPlaybooks, sortPaths } from '../../model/playbook.ts'

/** As much of a file as is looked at, in bytes: a play's first keys stand near the top. */
const mostRead = 1024 * 1024

/**
 * Paths of the files in a project that look like playbooks, as AWX lists them: relative, sorted without regard to case. Links to folders are not
 * followed, hidden files are left out, and a folder that cannot be read counts as empty.
 */
export async function listPlaybooks(folder: string): Promise<string[]> {
  const root = await realpath(folder).catch(() => folder)
  return sortPaths(await below(root, ''))
}

async function below(root: string, relative: string): Promise<string[]> {
  const entries = await readdir(join(root, relative), { withFileTypes: true }).catch(() => [])
  const found: string[] = []
  for (const entry of entries) {
    if (entry.name.startsWith('.')) continue
    const path = relative === '' ? entry.name : `${relative}/${entry.name}`
    if (entry.isDirectory()) {
      if (mayHoldPlaybooks(path)) found.push(...(await below(root, path)))
    } else if (isPlaybookName(entry.name) && (await couldBePlaybook(root, path))) {
      found.push(path)
    }
  }
  return found
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
