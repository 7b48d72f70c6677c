import { and, asc, eq, isNull } from 'drizzle-orm'
import type { Database } from './database.ts'
import { executionEnvironments } from './schema/catalog.ts'

/** The execution environment of whatever names none: the oldest global one that is not managed; undefined when there is none. */
export async function globalEnvironment(db: Database): Promise<typeof executionEnvironments.$inferSelect | undefined> {
  const [row] = await db
    .select()
    .from(executionEnvironments)
    .where(and(isNull(executionEnvironments.organizationId), eq(executionEnvironments.managed, false)))
    .orderBy(asc(executionEnvironments.id))
    .limit(1)
  return row
}
