import { type SQL, sql } from 'drizzle-orm'

/**
 * A subquery as a value of a select. Drizzle leaves table names out of the values of a select from one table, which would make
 * `other.id = this.id` compare a column with itself; it does not look into nested SQL, so this keeps them.
 */
export function subselect<T>(query: SQL): SQL<T> {
  return sql<T>`${query}`
}
