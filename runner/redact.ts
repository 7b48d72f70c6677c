import type { RunnerStatus } from './stream.ts'

/** Stands where a secret was, as in AWX. */
export const hidden = '**********'

/** Removes known secrets from texts that are stored or shown. */
export class Redactor {
  constructor(secrets: Iterable<string>) {
    void secrets
  }
  /** The text without any of the secrets and without passwords in URLs. */
  redact(text: string): string {
    return text
  }
}

/** What is kept of the `starting` record: the columns job_args, job_cwd and job_env, without secrets. */
export interface StartingRecord {
  jobArgs: string
  jobCwd: string
  jobEnv: Record<string, string>
}

/** Takes the secrets out of the `starting` record: known values anywhere, and whole values of names that speak of a secret. */
export function redactStarting(starting: RunnerStatus, secrets: Iterable<string>): StartingRecord {
  void secrets
  throw new Error(starting.status)
}
