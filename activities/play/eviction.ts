import { cause } from '../../model/cause.ts'
import { instantText } from '../../model/instant-text.ts'
import type { AttemptRow } from '../../store/claims.ts'
import { readGroup } from '../../store/groups.ts'
import type { ActivityDeps } from '../deps.ts'
import { follow, type Interruption } from './interruption.ts'

/** Follows the group of an attempt until it is drained and the time that its jobs were given is over; costs nothing as long as nobody drains it. */
export function followEviction(deps: ActivityDeps, { instanceGroupId: groupId, podName }: AttemptRow): Interruption {
  return follow(deps, `the group of pod ${podName}`, async (over) => {
    if (groupId === null) return null
    await deps.gates.evicted(groupId, over)
    const document = await readGroup(deps.store.db, groupId).catch(() => undefined)
    return whyEvicted(document?.group)
  })
}

function whyEvicted(group: { name: string; drainingSince: string | null; drainDeadline: string | null } | undefined) {
  if (!group?.drainingSince || !group.drainDeadline) {
    return cause('group_drained', 'The instance group of this job was drained, and its time to end was over.')
  }
  const { name, drainingSince, drainDeadline } = group
  return cause(
    'group_drained',
    `Instance group "${name}" is drained since ${instantText(drainingSince)}, and what ran there had until ${instantText(drainDeadline)} to end.`,
  )
}
