import type { Logger } from 'pino'
import type { Database } from '../store/database.ts'
import { raiseStarved } from '../store/raise-starved.ts'
import { Sweep } from './sweep.ts'

/** How often it is looked whether a job starves. */
const sweepMs = 60_000

/** Looks now and then for jobs that would wait for ever behind more urgent ones, and has them moved to the head of their line. */
export function turnSweep(db: Database, log: Logger): Sweep {
  const look = async () => {
    const jobs = await raiseStarved(db)
    if (jobs.length > 0) log.info({ jobs }, 'jobs that waited for long were moved to the head of their line')
  }
  return new Sweep({ everyMs: sweepMs, look, failed: 'jobs that starve could not be looked for', log })
}
