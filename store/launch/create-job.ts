import { eq } from 'drizzle-orm'
import type { Database } from '../database.ts'
import { unifiedJobs } from '../schema/jobs.ts'
import { type Keyring, launchContext, seal } from '../secrets.ts'
import { insertJob } from './insert-job.ts'

type NewJob = typeof unifiedJobs.$inferInsert

/**
 * Writes a job of any kind with everything that starts it: row, credentials, labels, sealed secrets, message to Temporal; and tells its template or
 * project. Runs in the caller's transaction. `secrets` as `launchSecrets` of model/launch.ts makes them; `sealed` are further secret documents
 * to keep in launchConfig under their key.
 */
export async function createJob(
  tx: Database,
  values: Omit<NewJob, 'status'>,
  more: {
    credentialIds?: number[]
    labelIds?: number[]
    secrets?: Record<string, string>
    answers?: Record<string, unknown>
    keyring?: Keyring
  } = {},
): Promise<typeof unifiedJobs.$inferSelect> {
  const job = await insertJob(tx, values, more.credentialIds ?? [], more.labelIds ?? [])
  await sealSecrets(tx, job, more)
  return job
}

/** Sealed values open for this job only, so they are written once its id is known. */
async function sealSecrets(
  tx: Database,
  job: typeof unifiedJobs.$inferSelect,
  more: { secrets?: Record<string, string>; answers?: Record<string, unknown>; keyring?: Keyring },
): Promise<void> {
  const { secrets = {}, answers = {}, keyring } = more
  if (!keyring || Object.keys(secrets).length === 0) return
  const context = launchContext(job.id)
  const kept = Object.keys(answers).length > 0
  await tx
    .update(unifiedJobs)
    .set({
      launchSecrets: seal(keyring, JSON.stringify(secrets), context),
      ...(kept
        ? { launchConfig: { ...job.launchConfig, [secretAnswersKey]: seal(keyring, JSON.stringify(answers), context) } }
        : {}),
    })
    .where(eq(unifiedJobs.id, job.id))
}

/** Key of launchConfig with the sealed answers to password questions, which a relaunch needs after launchSecrets were wiped. */
export const secretAnswersKey = 'secret_answers'
