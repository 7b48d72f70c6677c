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

/**
 * As preparedOn, for a query that comes in a few shapes: `key` says all that decides its text, and `build` is given a name for each.
 */
export function preparedVariants<Shape, Query>(
  name: string,
  key: (shape: Shape) => string,
  build: (db: Database, shape: Shape, name: string) => Query,
): (db: Database, shape: Shape) => Query {
  const known = new WeakMap<object, Map<string, Query>>()
  const names = new Map<string, string>()
  return (db, shape) => {
    const { session } = db._
    const text = key(shape)
    const ofSession = known.get(session) ?? new Map<string, Query>()
    known.set(session, ofSession)
    const called = names.get(text) ?? `${name}_${names.size + 1}`
    names.set(text, called)
    const found = ofSession.get(text) ?? build(db, shape, called)
    ofSession.set(text, found)
    return found
  }
}
