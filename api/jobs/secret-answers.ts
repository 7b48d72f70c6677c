import type { Variables } from '../../model/variables.ts'
import { secretAnswersKey } from '../../store/launch/create-job.ts'
import { openSecretAnswers } from '../../store/launch/launch-secrets.ts'
import type { RequestContext } from '../context.ts'
import { PermissionDeniedError } from '../errors.ts'
import type { JobRow } from './fields.ts'

/** Answers to password questions belong to who gave them: anybody else but a superuser who would use them again gets 403. */
export function refuseOthersAnswers(job: JobRow, { actor }: RequestContext): void {
  if (job.launchConfig[secretAnswersKey] === undefined || actor.isSuperuser || job.createdById === actor.id) return
  throw new PermissionDeniedError('Job was launched with secret prompts provided by another user.')
}

/** The answers to password questions that a job was launched with, in clear, for whoever may use them again. */
export function secretAnswers(job: JobRow, context: RequestContext): Variables {
  refuseOthersAnswers(job, context)
  return openSecretAnswers(context.deps.keyring, job)
}
