import { parseVariables, pythonJson } from '../model/variables.ts'

/** An inventory as rows; `variables` is YAML or JSON text as the user wrote it. */
export interface InventoryStructure {
  name: string
  variables: string
  hosts: { id: number; name: string; enabled: boolean; variables: string }[]
  groups: { name: string; variables: string; hostIds: number[]; childNames: string[] }[]
}

/** Variables that do not parse; the message names the object they belong to. */
export class InventoryVariablesError extends Error {
  override name = 'InventoryVariablesError'
}

export interface InventoryOptions {
  /** Adds `_meta.hostvars`; a run always wants it. */
  hostvars?: boolean
  /** Adds remote_tower_* and remote_host_* to every host's variables. */
  towervars?: boolean
  /** Shows disabled hosts too. */
  all?: boolean
  /** Deals the enabled hosts, sorted by name, like cards: slice `number` (from 1) of `count`. */
  slice?: { number: number; count: number }
}

/** AWX's inventory script data (GET /inventories/N/script/). Throws InventoryVariablesError. */
export function inventoryData(structure: InventoryStructure, options: InventoryOptions = {}): Record<string, unknown> {
  const hosts = sliceOf(structure.hosts.filter((host) => options.all || host.enabled).sort(byName), options.slice)
  const nameOf = new Map(hosts.map((host) => [host.id, host.name]))
  const groups = [...structure.groups].sort(byName)
  const grouped = new Set(groups.flatMap((group) => group.hostIds))
  const variables = variablesOf(structure.variables, `inventory ${structure.name}`)

  const data: Record<string, unknown> = Object.create(null)
  data.all = {
    ...withVariables(variables),
    hosts: hosts.filter((host) => !grouped.has(host.id)).map((host) => host.name),
    children: groups.map((group) => group.name),
  }
  for (const group of groups) {
    const members = group.hostIds.flatMap((id) => nameOf.get(id) ?? [])
    data[group.name] = {
      ...(members.length > 0 ? { hosts: members } : {}),
      ...(group.childNames.length > 0 ? { children: group.childNames } : {}),
      ...withVariables(variablesOf(group.variables, `group ${group.name}`)),
    }
  }
  if (options.hostvars) {
    const hostvars: Record<string, unknown> = Object.create(null)
    for (const host of hosts) {
      const own = variablesOf(host.variables, `host ${host.name}`)
      hostvars[host.name] = options.towervars ? { ...own, ...towerVariables(host) } : own
    }
    data._meta = { hostvars }
  }
  return data
}

/** The executable `inventory/hosts` of a run: enabled hosts with all their variables. Throws InventoryVariablesError. */
export function inventoryScript(structure: InventoryStructure, slice?: InventoryOptions['slice']): string {
  const json = pythonJson(inventoryData(structure, { hostvars: true, towervars: true, ...(slice ? { slice } : {}) }))
  // The JSON is ASCII without line ends, so backslashes and quotes are all that a Python literal needs escaped.
  const literal = json.replaceAll('\\', '\\\\').replaceAll("'", "\\'")
  return `#! /usr/bin/env python3\n# -*- coding: utf-8 -*-\nprint('${literal}')\n`
}

const byName = (a: { name: string }, b: { name: string }) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0)

function sliceOf<T>(hosts: T[], slice: InventoryOptions['slice']): T[] {
  if (!slice || slice.count <= 1) return hosts
  return hosts.filter((_, index) => index % slice.count === slice.number - 1)
}

/** Most hosts have none, or only YAML's document mark. */
function variablesOf(source: string, owner: string): Record<string, unknown> {
  const text = source.trim()
  if (text === '' || text === '---' || text === '{}') return {}
  const parsed = parseVariables(source)
  if (parsed.ok) return parsed.value
  throw new InventoryVariablesError(`The variables of ${owner} cannot be read. ${parsed.message}`)
}

function withVariables(variables: Record<string, unknown>): { vars?: Record<string, unknown> } {
  return Object.keys(variables).length > 0 ? { vars: variables } : {}
}

function towerVariables(host: { id: number; enabled: boolean }): Record<string, unknown> {
  return {
    remote_tower_enabled: String(host.enabled),
    remote_tower_id: host.id,
    remote_host_enabled: String(host.enabled),
    remote_host_id: host.id,
  }
}
