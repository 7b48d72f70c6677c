import { Context } from '@temporalio/activity'
import { reaperReport } from '../model/reaper-report.ts'
import { removeOrphans } from '../runner/inventory-update/local-folder.ts'
import { forgetOldIdempotencyKeys } from '../store/idempotency-keys.ts'
import { giveUpAbandoned } from '../store/notifications/deliveries.ts'
import { beginPass, endPass } from '../store/reaper-passes.ts'
import { forgetOldDeliveries } from '../store/webhook-deliveries.ts'
import type { ActivityDeps } from './deps.ts'
import { throwIfAsked } from './failures.ts'
import { inventoryUpdatesFolder } from './inventory/gather.ts'
import { releaseAbandonedAttempts } from './reaper/abandoned-attempts.ts'
import { endAbandonedJobs } from './reaper/abandoned-jobs.ts'
import { deleteOrphans } from './reaper/orphans.ts'
import { ReaperPass } from './reaper/pass.ts'
import type { JobActivities } from './types.ts'

/**
 * Ends what no workflow will end any more, deletes what no attempt owns any more, and says how much that was; a dry run only says it. What it found is stored:
 * it is the measure of the clean-up debt.
 */
export function createReapActivity(deps: ActivityDeps): JobActivities['reap'] {
  return async (input) => {
    const context = Context.current()
    const row = await beginPass(deps.store.db, input?.passId ?? null)
    const pass = new ReaperPass({
      // One that is over already, or was forgotten, changes nothing any more.
      dryRun: row?.dryRun ?? true,
      deletesPerSecond: deps.settings.reaperDeletesPerSecond,
      asked: context.cancellationSignal,
    })
    const { counts } = pass
    const beat = setInterval(() => context.heartbeat(counts), 5_000)
    try {
      const abandoned = await endAbandonedJobs(deps, pass)
      await releaseAbandonedAttempts(deps, pass, abandoned)
      await deleteOrphans(deps, pass)
      if (!pass.dryRun) await forgetOldThings(deps, pass)
      throwIfAsked()
      const report = reaperReport(pass.clusters, pass.findings)
      if (row) await endPass(deps.store.db, row, report)
      const debtPods = report.debt.reduce((sum, { pods }) => sum + pods, 0)
      return { dryRun: pass.dryRun, ...counts, debtPods }
    } finally {
      clearInterval(beat)
    }
  }
}

async function forgetOldThings({ store, settings }: ActivityDeps, { counts }: ReaperPass): Promise<void> {
  counts.notificationsGivenUp = await giveUpAbandoned(store.db)
  counts.keysForgotten = await forgetOldIdempotencyKeys(store.db)
  await forgetOldDeliveries(store.db)
  await removeOrphans(inventoryUpdatesFolder(settings))
}
