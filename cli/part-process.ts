import { type Composition, openComposition } from './compose.ts'
import { showGeneratedPassword } from './first-password.ts'
import { createLogger } from './log.ts'
import { readSettings } from './settings.ts'
import { type EndOfProcess, endOfProcess } from './signals.ts'

/** Runs one part of Mayfly as a process of its own, on what the environment says; the database is closed when the part has ended. */
export async function runPart(
  migrate: boolean,
  part: (composition: Composition, end: EndOfProcess) => Promise<void>,
): Promise<void> {
  const settings = readSettings(process.env)
  const log = createLogger(settings)
  const end = endOfProcess()
  const composition = await openComposition({ settings, env: process.env, log, migrate, signal: end.signal })
  showGeneratedPassword(composition.generatedPassword)
  try {
    await part(composition, end)
  } finally {
    await composition.store.close()
  }
}
