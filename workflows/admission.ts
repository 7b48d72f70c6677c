import { CancellationScope, sleep } from '@temporalio/workflow'
import type { Admission, PreparedJob } from '../activities/types.ts'
import { admitOn } from './activities.ts'
import { failedAs } from './verdict.ts'

/** How long a group is asked alone before the next one in the job's order is asked too. */
const preference = '2 seconds'

/**
 * Waits in all groups at once, preferred first, until one of them has made the pod; the others are asked no more. That no two of them do is
 * what the claim in the store sees to. When none of them can
 * run the job, it fails as the one that it prefers.
 */
export async function admitToOneOf(jobId: number, groups: PreparedJob['groups']): Promise<Admission> {
  const [first, ...others] = groups
  if (!first) throw new Error('prepare returned no group')
  if (others.length === 0) return await admitOn(first)({ jobId, groupId: first.id, hasOthers: false })
  const scope = new CancellationScope()
  try {
    return await scope.run(() => askInTurn(jobId, groups))
  } finally {
    scope.cancel()
  }
}

async function askInTurn(jobId: number, groups: PreparedJob['groups']): Promise<Admission> {
  const refusals = new Map<number, unknown>()
  return await new Promise<Admission>((resolve, reject) => {
    const ask = async (index: number): Promise<void> => {
      const group = groups[index]
      if (!group) return
      const asked = admitOn(group)({ jobId, groupId: group.id, hasOthers: true })
      asked.then(resolve, (error) => {
        if (!failedAs(error, 'unusable')) return reject(error)
        refusals.set(index, error)
        if (refusals.size === groups.length) reject(refusals.get(0))
      })
      // Whether it refuses or is full: after a moment the next one is asked as well.
      await Promise.race([asked.catch(() => undefined), sleep(preference)])
      await ask(index + 1)
    }
    ask(0).catch(reject)
  })
}
