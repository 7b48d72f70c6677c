/** Where the stack keeps things: one state folder per stack, one cache for everything built. */
import { createHash } from 'node:crypto'
import { homedir } from 'node:os'
import { join } from 'node:path'

/** The folders of one stack. Everything the stack writes lies under one of them. */
export interface StackPaths {
  /** Settings, data, logs and certificates; survives a stop and a restart of the machine. */
  state: string
  /** Sockets, mounts and network leases; short path, because a socket's name may have 107 bytes only. */
  run: string
  /** One JSON file per started process. */
  parts: string
  logs: string
}

/** The folder that holds the state folders of all stacks. */
export function stateRoot(env: NodeJS.ProcessEnv = process.env): string {
  return env.MAYFLY_STATE || join(homedir(), '.local', 'state', 'mayfly')
}

/** The folder that holds what was built; shared by all stacks. */
export function cacheRoot(env: NodeJS.ProcessEnv = process.env): string {
  return env.MAYFLY_CACHE || join(homedir(), '.cache', 'mayfly')
}

/** The folders of the stack called `name`. */
export function stackPaths(name: string, env: NodeJS.ProcessEnv = process.env): StackPaths {
  if (!/^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$/.test(name)) {
    throw new Error(`a stack's name is 1 to 32 of a-z, 0-9 and "-", not ${JSON.stringify(name)}`)
  }
  const state = join(stateRoot(env), name)
  return {
    state,
    run: join('/run/mayfly', createHash('sha256').update(state).digest('hex').slice(0, 8)),
    parts: join(state, 'parts'),
    logs: join(state, 'logs'),
  }
}
