import { openComposition } from './compose.ts'
import { showGeneratedPassword } from './first-password.ts'
import { createLogger } from './log.ts'
import { readSettings } from './settings.ts'
import { endOfProcess } from './signals.ts'

/** `mayfly migrate`: brings the database to this release and makes its first objects. May be run at any time, by several at once. */
export async function migrateDatabase(): Promise<void> {
  const settings = readSettings(process.env)
  const options = { settings, env: process.env, log: createLogger(settings), migrate: true }
  const { store, generatedPassword } = await openComposition({ ...options, signal: endOfProcess().signal })
  await store.close()
  console.log('The database has the schema of this release.')
  showGeneratedPassword(generatedPassword)
}
