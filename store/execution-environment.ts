import { eq, sql } from 'drizzle-orm'
import type { Database } from './database.ts'
import { executionEnvironments } from './schema/catalog.ts'

/** The id of the execution environment of whatever names none, within a query: the oldest global one that is not managed; null when there is none. */
export const globalEnvironmentId = sql<number | null>`(
  SELECT id FROM execution_environments WHERE organization_id IS NULL AND NOT managed ORDER BY id LIMIT 1)`

/** That execution environment; undefined when there is none. */
export async function globalEnvironment(db: Database): Promise<typeof executionEnvironments.$inferSelect | undefined> {
  const [row] = await db.select().from(executionEnvironments).where(eq(executionEnvironments.id, globalEnvironmentId))
  return row
}
