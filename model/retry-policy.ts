import { parseQuantity } from './quantity.ts'
import { isMapping } from './variables.ts'

/**
 * What the platform may do again by itself when the cluster, not the play, ended an attempt; a template's `retry_policy`, frozen on each of its
 * jobs. All off where nothing is said: a failed play is never run again.
 */
export interface RetryPolicy {
  /** Further attempts when the node was lost, or the pod evicted or deleted, before the play began. */
  lost_before_start?: number
  /** Further attempts when that happened after the play began; the author says by this that the play may be run twice. */
  lost_after_start?: number
  /** One further attempt after the container ran out of memory, with this many times its memory limit, and `max` (a quantity) at most. */
  out_of_memory?: { factor: number; max: string }
}

/** A policy as a user wrote it, read; or what is wrong with it, and the remedy. */
export type ReadRetryPolicy = { ok: true; policy: RetryPolicy } | { ok: false; message: string }

const mostAttempts = 10
const largestFactor = 8
/** Less than this is a forgotten unit. */
const leastMemory = 2 ** 20

/** Reads a template's `retry_policy`. */
export function readRetryPolicy(value: unknown): ReadRetryPolicy {
  if (!isMapping(value)) return wrong('Must be an object, such as {"lost_before_start": 3}.')
  const { lost_before_start, lost_after_start, out_of_memory, ...unknown } = value
  const [name] = Object.keys(unknown)
  if (name !== undefined) {
    return wrong(`${name}: there is no such rule. Use lost_before_start, lost_after_start and out_of_memory.`)
  }
  const policy: RetryPolicy = {}
  for (const [rule, given] of Object.entries({ lost_before_start, lost_after_start })) {
    if (given === undefined) continue
    if (!isAttempts(given)) {
      return wrong(`${rule}: give the number of further attempts, a whole number from 0 to ${mostAttempts}.`)
    }
    policy[rule as 'lost_before_start' | 'lost_after_start'] = given
  }
  if (out_of_memory === undefined || out_of_memory === null) return { ok: true, policy }
  const problem = memoryProblem(out_of_memory)
  if (problem) return wrong(`out_of_memory${problem}`)
  const { factor, max } = out_of_memory as { factor: number; max: string }
  return { ok: true, policy: { ...policy, out_of_memory: { factor, max: max.trim() } } }
}

const wrong = (message: string): ReadRetryPolicy => ({ ok: false, message })

const isAttempts = (value: unknown): value is number =>
  typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= mostAttempts

/** What is wrong with the rule on memory, to be read after its name; null for nothing. */
function memoryProblem(given: unknown): string | null {
  if (!isMapping(given)) return ': give both factor and max, such as {"factor": 2, "max": "4Gi"}.'
  const { factor, max, ...unknown } = given
  const [name] = Object.keys(unknown)
  if (name !== undefined) return `.${name}: there is no such setting. Use factor and max.`
  if (typeof factor !== 'number' || !(factor > 1 && factor <= largestFactor)) {
    return `.factor: give a number above 1 and up to ${largestFactor}, by which the memory limit is multiplied.`
  }
  if (typeof max !== 'string' || Number.isNaN(parseQuantity(max))) {
    return '.max: give the highest memory limit as a quantity of Kubernetes, such as "4Gi".'
  }
  return parseQuantity(max) < leastMemory
    ? `.max: "${max}" is less than 1Mi; a unit such as Mi or Gi may be missing.`
    : null
}
