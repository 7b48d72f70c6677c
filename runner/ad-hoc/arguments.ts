import { plain } from '../command-line.ts'
import type { CredentialEffects } from '../credentials.ts'
import type { AdHocJob } from './job.ts'

/** The options of `ansible` without module, in AWX's order; the host pattern is the last word. Throws CredentialUnusableError. */
export function adHocArguments(job: AdHocJob, effects: CredentialEffects): string[] {
  const { passwords } = effects
  return [
    ...(job.jobType === 'check' ? ['--check'] : []),
    '-u',
    plain('username', effects.username),
    ...('ssh_password' in passwords ? ['--ask-pass'] : []),
    ...(job.becomeEnabled ? ['--become'] : []),
    ...(job.diffMode ? ['--diff'] : []),
    ...(effects.becomeMethod ? ['--become-method', plain('become_method', effects.becomeMethod)] : []),
    ...(effects.becomeUsername ? ['--become-user', plain('become_username', effects.becomeUsername)] : []),
    ...('become_password' in passwords ? ['--ask-become-pass'] : []),
    ...(job.forks > 0 ? [`--forks=${job.forks}`] : []),
    ...(job.verbosity > 0 ? [`-${'v'.repeat(Math.min(job.verbosity, 5))}`] : []),
    ...effects.args,
    job.limit || 'all',
  ]
}
