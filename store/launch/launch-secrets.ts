import type { Variables } from '../../model/variables.ts'
import type { JobRow } from '../job-status.ts'
import { type Keyring, launchContext, open } from '../secrets.ts'
import { secretAnswersKey } from './create-job.ts'

/** Answers to password questions that a job was launched with, in clear. They stay after its end. */
export function openSecretAnswers(keyring: Keyring, job: Pick<JobRow, 'id' | 'launchConfig'>): Variables {
  const sealed = job.launchConfig[secretAnswersKey]
  return typeof sealed === 'string' ? JSON.parse(open(keyring, sealed, launchContext(job.id))) : {}
}

/** Passwords that a job was launched with, by AWX's names; none once it has ended. */
export function openLaunchSecrets(
  keyring: Keyring,
  { id, launchSecrets }: Pick<JobRow, 'id' | 'launchSecrets'>,
): Record<string, string> {
  return launchSecrets ? JSON.parse(open(keyring, launchSecrets, launchContext(id))) : {}
}
