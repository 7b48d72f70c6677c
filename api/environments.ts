import { globalEnvironment as readGlobal } from '../store/execution-environment.ts'
import type { RequestContext } from './context.ts'

/** How `resolved_environment` shows the execution environment that something would run in. */
export function resolvedEnvironment(environment: Awaited<ReturnType<typeof globalEnvironment>>): {
  resolved_environment?: Record<string, unknown>
} {
  if (!environment) return {}
  const { id, name, description, image } = environment
  return { resolved_environment: { id, name, description, image } }
}

/** The execution environment of whatever names none. Read once a request. */
export async function globalEnvironment(context: RequestContext): ReturnType<typeof readGlobal> {
  const key = 'global execution environment'
  if (!context.cache.has(key)) context.cache.set(key, readGlobal(context.db))
  return await (context.cache.get(key) as ReturnType<typeof readGlobal>)
}
