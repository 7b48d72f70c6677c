import { inventoryData as dataOf, type InventoryStructure, type ScriptOptions } from '../model/inventory-script.ts'
import { parseVariables, pythonJson } from '../model/variables.ts'

/** Variables that do not parse; the message names the object they belong to. */
export class InventoryVariablesError extends Error {
  override name = 'InventoryVariablesError'
}

/** AWX's inventory script data, as `GET /inventories/N/script/` shows it, but for variables that do not parse: InventoryVariablesError. */
export function inventoryData(structure: InventoryStructure, options: ScriptOptions = {}): Record<string, unknown> {
  return dataOf(structure, { ...options, read: readVariables })
}

/** The executable `inventory/hosts` of a run: enabled hosts with all their variables. Throws InventoryVariablesError. */
export function inventoryScript(structure: InventoryStructure, slice?: ScriptOptions['slice']): string {
  const json = pythonJson(inventoryData(structure, { hostvars: true, towervars: true, ...(slice ? { slice } : {}) }))
  // The JSON is ASCII without line ends, so backslashes and quotes are all that a Python literal needs escaped.
  const literal = json.replaceAll('\\', '\\\\').replaceAll("'", "\\'")
  return `#! /usr/bin/env python3\n# -*- coding: utf-8 -*-\nprint('${literal}')\n`
}

/** Most hosts have none, or only YAML's document mark. */
function readVariables(source: string, owner: string): Record<string, unknown> {
  const text = source.trim()
  if (text === '' || text === '---' || text === '{}') return {}
  const parsed = parseVariables(source)
  if (parsed.ok) return parsed.value
  throw new InventoryVariablesError(`The variables of ${owner} cannot be read. ${parsed.message}`)
}
