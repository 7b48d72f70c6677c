import { exactText, readExactJson, writeExactJson } from '../../model/exact-json.ts'
import type { SourcedGroup, SourcedHost, SourcedInventory } from '../../model/sourced-inventory.ts'
import { isMapping, type Variables } from '../../model/variables.ts'
import { filterHosts } from './host-filter.ts'

/** What `ansible-inventory --list --export` printed is no inventory; the message says where. */
export class InventoryOutputError extends Error {
  override name = 'InventoryOutputError'
}

/** How hosts are read; paths such as `status.power,state` name alternatives. */
export interface ReadOptions {
  enabledVar: string
  enabledValue: string
  instanceIdVar: string
  /** Python pattern that names must begin with; '' lets all through. */
  hostFilter: string
  /** Variables that are ours and say nothing of the host itself. */
  dropped?: readonly string[]
}

/** Groups that every inventory has without being told. */
const implied = new Set(['all', 'ungrouped'])

/** Reads the output, AWX's way of enabling, naming and filtering hosts included. Throws InventoryOutputError and HostFilterError. */
export function readInventoryOutput(text: string, options: ReadOptions): SourcedInventory {
  const data = parse(text)
  const meta = mapping(data._meta ?? {}, '_meta')
  const hostvars = mapping(meta.hostvars ?? {}, '_meta.hostvars')
  const entries = Object.entries(data).filter(([name]) => name !== '_meta')
  const told = entries.map(([name, value]) => groupOf(name, value))
  const names = [...new Set([...told.flatMap((group) => group.hosts), ...Object.keys(hostvars)])]
  const wanted = filterHosts(options.hostFilter, names)
  const groups = told
    .filter(({ name }) => !implied.has(name))
    .map((group) => ({ ...group, hosts: group.hosts.filter((name) => wanted.has(name)) }))
  const known = new Set(groups.map(({ name }) => name))
  const empty = told
    .flatMap(({ children }) => children)
    .filter((name) => !known.has(name) && !implied.has(name) && known.add(name))
    .map((name) => ({ name, variables: {}, hosts: [], children: [] }))
  return {
    variables: told.find(({ name }) => name === 'all')?.variables ?? {},
    hosts: [...wanted].map((name) => hostOf(name, mapping(hostvars[name] ?? {}, `_meta.hostvars.${name}`), options)),
    groups: [...groups, ...empty].map((group) => ({
      ...group,
      children: group.children.filter((name) => !implied.has(name)),
    })),
  }
}

function parse(text: string): Variables {
  try {
    return mapping(readExactJson(text), 'The output')
  } catch (error) {
    if (error instanceof InventoryOutputError) throw error
    throw new InventoryOutputError(`The output is not JSON: ${error instanceof Error ? error.message : String(error)}`)
  }
}

function groupOf(name: string, value: unknown): SourcedGroup {
  const group = Array.isArray(value) ? { hosts: value } : mapping(value, name)
  return {
    name,
    variables: mapping(group.vars ?? {}, `${name}.vars`),
    hosts: [...new Set(listOfTexts(group.hosts ?? [], `${name}.hosts`))],
    children: [...new Set(listOfTexts(group.children ?? [], `${name}.children`))],
  }
}

function hostOf(name: string, all: Variables, options: ReadOptions): SourcedHost {
  const { dropped = [] } = options
  const enabled = lookup(all, options.enabledVar)
  const instanceId = lookup(all, options.instanceIdVar)
  const variables =
    dropped.length === 0 ? all : Object.fromEntries(Object.entries(all).filter(([key]) => !dropped.includes(key)))
  return {
    name,
    variables,
    enabled: enabled === undefined ? null : isEnabled(enabled, options.enabledValue),
    instanceId: instanceId === undefined || instanceId === null ? '' : exactText(instanceId),
  }
}

function isEnabled(value: unknown, enabledValue: string): boolean {
  return enabledValue === '' ? Boolean(value) : exactText(value) === enabledValue
}

/** The first of the alternatives that leads anywhere; a name with dots in it wins over a way through mappings. */
function lookup(variables: Variables, paths: string): unknown {
  for (const path of paths.split(',').map((one) => one.trim())) {
    if (path === '') continue
    if (Object.hasOwn(variables, path)) return variables[path]
    let value: unknown = variables
    for (const key of path.split('.')) {
      value = isMapping(value) && Object.hasOwn(value, key) ? value[key] : undefined
    }
    if (value !== undefined) return value
  }
  return undefined
}

function mapping(value: unknown, where: string): Variables {
  if (isMapping(value)) return value
  throw new InventoryOutputError(`${where} is not a mapping, but ${writeExactJson(value).slice(0, 100)}`)
}

function listOfTexts(value: unknown, where: string): string[] {
  if (Array.isArray(value) && value.every((item) => typeof item === 'string' && item !== '')) return value
  throw new InventoryOutputError(`${where} is not a list of names, but ${writeExactJson(value).slice(0, 100)}`)
}
