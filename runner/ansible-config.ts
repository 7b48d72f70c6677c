import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

/** Search paths that a project's own ansible.cfg sets; empty where it sets none. */
export interface ConfiguredPaths {
  roles: string[]
  collections: string[]
}

/** Reads `roles_path` and `collections_path(s)` of a project's ansible.cfg, because the environment that we set would hide them. */
export async function readConfiguredPaths(projectFolder: string): Promise<ConfiguredPaths> {
  let text = ''
  try {
    text = await readFile(join(projectFolder, 'ansible.cfg'), 'utf8')
  } catch {
    // Most projects have none, and one that cannot be read is Ansible's to complain about.
  }
  const defaults = readDefaults(text)
  return {
    roles: paths(defaults.get('roles_path')),
    collections: paths(defaults.get('collections_path') ?? defaults.get('collections_paths')),
  }
}

function readDefaults(text: string): Map<string, string> {
  const values = new Map<string, string>()
  let section = ''
  for (const line of text.split(/\r?\n/)) {
    const header = /^\[(.+)\]/.exec(line)
    if (header) section = header[1] ?? ''
    const pair = /^([a-z_]+)\s*[=:]\s*(.*?)\s*(\s;.*)?$/.exec(line)
    if (section === 'defaults' && pair) values.set(pair[1] ?? '', pair[2] ?? '')
  }
  return values
}

const paths = (value = '') => value.split(':').filter((path) => path !== '')
