import type { Query, SQL } from 'drizzle-orm'
import { PgDialect, type PreparedQueryConfig } from 'drizzle-orm/pg-core'
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

const dialect = new PgDialect({ casing: 'snake_case' })

/** A statement written in SQL, ready to be run with the values of its placeholders. */
export interface PreparedSql<Row> {
  execute(values: Record<string, unknown>): Promise<{ rows: Row[] }>
}

/**
 * As preparedVariants, for what is written in SQL as a whole: built once for the process, also for PGlite's transactions. Cells of its rows are as the driver gives
 * them (see `rowOf` in sql-columns.ts).
 */
export function preparedSql<Shape, Row>(
  name: string,
  key: (shape: Shape) => string,
  build: (shape: Shape) => SQL,
): (db: Database, shape: Shape) => PreparedSql<Row> {
  const known = new Map<string, { query: Query; called: string }>()
  return (db, shape) => {
    const text = key(shape)
    const found = known.get(text) ?? { query: sqlText(build(shape)), called: `${name}_${known.size + 1}` }
    known.set(text, found)
    return db._.session.prepareQuery<PreparedQueryConfig & { execute: { rows: Row[] } }>(
      found.query,
      undefined,
      found.called,
      false,
    )
  }
}

/** The text of a statement as it is sent, with its parameters. */
export function sqlText(statement: SQL): Query {
  return dialect.sqlToQuery(statement)
}
