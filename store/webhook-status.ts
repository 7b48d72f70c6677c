import { eq } from 'drizzle-orm'
import { storedVariables } from '../model/variables.ts'
import { type StatusPost, type WebhookService, webhookServices, webhookStatusPost } from '../model/webhooks.ts'
import type { Database } from './database.ts'
import { credentials } from './schema/catalog.ts'
import { unifiedJobs } from './schema/jobs.ts'
import { credentialContext, isSealed, type Keyring, open } from './secrets.ts'

/** What is to be told of a job to the service whose web hook launched it. */
export interface DueStatus {
  /** AWX's status of the job, by which one report is known from the next. */
  status: string
  url: string
  post: StatusPost
  token: string
}

/** How a job stands in the words of its service; null where there is nothing or nobody to tell. The token is in clear: it goes nowhere but there. */
export async function readDueStatus(
  db: Database,
  keyring: Keyring,
  jobId: number,
  publicUrl: string,
): Promise<DueStatus | null> {
  const [row] = await db
    .select({
      type: unifiedJobs.type,
      status: unifiedJobs.status,
      service: unifiedJobs.webhookService,
      extraVars: unifiedJobs.extraVars,
      credentialId: credentials.id,
      inputs: credentials.inputs,
    })
    .from(unifiedJobs)
    .innerJoin(credentials, eq(credentials.id, unifiedJobs.webhookCredentialId))
    .where(eq(unifiedJobs.id, jobId))
  const service = webhookServices.find((one) => one === row?.service)
  if (!row || !service) return null
  const url = storedVariables(row.extraVars).awx_webhook_status_api
  if (typeof url !== 'string' || url === '') return null
  const token = tokenOf(keyring, row.credentialId, row.inputs)
  const list = row.type === 'workflow_job' ? 'workflow_jobs' : 'jobs'
  const post = webhookStatusPost(
    service satisfies WebhookService,
    row.status,
    `${publicUrl}/api/v2/${list}/${jobId}/`,
    token,
  )
  return post && { status: row.status, url, post, token }
}

function tokenOf(keyring: Keyring, credentialId: number, { token }: Record<string, unknown>): string {
  if (isSealed(token)) return open(keyring, token, credentialContext(credentialId, 'token'))
  return typeof token === 'string' ? token : ''
}

/** Whether anybody is to be told of a job: it came by a web hook that named a place for that, and there is a credential for it. */
export function isToldToService({
  webhookService,
  webhookCredentialId,
  extraVars,
}: Pick<typeof unifiedJobs.$inferSelect, 'webhookService' | 'webhookCredentialId' | 'extraVars'>): boolean {
  // As `pythonJson` writes it; reading a payload of megabytes at every change of status would be for nothing mostly.
  return webhookService !== '' && webhookCredentialId !== null && extraVars.includes('"awx_webhook_status_api": "')
}
