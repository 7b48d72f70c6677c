/** Starts, reuses, restarts and stops one part of a stack. */

import { rmSync } from 'node:fs'
import { partHealthy } from './health.ts'
import type { StackPaths } from './paths.ts'
import { alive, type Command, end, findProcesses, launch, signal, workFolder } from './process.ts'
import { forgetPart, readPart, type StackRecord, writePart } from './state.ts'
import { until } from './wait.ts'

/** A stack as the functions of this room see it. */
export interface Stack {
  name: string
  paths: StackPaths
  record: StackRecord
}

/** How long a part may take to answer. */
const patience: Record<string, number> = { 'kube-apiserver': 300, temporal: 240 }

/** Makes sure that a part runs with this command and is healthy; gives whether it had to be started. */
export async function ensurePart(stack: Stack, part: string, command: Command): Promise<boolean> {
  const known = readPart(stack.paths, part)
  if (known && alive(known.identity)) {
    const unchanged = JSON.stringify(known.command) === JSON.stringify(command)
    if (unchanged && (await answersSoon(stack, part))) return false
    await end(known.identity)
  }
  await startPart(stack, part, command)
  return true
}

async function answersSoon(stack: Stack, part: string): Promise<boolean> {
  const wait = { what: `${part} to answer`, seconds: 30 }
  return until(wait, () => partHealthy(part, stack.paths, stack.record)).catch(() => false)
}

async function startPart(stack: Stack, part: string, command: Command): Promise<void> {
  if (command.workFolder) await deserted(command.workFolder)
  if (command.lockFile) rmSync(command.lockFile, { force: true })
  const identity = await launch(command)
  // Stored before it is healthy: if we die now, the next start still knows whom to stop.
  writePart(stack.paths, part, { identity, command })
  const giveUp = (): void => {
    if (!alive(identity)) throw new Error(`${part} ended while starting; see ${command.log}`)
  }
  const wait = { what: `${part} to become healthy`, seconds: patience[part] ?? 180, log: command.log, giveUp }
  await until(wait, () => partHealthy(part, stack.paths, stack.record))
}

/** PostgreSQL's children outlive their killed parent for a moment, and a new server refuses to start beside them. */
async function deserted(folder: string): Promise<void> {
  const inside = (_: string[], pid: number): boolean => workFolder(pid) === folder
  await until(
    { what: `the last processes in ${folder} to end`, seconds: 120 },
    () => findProcesses(inside).length === 0,
  )
}

/** Ends a part with `name` (if it still runs) and starts it again exactly as it was. */
export async function restart(stack: Stack, part: string, name: NodeJS.Signals): Promise<void> {
  const known = readPart(stack.paths, part)
  if (!known) throw new Error(`the stack ${stack.name} has not started ${part}`)
  signal(known.identity, name)
  const wait = { what: `${part} (pid ${known.identity.pid}) to end after ${name}`, seconds: 120, everyMs: 10 }
  await until(wait, () => !alive(known.identity))
  await startPart(stack, part, known.command)
}

/** Stops a part if we started it, and forgets it. */
export async function stopPart(stack: Pick<Stack, 'paths'>, part: string, gentle?: NodeJS.Signals): Promise<void> {
  const known = readPart(stack.paths, part)
  if (known) await end(known.identity, gentle)
  forgetPart(stack.paths, part)
}

/** Whether the recorded process of a part lives. */
export function partLives(stack: Pick<Stack, 'paths'>, part: string): boolean {
  return alive(readPart(stack.paths, part)?.identity)
}
