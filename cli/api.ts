import { startApiPart } from './api-part.ts'
import { openComposition } from './compose.ts'
import { showGeneratedPassword } from './first-password.ts'
import { createLogger } from './log.ts'
import { readSettings } from './settings.ts'
import { endOfProcess } from './signals.ts'

/** `mayfly api`: serves HTTP until the process is asked to end. Needs the database; Temporal may be away. */
export async function api(migrate: boolean): Promise<void> {
  const settings = readSettings(process.env)
  const log = createLogger(settings)
  const end = endOfProcess()
  const composition = await openComposition({ settings, env: process.env, log, migrate, signal: end.signal })
  showGeneratedPassword(composition.generatedPassword)
  try {
    const server = await startApiPart(composition)
    log.info({ signal: await end.asked }, 'ending')
    await server.close()
  } finally {
    await composition.store.close()
  }
}
