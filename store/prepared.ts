import type { Database } from './database.ts'

/**
 * A query that is built once for each pool it runs on, and of which the server keeps the plan, because it runs with every request: building and
 * planning it costs more than running it. In a transaction it is built anew.
 */
export function preparedOn<Query>(build: (db: Database) => Query): (db: Database) => Query {
  const known = new WeakMap<Database, Query>()
  return (db) => {
    const found = known.get(db) ?? build(db)
    known.set(db, found)
    return found
  }
}
