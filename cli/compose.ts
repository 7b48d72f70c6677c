/** Puts the rooms together: what every command that opens the database shares. */
import { mkdir } from 'node:fs/promises'
import { setTimeout as pause } from 'node:timers/promises'
import type { Logger } from 'pino'
import { bootstrap, readInstallUuid } from '../store/bootstrap.ts'
import { openDatabase, type Store } from '../store/database.ts'
import { DatabaseUnavailableError } from '../store/errors.ts'
import { IncompatibleSchemaError, isMigrated, migrate } from '../store/migrate.ts'
import { type Keyring, loadKeyring } from '../store/secrets.ts'
import { CommandError } from './errors.ts'
import type { Settings } from './settings.ts'

/** What `openComposition` starts from. */
export interface CompositionOptions {
  settings: Settings
  env: NodeJS.ProcessEnv
  log: Logger
  /** Bring the database to this release's schema and make its first objects; otherwise it must be there. */
  migrate: boolean
  /** Ends the wait for the database. */
  signal: AbortSignal
}

/** What the parts of a process share. */
export interface Composition {
  settings: Settings
  env: NodeJS.ProcessEnv
  log: Logger
  store: Store
  keyring: Keyring
  installUuid: string
  /** The admin's password, when this start made one; to be shown once. */
  generatedPassword: string | undefined
}

/** Opens the database and everything read from it. Throws CommandError, SecretKeyError and what the store throws. */
export async function openComposition(options: CompositionOptions): Promise<Composition> {
  const { settings, env, log } = options
  const keyring = await loadKeyring(env)
  await mkdir(settings.dataFolder, { recursive: true, mode: 0o700 })
  await mkdir(settings.projectsRoot, { recursive: true })
  const store = await openStore(settings, log)
  try {
    await databaseAnswers(store, options)
    const generatedPassword = options.migrate ? await prepareDatabase(store, settings) : undefined
    if (!options.migrate && !(await isMigrated(store))) {
      throw new CommandError(
        'the database does not have the schema of this release',
        'run `mayfly migrate`, or start with --migrate',
      )
    }
    return { settings, env, log, store, keyring, installUuid: await readInstallUuid(store.db), generatedPassword }
  } catch (error) {
    await store.close()
    throw error instanceof IncompatibleSchemaError ? withRemedy(error, store) : error
  }
}

function withRemedy({ message }: IncompatibleSchemaError, { kind }: Store): CommandError {
  return new CommandError(
    message,
    kind === 'pglite'
      ? 'run `mayfly dev --erase`, which removes everything that is stored, and start again'
      : 'give Mayfly a new database (MAYFLY_DATABASE_URL)',
  )
}

/** Brings the database to this release's schema and makes its first objects; gives the admin's password if it made one. */
async function prepareDatabase(store: Store, settings: Settings): Promise<string | undefined> {
  await migrate(store)
  const { adminPassword, defaultImage } = settings
  return (await bootstrap(store, { adminPassword, defaultImage })).generatedPassword
}

/** No statement of ours comes near; a filter that somebody thought up may, and so does whatever waits for a network gone silent. */
const statementTimeoutMs = 60_000
/** By then Temporal has missed a worker's heartbeats as well, and others take up its jobs: the locks of one that is frozen must not keep them. */
const idleTransactionMs = 10_000

/** Opens the database; see openDatabase. */
export async function openStore(settings: Settings, log: Logger): Promise<Store> {
  return await openDatabase(settings.databaseUrl, {
    statementTimeoutMs,
    idleTransactionMs,
    onConnectionLost: (error) => log.warn({ reason: error.message }, 'an idle connection to the database was lost'),
  })
}

/** Waits for the database as long as the settings allow, and says so. */
async function databaseAnswers(store: Store, { settings, log, signal }: CompositionOptions): Promise<void> {
  const end = performance.now() + settings.startupSeconds * 1000
  for (let waitMs = 250; ; waitMs = Math.min(waitMs * 2, 5_000)) {
    try {
      return await store.health()
    } catch (error) {
      if (!(error instanceof DatabaseUnavailableError)) throw error
      if (performance.now() > end) {
        throw new CommandError(`the database does not answer: ${error.message}`, 'look at MAYFLY_DATABASE_URL')
      }
      log.warn({ reason: error.message, retryMs: waitMs }, 'waiting for the database')
      await pause(waitMs, undefined, { signal }).catch(() => signal.throwIfAborted())
    }
  }
}
