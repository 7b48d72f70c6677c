import type { Database } from './database.ts'

/**
 * A query that is built once for each connection it runs on (a pool counts as one), and of which the server keeps the plan, because it runs with every
 * job or request: building and planning it costs more than running it. On PGlite, a transaction builds it anew.
 */
export function preparedOn<Query>(build: (db: Database) => Query): (db: Database) => Query {
  const known = new WeakMap<object, Query>()
  return (db) => {
    // A transaction is a new object each time; its session is that of its connection.
    const { session } = db._
    const found = known.get(session) ?? build(db)
    known.set(session, found)
    return found
  }
}
