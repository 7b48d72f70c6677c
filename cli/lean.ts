/** How the processes of an installation, `mayfly api` and `mayfly worker`, stay small however much passes through them. */
import { compiledFolder } from './compiled.ts'

/**
 * V8 sizes its heap by the machine: with much memory it lets garbage lie for long, the buffers that output passes through above all. Here: a
 * small nursery in each thread, and a collection as soon as heap and buffers together have grown by half.
 */
export const leanFlags = [
  '--max-semi-space-size=8',
  '--heap-growing-percent=50',
  '--external-memory-accounted-in-global-limit',
]

/** glibc: two arenas instead of eight for each core. Node: with the folder named here, what strips types is not even loaded. */
function leanEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return { MALLOC_ARENA_MAX: '2', NODE_COMPILE_CACHE: compiledFolder(env), ...env }
}

const leanCommands = ['api', 'worker']

/**
 * Becomes the same command again under these flags, with the same process id: neither heap nor allocator can be set once a process runs.
 * Returns where that is done already, or is not for this command. Flags and settings that were given win.
 */
export function becomeLean({ argv, execArgv, env }: Pick<NodeJS.Process, 'argv' | 'execArgv' | 'env'>): void {
  const command = leanArguments(argv, execArgv)
  if (command) process.execve?.(process.execPath, [process.execPath, ...command], leanEnvironment(env))
}

/** Arguments of the Node that is to take over; null when none is. */
export function leanArguments(argv: readonly string[], execArgv: readonly string[]): string[] | null {
  const [, program = '', command = '', ...rest] = argv
  if (!leanCommands.includes(command)) return null
  if (leanFlags.every((flag) => execArgv.includes(flag))) return null
  return [...leanFlags, ...execArgv, program, command, ...rest]
}
