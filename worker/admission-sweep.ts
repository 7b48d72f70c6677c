import type { Logger } from 'pino'
import { eachConcurrently } from '../model/concurrently.ts'
import type { Database } from '../store/database.ts'
import { slowAdmissions } from '../store/slow-admissions.ts'
import { reasonOf } from './reason.ts'
import type { RunningWorkflows } from './running-workflows.ts'
import { Sweep } from './sweep.ts'

/** What a job whose worker died loses beside the heartbeat time-out: it is to go on within 15 s. */
const sweepMs = 2_000
/** Jobs that are asked about at once. */
const concurrency = 8

/**
 * Looks for jobs that have claimed their place and whose admission nobody is at work on: a group that is full lets nobody in, not even whose place that is
 * (docs/decisions/0028). Where all goes well it asks the store and finds nothing.
 */
export function admissionSweep(db: Database, workflows: RunningWorkflows, log: Logger): Sweep {
  const look = async () => {
    await eachConcurrently(await slowAdmissions(db), concurrency, async (admission) => {
      try {
        if (!(await workflows.resumeAdmission(admission))) return
        log.info({ job: admission.jobId }, 'an admission whose worker is gone is taken up')
      } catch (error) {
        log.warn({ job: admission.jobId, reason: reasonOf(error) }, 'an admission could not be looked after')
      }
    })
  }
  return new Sweep({ everyMs: sweepMs, look, failed: 'admissions could not be looked after', log })
}
