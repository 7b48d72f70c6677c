import { eq } from 'drizzle-orm'
import { launchSecrets } from '../../model/launch.ts'
import type { Database } from '../database.ts'
import type { JobRow } from '../job-status.ts'
import { inventories } from '../schema/inventory.ts'
import type { unifiedJobs } from '../schema/jobs.ts'
import type { Keyring } from '../secrets.ts'
import { createJob } from './create-job.ts'
import { eligibleGroups, loadSources } from './sources.ts'

/** What an ad hoc command runs, on what and as whom: columns of the job. */
export type AdHocValues = Pick<
  typeof unifiedJobs.$inferInsert,
  | 'jobType'
  | 'inventoryId'
  | 'limit'
  | 'credentialId'
  | 'moduleName'
  | 'moduleArgs'
  | 'forks'
  | 'verbosity'
  | 'extraVars'
  | 'becomeEnabled'
  | 'diffMode'
  | 'executionEnvironmentId'
>

/**
 * Makes an ad hoc command with everything that starts it, within the caller's transaction. It may run in the groups of its inventory, then in
 * those of the inventory's organization unless the inventory prevents that. `passwords` by AWX's names.
 */
export async function createAdHocCommand(
  { tx, keyring }: { tx: Database; keyring: Keyring },
  values: AdHocValues,
  launch: { createdById: number | null; passwords: Record<string, string> },
): Promise<JobRow> {
  const inventoryId = values.inventoryId ?? null
  const [inventory] =
    inventoryId === null ? [] : await tx.select().from(inventories).where(eq(inventories.id, inventoryId))
  const organizationId = inventory?.organizationId ?? null
  const none = { jobTemplateId: null, projectId: null, executionEnvironmentId: null }
  const sources = await loadSources({ db: tx, keyring }, { ...none, organizationId, inventoryId })
  return await createJob(
    tx,
    {
      ...values,
      type: 'ad_hoc_command',
      name: values.moduleName ?? '',
      organizationId,
      launchType: 'manual',
      eligibleGroups: eligibleGroups(sources, false),
      createdById: launch.createdById,
    },
    {
      credentialIds: values.credentialId ? [values.credentialId] : [],
      secrets: launchSecrets(launch.passwords, {}),
      keyring,
    },
  )
}
