import { continueAsNew } from '@temporalio/workflow'
import { beginNightlyPreflight, nextGroupsToTest, runPreflight } from './activities.ts'

/** Groups under test at once: each has a pod. */
const atOnce = 4

/** Tests all container groups, a few at a time, by the nightly schedule; a group that is being tested already is left out. */
export async function nightlyPreflights({ after }: { after: number } = { after: 0 }): Promise<void> {
  const { groupIds } = await nextGroupsToTest({ after })
  // Not model/concurrently.ts: how lines follow each other is in the histories of runs that are under way.
  const rest = groupIds.values()
  const line = async () => {
    for (const groupId of rest) {
      const { preflightId } = await beginNightlyPreflight({ groupId })
      // A test that cannot be made at all keeps no other group from its own.
      if (preflightId !== null) await runPreflight({ preflightId }).catch(() => {})
    }
  }
  await Promise.all(Array.from({ length: atOnce }, line))
  const last = groupIds.at(-1)
  if (last !== undefined) await continueAsNew<typeof nightlyPreflights>({ after: last })
}
