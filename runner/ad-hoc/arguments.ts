import { connectionArguments } from '../command-line.ts'
import type { CredentialEffects } from '../credentials.ts'
import type { AdHocJob } from './job.ts'

/** The options of `ansible` without module, in AWX's order; the host pattern is the last word. Throws CredentialUnusableError. */
export function adHocArguments(job: AdHocJob, effects: CredentialEffects): string[] {
  return [
    ...connectionArguments(job, effects),
    ...(job.forks > 0 ? [`--forks=${job.forks}`] : []),
    ...(job.verbosity > 0 ? [`-${'v'.repeat(Math.min(job.verbosity, 5))}`] : []),
    ...effects.args,
    job.limit || 'all',
  ]
}
