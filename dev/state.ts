/** What is remembered of a stack: its numbers (ports, networks) and its processes, one small JSON file each. */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type StackPaths, stateRoot } from './paths.ts'
import type { Command, Identity } from './process.ts'

/** The numbers of a stack, chosen at its first start and kept, so that its addresses stay the same. */
export interface StackRecord {
  /** Different for all stacks of the machine; networks and the preferred ports follow from it. */
  index: number
  ports: Record<string, number>
  /** The boot of the machine in which the stack was last started; unset after an orderly stop. */
  runningSince?: string
}

/** A process that was started, and how. */
export interface PartRecord {
  identity: Identity
  command: Command
}

/** Writes a file so that a reader sees the old or the new content, never half of it. */
export function writeWhole(file: string, content: string, mode = 0o600): void {
  mkdirSync(dirname(file), { recursive: true })
  const temporary = `${file}.${process.pid}.new`
  writeFileSync(temporary, content, { mode })
  renameSync(temporary, file)
}

/** The text as a stack record; undefined when it is not one (a crash, an older version), which means: choose anew. */
export function parseStackRecord(text: string): StackRecord | undefined {
  const value = parse(text)
  if (!isObject(value) || !Number.isInteger(value.index) || !isObject(value.ports)) return undefined
  if (!Object.values(value.ports).every((port) => Number.isInteger(port))) return undefined
  const runningSince = typeof value.runningSince === 'string' ? { runningSince: value.runningSince } : {}
  return { index: value.index as number, ports: value.ports as Record<string, number>, ...runningSince }
}

/** The text as a part record; undefined when it is not one. */
export function parsePartRecord(text: string): PartRecord | undefined {
  const value = parse(text)
  if (!isObject(value) || !isObject(value.identity) || !isObject(value.command)) return undefined
  const { pid, startTime, bootId } = value.identity
  const { program, args, log } = value.command
  if (!Number.isInteger(pid) || typeof startTime !== 'string' || typeof bootId !== 'string') return undefined
  if (typeof program !== 'string' || !Array.isArray(args) || typeof log !== 'string') return undefined
  return value as unknown as PartRecord
}

/** The stack's record as stored, if any. */
export function readStackRecord(paths: StackPaths): StackRecord | undefined {
  const text = readText(join(paths.state, 'stack.json'))
  return text === undefined ? undefined : parseStackRecord(text)
}

/** Stores the stack's record. */
export function writeStackRecord(paths: StackPaths, record: StackRecord): void {
  writeWhole(join(paths.state, 'stack.json'), `${JSON.stringify(record, null, 2)}\n`)
}

/** The record of one part, if it was started. */
export function readPart(paths: StackPaths, part: string): PartRecord | undefined {
  const text = readText(join(paths.parts, `${part}.json`))
  return text === undefined ? undefined : parsePartRecord(text)
}

/** Stores the record of one part. */
export function writePart(paths: StackPaths, part: string, record: PartRecord): void {
  writeWhole(join(paths.parts, `${part}.json`), `${JSON.stringify(record, null, 2)}\n`)
}

/** Forgets a part that was stopped. */
export function forgetPart(paths: StackPaths, part: string): void {
  rmSync(join(paths.parts, `${part}.json`), { force: true })
}

/** Names of all parts that were started and not stopped. */
export function listParts(paths: StackPaths): string[] {
  if (!existsSync(paths.parts)) return []
  const files = readdirSync(paths.parts).filter((file) => file.endsWith('.json'))
  return files.map((file) => file.slice(0, -'.json'.length)).sort()
}

/** The records of all other stacks of this user, by name. */
export function otherRecords(paths: StackPaths, env?: NodeJS.ProcessEnv): StackRecord[] {
  const root = stateRoot(env)
  const folders = existsSync(root) ? readdirSync(root).map((name) => join(root, name)) : []
  return folders
    .filter((folder) => folder !== paths.state)
    .map((folder) => readText(join(folder, 'stack.json')))
    .map((text) => (text === undefined ? undefined : parseStackRecord(text)))
    .filter((record) => record !== undefined)
}

function readText(file: string): string | undefined {
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
