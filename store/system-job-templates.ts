import type { Database } from './database.ts'
import { systemJobTemplates } from './schema/updates.ts'

/** The templates that come with the release, in AWX's words. */
const managed = [
  { jobType: 'cleanup_jobs', name: 'Cleanup Job Details', description: 'Remove job history' },
  {
    jobType: 'cleanup_activitystream',
    name: 'Cleanup Activity Stream',
    description: 'Remove activity stream history',
  },
  {
    jobType: 'cleanup_sessions',
    name: 'Cleanup Expired Sessions',
    description: 'Cleans out expired browser sessions',
  },
  {
    jobType: 'cleanup_tokens',
    name: 'Cleanup Expired OAuth 2 Tokens',
    description: 'Cleanup expired OAuth 2 access and refresh tokens',
  },
]

/** Makes those that are missing. Nobody can delete one, so this makes something on the first start only, and when a release brings a new one. */
export async function makeSystemJobTemplates(tx: Database): Promise<void> {
  const there = await tx.select({ jobType: systemJobTemplates.jobType }).from(systemJobTemplates)
  const missing = managed.filter(({ jobType }) => !there.some((one) => one.jobType === jobType))
  if (missing.length > 0)
    await tx.insert(systemJobTemplates).values(missing.map((template) => ({ ...template, status: 'ok' })))
}
