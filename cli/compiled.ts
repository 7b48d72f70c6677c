import { homedir } from 'node:os'
import { join } from 'node:path'

/** Folder in which Node keeps our compiled code. */
export function compiledFolder(env: NodeJS.ProcessEnv): string {
  return join(env.MAYFLY_CACHE || join(homedir(), '.cache', 'mayfly'), 'compiled')
}
