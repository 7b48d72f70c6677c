import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'drizzle-orm'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openDatabase, type Store } from './database.ts'
import { IncompatibleSchemaError, isMigrated, migrate } from './migrate.ts'
import { type StoreKind, storeKinds, testDatabaseUrl } from './testing.ts'
import { testPglite } from './testing-pglite.ts'

/** Columns that a migration gave another name; every other one of the first release stays. */
const renamed: Record<string, string> = { 'outbox.job_id': 'subject_id' }

let first: string
beforeAll(async () => {
  first = await mkdtemp(join(tmpdir(), 'mayfly-migrations-'))
  await keepMigrations(first, (entries) => entries.slice(0, 1))
})
afterAll(() => rm(first, { recursive: true }))

/** A copy of the migrations in which the journal names only those that are kept. */
async function keepMigrations(folder: string, keep: (entries: { when: number }[]) => { when: number }[]) {
  await cp(new URL('./migrations', import.meta.url), folder, { recursive: true })
  const file = join(folder, 'meta', '_journal.json')
  const journal = JSON.parse(await readFile(file, 'utf8'))
  await writeFile(file, JSON.stringify({ ...journal, entries: keep(journal.entries) }))
}

const empty = async (kind: StoreKind): Promise<Store> =>
  kind === 'pglite'
    ? await testPglite({ migrated: false })
    : await openDatabase(await testDatabaseUrl({ migrated: false }))

interface Column extends Record<string, unknown> {
  table: string
  column: string
  type: string
}

async function columnsOf(store: Store): Promise<Column[]> {
  const { rows } = await store.db.execute<Column>(sql`
    SELECT c.table_name AS table, c.column_name AS column, c.data_type AS type FROM information_schema.columns c
    JOIN information_schema.tables t USING (table_schema, table_name)
    WHERE c.table_schema = 'public' AND t.table_type = 'BASE TABLE' ORDER BY c.table_name, c.ordinal_position`)
  return rows
}

/** One row in every table, a value in every column; all numbers are 1, so that whatever refers to a row refers to one that is there. */
async function fill(store: Store, columns: Column[]): Promise<void> {
  const value = ({ column, type }: Column) => {
    if (/^(integer|bigint|double|smallint|numeric|real)/.test(type)) return '1'
    if (/^json/.test(type)) return `'{"kept": "${column}"}'`
    if (/^timestamp/.test(type)) return `'2026-01-02 03:04:05.678901Z'`
    if (type === 'boolean') return 'true'
    if (type === 'bytea') return `'\\x00ff80'`
    return `'kept ${column}'`
  }
  await store.db.transaction(async (tx) => {
    await tx.execute(sql`SET LOCAL session_replication_role = replica`)
    for (const [table, of] of Object.entries(Object.groupBy(columns, ({ table }) => table))) {
      const names = of?.map(({ column }) => `"${column}"`).join()
      const values = of?.map(value).join()
      await tx.execute(sql.raw(`INSERT INTO "${table}" (${names}) OVERRIDING SYSTEM VALUE VALUES (${values})`))
    }
  })
}

async function contents(store: Store, tables: Iterable<string>): Promise<Map<string, Record<string, unknown>[]>> {
  const found = new Map<string, Record<string, unknown>[]>()
  for (const table of tables) {
    const { rows } = await store.db.execute<{ row: Record<string, unknown> }>(
      sql.raw(`SELECT to_jsonb(t) AS row FROM "${table}" t`),
    )
    found.set(
      table,
      rows.map(({ row }) => row),
    )
  }
  return found
}

describe.each(storeKinds)('a database of the first migration on %s', (kind) => {
  test('becomes one of this release with every row and every value', async () => {
    const store = await empty(kind)
    await store.applyMigrations(first)
    expect(await isMigrated(store)).toBe(false)
    const columns = await columnsOf(store)
    await fill(store, columns)
    const tables = new Set(columns.map(({ table }) => table))
    const before = await contents(store, tables)
    expect(tables.size).toBe(29)

    await migrate(store)
    expect(await isMigrated(store)).toBe(true)
    const after = await contents(store, tables)
    for (const [table, rows] of before) {
      const kept = rows.map((row) =>
        Object.fromEntries(
          Object.entries(row).map(([column, value]) => [renamed[`${table}.${column}`] ?? column, value]),
        ),
      )
      expect(after.get(table), table).toEqual(kept.map((row) => expect.objectContaining(row)))
    }
    await store.close()
  })
})

test('a database of before the first migration is refused in words, and left as it is', async () => {
  const store = await empty('postgres')
  const older = await mkdtemp(join(tmpdir(), 'mayfly-migrations-'))
  await keepMigrations(older, (entries) => entries.slice(0, 1).map((entry) => ({ ...entry, when: entry.when - 1 })))
  await store.applyMigrations(older)
  await rm(older, { recursive: true })
  const before = await columnsOf(store)
  for (const look of [migrate, isMigrated]) {
    await expect(look(store)).rejects.toThrow(IncompatibleSchemaError)
    await expect(look(store)).rejects.toThrow(/made by another version of Mayfly/)
  }
  expect(await columnsOf(store)).toEqual(before)
  await store.close()
})

test('one that lacks our first migration is refused as well; one of a newer release is not', async () => {
  const store = await empty('postgres')
  await migrate(store)
  await store.db.execute(sql`INSERT INTO drizzle.__drizzle_migrations (hash, created_at)
    VALUES ('of a newer release', ${Date.now() + 1e9}::bigint)`)
  expect(await isMigrated(store)).toBe(true)
  await migrate(store)
  await store.db.execute(sql`DELETE FROM drizzle.__drizzle_migrations WHERE hash <> 'of a newer release'`)
  await expect(migrate(store)).rejects.toThrow(/lacks the migration of/)
  await store.close()
})
