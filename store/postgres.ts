import { pipeline } from 'node:stream/promises'
import { drizzle } from 'drizzle-orm/node-postgres'
import { migrate } from 'drizzle-orm/node-postgres/migrator'
import pg from 'pg'
import { from as copyFrom } from 'pg-copy-streams'
import type { Database, Store, StoreOptions } from './database.ts'
import { within } from './deadline.ts'
import { DatabaseUnavailableError, lostConnection, translate } from './errors.ts'
import { createPostgresListener } from './postgres-listener.ts'

/** Key of the advisory lock under which migrations run; any constant that nobody else uses in this database. */
export const migrationLock = 7205759403792793n

/** How much longer than in the server a statement may take seen from here. */
const silenceMs = 5_000

/** Opens a pool on a PostgreSQL server; see openDatabase. */
export function openPostgres(url: string, options: StoreOptions): Store {
  const connectTimeoutMs = options.connectTimeoutMs ?? 5_000
  const connection: pg.ClientConfig = {
    connectionString: url,
    application_name: 'mayfly',
    connectionTimeoutMillis: connectTimeoutMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
  }
  const { statementTimeoutMs, idleTransactionMs } = options
  const pool = new pg.Pool({
    ...connection,
    ...(statementTimeoutMs ? { query_timeout: statementTimeoutMs + silenceMs } : {}),
    max: options.poolMax ?? 10,
    idleTimeoutMillis: 60_000,
    onConnect: async (client) => {
      // Not in the start-up packet: poolers in between refuse parameters there.
      await client.query(`SET TIME ZONE 'UTC'; SET statement_timeout = ${statementTimeoutMs ?? 0};
        SET idle_in_transaction_session_timeout = ${idleTransactionMs ?? 0}`)
    },
  })
  // Without a listener a server that restarts would end this process: idle connections report their loss here.
  pool.on('error', (error) => options.onConnectionLost?.(lostConnection(error)))
  const listener = createPostgresListener(connection, options)
  const db = drizzle({ client: pool, casing: 'snake_case' }) as unknown as Database
  db.transaction = transactionsOn(pool)

  return {
    kind: 'postgres',
    db,
    listen: listener.listen,
    async health() {
      await withClient(pool, (client) => within(connectTimeoutMs, client.query('SELECT 1')))
    },
    async copyTransaction(work) {
      return await withClient(pool, (client) =>
        databaseOn(client).transaction((tx) =>
          work(tx, async (table, columns, rows) => {
            try {
              const pieces = Buffer.isBuffer(rows) ? [rows] : rows
              await pipeline(pieces, client.query(copyFrom(`COPY ${table} (${columns.join(', ')}) FROM STDIN`)))
            } catch (error) {
              throw translate(error, `COPY ${table}`)
            }
          }),
        ),
      )
    },
    async applyMigrations(folder) {
      // A connection of its own, which takes the time it needs and gives the lock back with its end.
      const client = new pg.Client(connection)
      // While it works, its loss is told by the statement that fails.
      client.on('error', () => {})
      try {
        await client.connect()
        await client.query(`SELECT pg_advisory_lock(${migrationLock})`)
        await migrate(drizzle({ client, casing: 'snake_case' }), { migrationsFolder: folder })
      } catch (error) {
        throw translate(error)
      } finally {
        await client.end()
      }
    },
    async close() {
      await listener.close()
      await pool.end()
    },
  }
}

/**
 * Drizzle's own pool transaction never gives a connection back when BEGIN fails, so a server restart would use the pool up. This one
 * always gives it back, and throws it away when it broke.
 */
function transactionsOn(pool: pg.Pool): Database['transaction'] {
  return (work, config) => withClient(pool, (client) => databaseOn(client).transaction(work, config))
}

const databases = new WeakMap<pg.PoolClient, Database>()

function databaseOn(client: pg.PoolClient): Database {
  let database = databases.get(client)
  if (!database) {
    database = drizzle({ client, casing: 'snake_case' }) as unknown as Database
    databases.set(client, database)
  }
  return database
}

async function withClient<T>(pool: pg.Pool, work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
  let client: pg.PoolClient
  try {
    client = await pool.connect()
  } catch (error) {
    throw translate(error)
  }
  // While it is out of the pool, a client reports its loss to us; the query that runs fails as well and tells the caller.
  const ignore = () => {}
  client.on('error', ignore)
  let broken = false
  try {
    return await work(client)
  } catch (error) {
    const translated = translate(error)
    broken = translated instanceof DatabaseUnavailableError
    throw translated
  } finally {
    client.off('error', ignore)
    client.release(broken)
  }
}
