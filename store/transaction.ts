import { is } from 'drizzle-orm'
import { PgTransaction } from 'drizzle-orm/pg-core'
import type { Database } from './database.ts'

/**
 * Does the work in a transaction: in that of the caller where there is one, without a savepoint, so that an error of the work has to end it; else in
 * one of its own.
 */
export async function inTransaction<Result>(db: Database, work: (tx: Database) => Promise<Result>): Promise<Result> {
  return is(db, PgTransaction) ? await work(db) : await db.transaction(work)
}
