import { globalEnvironment as readGlobal } from '../store/execution-environment.ts'
import type { RequestContext } from './context.ts'

/** The execution environment of whatever names none. Read once a request. */
export async function globalEnvironment(context: RequestContext): ReturnType<typeof readGlobal> {
  const key = 'global execution environment'
  if (!context.cache.has(key)) context.cache.set(key, readGlobal(context.db))
  return await (context.cache.get(key) as ReturnType<typeof readGlobal>)
}
