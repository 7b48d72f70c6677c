/** Makes the embedded database of the first start. */
import { randomBytes } from 'node:crypto'
import { existsSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { run } from '../../dev/run.ts'
import { writeWhole } from '../../dev/state.ts'
import type { Settings } from '../settings.ts'
import { frugalEnvironment, frugalFlags } from './frugal.ts'
import { adminPassword, devFiles } from './record.ts'

/**
 * Makes the database in a folder beside its own and moves it there when it is whole, so that a crash leaves none that cannot be opened. A
 * process of its own makes it, because what that takes (300 MB) would stay in this one. Tells whether the admin's password was made up now.
 */
export async function makeFirstDatabase(name: string, settings: Settings, env: NodeJS.ProcessEnv): Promise<boolean> {
  const folder = settings.databaseUrl.startsWith('pglite://')
    ? settings.databaseUrl.slice('pglite://'.length)
    : 'memory'
  if (folder === 'memory' || existsSync(folder)) return false
  const known = adminPassword(name, env)
  const password = known ?? randomBytes(18).toString('base64url')
  // Stored first: a password that nobody has is worse than one without a database.
  if (!known) writeWhole(devFiles(name).adminPassword, `${password}\n`)
  // A name of our own: the maker that a killed start left behind may still be at work on its draft.
  const draft = `${folder}.new${process.pid}`
  for (const entry of existsSync(dirname(folder)) ? readdirSync(dirname(folder)) : []) {
    if (entry.startsWith(`${basename(folder)}.new`))
      rmSync(join(dirname(folder), entry), { recursive: true, force: true })
  }
  const program = join(import.meta.dirname, '..', 'main.ts')
  await run(process.execPath, [...frugalFlags, program, 'migrate'], {
    env: { ...env, ...frugalEnvironment, MAYFLY_DATABASE_URL: `pglite://${draft}`, MAYFLY_ADMIN_PASSWORD: password },
    seconds: 120,
  })
  renameSync(draft, folder)
  return known === undefined
}
