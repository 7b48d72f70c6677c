import { storedVariables, type Variables } from './variables.ts'

/** An inventory as rows; `variables` is YAML or JSON text as the user wrote it. */
export interface InventoryStructure {
  name?: string
  variables: string
  hosts: ScriptHost[]
  /** `hostIds` and `childNames` in the order in which they were attached. */
  groups: { name: string; variables: string; hostIds: number[]; childNames: string[] }[]
}

/** A host of it. */
export interface ScriptHost {
  id: number
  name: string
  enabled: boolean
  variables: string
}

/** What the script shows. */
export interface ScriptOptions {
  /** Adds `_meta.hostvars`. */
  hostvars?: boolean
  /** Adds to hostvars the ids by which host results are mapped back to hosts. */
  towervars?: boolean
  /** Also disabled hosts. */
  all?: boolean
  /** Deals the hosts, sorted by name, like cards: slice `number` (1-based) of `count`. */
  slice?: { number: number; count: number }
  /** Reads the variables of `owner` (`host web1`); may throw. Default: what does not parse counts as none. */
  read?: (source: string, owner: string) => Variables
}

/** Ansible's inventory script JSON, key for key as AWX writes it. */
export function inventoryData(source: InventoryStructure, options: ScriptOptions = {}): Variables {
  const hosts = chooseHosts(source.hosts, options)
  const hostNames = new Map(hosts.map((host) => [host.id, host.name]))
  const groups = [...source.groups].sort(byName)
  const grouped = new Set(groups.flatMap((group) => group.hostIds))

  const read = options.read ?? storedVariables
  const inventoryVariables = read(source.variables, `inventory ${source.name ?? ''}`)
  // Without a prototype, so that a group may be called `__proto__`.
  const script: Variables = Object.assign(Object.create(null), {
    all: {
      ...withKey('vars', inventoryVariables),
      hosts: hosts.filter((host) => !grouped.has(host.id)).map((host) => host.name),
      ...(groups.length > 0 ? { children: groups.map((group) => group.name) } : {}),
    },
  })
  for (const group of groups) {
    const members = group.hostIds.flatMap((id) => hostNames.get(id) ?? [])
    const written = {
      ...withKey('hosts', members),
      ...withKey('children', group.childNames),
      ...withKey('vars', read(group.variables, `group ${group.name}`)),
    }
    if (Object.keys(written).length > 0) script[group.name] = written
  }
  if (options.hostvars) {
    script._meta = { hostvars: Object.fromEntries(hosts.map((host) => [host.name, hostVariables(host, options)])) }
  }
  return script
}

/** Variables of one host, what `?host=NAME` answers. */
export function hostVariables(host: ScriptHost, options: ScriptOptions = {}): Variables {
  const variables = (options.read ?? storedVariables)(host.variables, `host ${host.name}`)
  if (!options.towervars) return variables
  const enabled = host.enabled ? 'true' : 'false'
  return {
    ...variables,
    remote_host_enabled: enabled,
    remote_host_id: host.id,
    remote_tower_enabled: enabled,
    remote_tower_id: host.id,
  }
}

/** Reads `subset=slice2of5`; null when it is something else. */
export function readSlice(subset: string): { number: number; count: number } | null {
  const match = /^slice(\d+)of(\d+)$/.exec(subset)
  if (!match) return null
  const slice = { number: Number(match[1]), count: Number(match[2]) }
  return slice.number >= 1 && slice.number <= slice.count ? slice : null
}

/** Enabled hosts sorted by name; a slice takes every count-th, so that the cut does not depend on ids. */
function chooseHosts(all: ScriptHost[], options: ScriptOptions): ScriptHost[] {
  const hosts = all.filter((host) => options.all || host.enabled).sort(byName)
  const { slice } = options
  // A job that is not a slice has the number 0, whatever count its template says.
  const isSlice = slice && slice.count > 1 && slice.number > 0
  return isSlice ? hosts.filter((_, index) => index % slice.count === slice.number - 1) : hosts
}

const byName = (a: { name: string }, b: { name: string }) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0)

/** AWX leaves out what is empty. */
const withKey = (key: string, value: object): Variables => (Object.keys(value).length > 0 ? { [key]: value } : {})
