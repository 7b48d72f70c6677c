/** Folders that hold parts of playbooks, never playbooks (AWX skips them, too). */
const partFolders = new Set(['roles', 'tasks', 'group_vars', 'host_vars'])

/** A line that begins a play or pulls one in. */
const playLine = /^[^\S\r\n]*(-[^\S\r\n]*)?(hosts|(ansible\.builtin\.)?import_playbook|(ansible\.builtin\.)?include):/m

/** Whether a folder of a project, by its relative path, may hold playbooks or inventories; hidden ones may not. */
export function mayHoldPlaybooks(folder: string): boolean {
  const parts = folder.split('/').filter((part) => part !== '' && part !== '.')
  return parts.every((part) => !partFolders.has(part) && !part.startsWith('.'))
}

/** Whether a file could be a playbook by its name alone; its text decides then. */
export function isPlaybookName(name: string): boolean {
  return /^[^.].*\.ya?ml$/.test(name)
}

/** Whether a text reads like a playbook; an encrypted one could be anything. */
export function looksLikePlaybook(text: string): boolean {
  return text.startsWith('$ANSIBLE_VAULT;') || playLine.test(text)
}

/** Paths as AWX lists them: without regard to case. */
export function sortPaths(paths: string[]): string[] {
  const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)
  return [...paths].sort((a, b) => compare(a.toLowerCase(), b.toLowerCase()) || compare(a, b))
}
