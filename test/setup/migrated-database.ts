/** A database with this release's schema and nothing in it, from which tests make theirs: to copy it costs a fraction of what the migrations do. */
import { createHash, randomBytes } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import pg from 'pg'
import { openDatabase } from '../../store/database.ts'
import { migrate } from '../../store/migrate.ts'

const migrations = join(import.meta.dirname, '..', '..', 'store', 'migrations')

/** Names what is in the migrations. */
async function fingerprint(): Promise<string> {
  const hash = createHash('sha256')
  const entries = await readdir(migrations, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name))
  for (const file of files.sort()) hash.update(await readFile(file))
  return hash.digest('hex').slice(0, 12)
}

/** Name of that database on the server at this address, made now if no earlier run left it; nobody can connect to it, which would be in the way of copying it. */
export async function migratedDatabase(postgresUrl: string): Promise<string> {
  const name = `mayfly-migrated-${await fingerprint()}`
  const administrator = new pg.Client(postgresUrl)
  await administrator.connect()
  try {
    const isThere = async () =>
      (await administrator.query('SELECT FROM pg_database WHERE datname = $1', [name])).rowCount === 1
    if (await isThere()) return name
    // Under a name that nobody knows until it is whole: another run may be making it, too.
    const making = `${name}-${randomBytes(4).toString('hex')}`
    const [made, wanted] = [pg.escapeIdentifier(making), pg.escapeIdentifier(name)]
    await administrator.query(`CREATE DATABASE ${made} TEMPLATE template0`)
    try {
      await applyMigrations(postgresUrl, making)
      await administrator.query(`ALTER DATABASE ${made} WITH ALLOW_CONNECTIONS false`)
      await administrator.query(`ALTER DATABASE ${made} RENAME TO ${wanted}`)
    } catch (error) {
      await administrator.query(`DROP DATABASE ${made} WITH (FORCE)`)
      if (!(await isThere())) throw error
    }
    return name
  } finally {
    await administrator.end()
  }
}

async function applyMigrations(postgresUrl: string, database: string): Promise<void> {
  const url = new URL(postgresUrl)
  url.pathname = `/${database}`
  const store = await openDatabase(url.href)
  await migrate(store).finally(() => store.close())
}
