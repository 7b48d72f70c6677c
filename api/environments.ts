import { and, asc, eq, isNull } from 'drizzle-orm'
import { executionEnvironments } from '../store/schema/catalog.ts'
import type { RequestContext } from './context.ts'

/** The execution environment of whatever names none: the oldest global one that is not managed (awx.md §2.12). Read once a request. */
export async function globalEnvironment(
  context: RequestContext,
): Promise<typeof executionEnvironments.$inferSelect | undefined> {
  const key = 'global execution environment'
  if (!context.cache.has(key)) {
    const found = context.db
      .select()
      .from(executionEnvironments)
      .where(and(isNull(executionEnvironments.organizationId), eq(executionEnvironments.managed, false)))
      .orderBy(asc(executionEnvironments.id))
      .limit(1)
      .then((rows) => rows[0])
    context.cache.set(key, found)
  }
  return await (context.cache.get(key) as Promise<typeof executionEnvironments.$inferSelect | undefined>)
}
