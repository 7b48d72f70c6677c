import type { Cause, CauseKind } from './cause.ts'
import { parseQuantity } from './quantity.ts'
import type { RetryPolicy } from './retry-policy.ts'

/** What of a job was tried again so far: how often by each rule of its policy, and what that led to. */
export interface Retries {
  lost_before_start?: number
  lost_after_start?: number
  out_of_memory?: number
  /** Not by a rule: a pod that its node refuses has never run. */
  node_refused?: number
  /** The memory limit in bytes that further attempts have instead of their group's. */
  memory_bytes?: number
  /** How the last one that was tried again had ended; for people. */
  told?: string
}

/** An attempt that has ended, and what was promised for this case. */
export interface EndedAttempt {
  number: number
  cause: Cause
  /** The play can have begun: its payload was sent, or was about to be. */
  started: boolean
  /** The memory limit that its container had, in bytes; null where it had none, or it is not known. */
  memoryLimit: number | null
  policy: RetryPolicy
  /** Before this one. */
  retries: Retries
}

/** Whether there is another attempt. `explanation` is for people; '' where the policy has nothing to do with the cause. */
export type RetryDecision =
  | { again: true; retries: Retries; explanation: string }
  | { again: false; explanation: string }

const mebibyte = 2 ** 20

/** A scheduler that sees a node as it was a moment ago is right again after seconds; a pod that names its node itself may never be. */
const mostRefusals = 20

/** By these the cluster, or whoever drains a group, takes a pod away, whatever runs in it. */
const lost: readonly CauseKind[] = ['pod_deleted', 'pod_evicted', 'node_lost', 'group_drained']

/**
 * Decides whether the platform runs a job once more by itself. A pod that was lost and a container that ran out of memory may lead to another
 * attempt, as far as the policy says so; a pod that its node refused leads to one whatever it says, because nothing of it ever ran. Nothing else does, least of
 * all a failed play.
 */
export function decideRetry(ended: EndedAttempt): RetryDecision {
  if (ended.cause.kind === 'node_refused') return decideRefused(ended)
  if (lost.includes(ended.cause.kind)) return decideLost(ended)
  if (ended.cause.kind === 'out_of_memory') return decideOutOfMemory(ended)
  return no('')
}

function decideRefused(ended: EndedAttempt): RetryDecision {
  const used = ended.retries.node_refused ?? 0
  if (used < mostRefusals) return again(ended, { node_refused: used + 1 }, mostRefusals - used)
  return no(`Not tried again: nodes have refused ${used + 1} pods of this job.`)
}

function decideLost(ended: EndedAttempt): RetryDecision {
  const { policy, retries, started } = ended
  const rule = started ? 'lost_after_start' : 'lost_before_start'
  const allowed = policy[rule] ?? 0
  const used = retries[rule] ?? 0
  if (used < allowed) return again(ended, { [rule]: used + 1 }, allowed - used)
  if (!policy.lost_before_start && !policy.lost_after_start) return no('')
  const when = started ? 'after its play had begun' : 'before its play began'
  return allowed === 0
    ? no(`Not tried again: the retry policy allows no further attempt for one that was lost ${when} (${rule}).`)
    : no(
        `Not tried again: the retry policy allows ${allowed} for what was lost ${when} (${rule}), and they are used up.`,
      )
}

function decideOutOfMemory(ended: EndedAttempt): RetryDecision {
  const { policy, retries, memoryLimit } = ended
  const rule = policy.out_of_memory
  if (!rule) return no('')
  const max = Math.floor(parseQuantity(rule.max))
  if (retries.out_of_memory) return no('Not tried again: it has had more memory once already (out_of_memory).')
  if (memoryLimit === null) {
    return no('Not tried again: its container has no memory limit that could be raised, so the node itself is short.')
  }
  // Whole mebibytes read better in the cluster.
  const more = Math.min(Math.floor((memoryLimit * rule.factor) / mebibyte) * mebibyte, max)
  if (!(more > memoryLimit)) {
    return no(
      `Not tried again: its memory limit is ${memoryText(memoryLimit)}, and the retry policy's max is ${rule.max}.`,
    )
  }
  return again(ended, { out_of_memory: 1, memory_bytes: more }, 1, ` with a memory limit of ${memoryText(more)}`)
}

const no = (explanation: string): RetryDecision => ({ again: false, explanation })

/** `left`: attempts that the rule still allows, the next one among them. */
function again({ number, cause, retries }: EndedAttempt, changes: Retries, left: number, how = ''): RetryDecision {
  const { lost_before_start = 0, lost_after_start = 0, out_of_memory = 0, node_refused = 0 } = retries
  const next = 2 + lost_before_start + lost_after_start + out_of_memory + node_refused
  const ending = cause.message.replace(/\.$/, '')
  const told = `Attempt ${number} ended: ${ending}; trying again${how} (${next} of ${next + left - 1}).`
  return { again: true, retries: { ...retries, ...changes, told }, explanation: told }
}

/** Bytes as people write limits: whole Gi or Mi, else with one decimal. */
export function memoryText(bytes: number): string {
  for (const [unit, size] of [
    ['Gi', 2 ** 30],
    ['Mi', 2 ** 20],
    ['Ki', 2 ** 10],
  ] as const) {
    if (bytes >= size) return `${Number((bytes / size).toFixed(1))}${unit}`
  }
  return String(bytes)
}
