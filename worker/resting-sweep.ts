import type { Logger } from 'pino'
import type { Database } from '../store/database.ts'
import { wakeTurns } from '../store/wake-turns.ts'
import { Sweep } from './sweep.ts'

/** How often it is looked whether a job rests although it is its turn. */
const sweepMs = 5_000

/** Looks now and then for jobs of templates that allow one at a time whose turn it is, and that nobody woke. */
export function restingSweep(db: Database, log: Logger): Sweep {
  const look = async () => void (await wakeTurns(db))
  return new Sweep({ everyMs: sweepMs, look, failed: 'jobs whose turn it is could not be looked for', log })
}
