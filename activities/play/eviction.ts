import { type Cause, cause } from '../../model/cause.ts'
import { instantText } from '../../model/instant-text.ts'
import type { AttemptRow } from '../../store/claims.ts'
import { readGroup } from '../../store/run-document.ts'
import type { ActivityDeps } from '../deps.ts'

/** Tells an attempt that its group is drained and that the time its jobs were given is over. */
export interface Eviction {
  /** Aborts then. */
  readonly signal: AbortSignal
  /** What the job is told; null as long as it is not evicted. */
  readonly cause: Cause | null
  /** Follows no longer. */
  end(): void
}

/** Follows the group of an attempt until `end`; costs nothing as long as nobody drains it. */
export function followEviction(deps: ActivityDeps, { instanceGroupId }: AttemptRow): Eviction {
  const evicted = new AbortController()
  const over = new AbortController()
  let found: Cause | null = null
  const follow = async (groupId: number) => {
    await deps.gates.evicted(groupId, over.signal)
    const document = await readGroup(deps.store.db, groupId).catch(() => undefined)
    found = whyEvicted(document?.group)
    evicted.abort()
  }
  if (instanceGroupId !== null) follow(instanceGroupId).catch(() => {})
  return {
    signal: evicted.signal,
    get cause() {
      return found
    },
    end: () => over.abort(new Error('the attempt is over')),
  }
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
