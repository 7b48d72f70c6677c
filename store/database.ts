import type { PgDatabase, PgQueryResultHKT } from 'drizzle-orm/pg-core'
import { keepValuesOutOfErrors } from './errors.ts'
import { openPglite } from './pglite.ts'
import { openPostgres } from './postgres.ts'

/** What both drivers answer to `db.execute(sql…)`. */
interface Rows<Row> {
  rows: Row[]
}

/** Results as both drivers give them. */
export interface StoreQueryResult extends PgQueryResultHKT {
  type: Rows<this['row']>
}

/** A connection pool or a transaction: everything in this room takes either. */
export type Database = PgDatabase<StoreQueryResult>

/** Called with the payload of a notification, or with `null` after a lost connection came back: something may have been missed. */
export type NotificationListener = (payload: string | null) => void

/** Loads rows in COPY's text format, in one piece or several, into a table's columns (SQL names). */
export type CopyIn = (table: string, columns: readonly string[], rows: Buffer | readonly Buffer[]) => Promise<void>

/** The database, whichever of the two it is. */
export interface Store {
  readonly kind: 'postgres' | 'pglite'
  /**
   * Timestamps come as text in UTC (see toWireTime). Within `db.transaction(tx => …)` use only `tx`: PGlite has one connection, so `db`
   * would wait for the transaction's own end.
   */
  readonly db: Database
  /** Resolves once notifications of the channel are received; the returned function ends it. Survives lost connections. */
  listen(channel: string, callback: NotificationListener): Promise<() => Promise<void>>
  /** Resolves when the database answers, within bounded time; else throws DatabaseUnavailableError. */
  health(): Promise<void>
  /** A transaction that can also load rows by COPY, the fastest way in. Nested `tx.transaction` is not available in it. */
  copyTransaction<T>(work: (tx: Database, copyIn: CopyIn) => Promise<T>): Promise<T>
  /** Applies the migrations of a folder that are missing; safe when several processes do it at once. Use `migrate(store)`. */
  applyMigrations(folder: string): Promise<void>
  close(): Promise<void>
}

/** How a store is opened. */
export interface StoreOptions {
  /** Connections at most (PostgreSQL only). */
  poolMax?: number
  /** How long to wait for a connection before DatabaseUnavailableError. */
  connectTimeoutMs?: number
  /**
   * How long a statement may take, migrations excepted, before DatabaseUnavailableError (PostgreSQL only); default: no limit. It is ended in
   * the server, and where even that is not heard of, because the network went silent, the connection is given up a little later.
   */
  statementTimeoutMs?: number
  /**
   * How long a transaction may be idle between its statements before the server ends it (PostgreSQL only), which its next statement tells as
   * DatabaseUnavailableError; default: no limit. It is what lets go the locks of a process that is frozen, or whose machine is gone without a word.
   */
  idleTransactionMs?: number
  /** Told of connections that broke while idle, which is no failure of any caller; for logs. */
  onConnectionLost?: (error: Error) => void
}

keepValuesOutOfErrors()

/**
 * Opens the database: `postgres://…` (a server), `pglite://<folder>` (embedded, kept in the folder; one process at a time) or
 * `pglite://memory`. Does not migrate. PostgreSQL is first contacted by the first query.
 */
export async function openDatabase(url: string, options: StoreOptions = {}): Promise<Store> {
  if (/^postgres(ql)?:\/\//.test(url)) return openPostgres(url, options)
  if (url.startsWith('pglite://')) return openPglite(url.slice('pglite://'.length))
  throw new TypeError('database URL must begin with postgres:// or pglite://')
}
