import { open, readdir, realpath } from 'node:fs/promises'
import { join, sep } from 'node:path'

/** Folders whose YAML files are never playbooks. */
const skipped = new Set(['roles', 'tasks', 'group_vars', 'host_vars'])

/** A line that only a playbook has, at the beginning of a list item. */
const playLine = /^\s*-?\s*(hosts|(ansible\.builtin\.)?include|(ansible\.builtin\.)?import_playbook):/m
const vaultHeader = /^\$ANSIBLE_VAULT;/

/** As much of a file as is looked at, in bytes: a play's first keys stand near the top. */
const mostRead = 1024 * 1024

/**
 * Paths of the files in a project that look like playbooks, as AWX lists them: relative, sorted without regard to case. Links to folders are not
 * followed, hidden files are left out, and a folder that cannot be read counts as empty.
 */
export async function listPlaybooks(folder: string): Promise<string[]> {
  const root = await realpath(folder).catch(() => folder)
  const found = await below(root, '')
  return found.sort((a, b) => compare(a.toLowerCase(), b.toLowerCase()) || compare(a, b))
}

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)

async function below(root: string, relative: string): Promise<string[]> {
  const entries = await readdir(join(root, relative), { withFileTypes: true }).catch(() => [])
  const found: string[] = []
  for (const entry of entries) {
    if (entry.name.startsWith('.')) continue
    const path = relative === '' ? entry.name : `${relative}/${entry.name}`
    if (entry.isDirectory()) {
      if (!skipped.has(entry.name)) found.push(...(await below(root, path)))
    } else if (/\.ya?ml$/.test(entry.name) && (await couldBePlaybook(root, path))) {
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
    const text = await readBeginning(real)
    return playLine.test(text) || vaultHeader.test(text)
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
