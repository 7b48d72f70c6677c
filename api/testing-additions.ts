/** Fields and links that AWX lacks, on whatever object: the recorded answers are compared without them. No field of AWX's has one of these names. */
const ours = new Set([
  'priority',
  'ask_priority_on_launch',
  'retry_policy',
  'hold_on_failure_seconds',
  'fair_share_weight',
  'passed_over',
  'held_until',
  'draining_since',
  'drain_deadline',
  // Links.
  'attempts',
  'drain',
  'hold',
  'release_hold',
  'waiting',
])

/** Names of fields without those that AWX lacks. */
export function awxKeys(object: object): string[] {
  return Object.keys(object).filter((key) => !ours.has(key))
}

/** An object without the fields that AWX lacks, at any depth. */
export function asAwx(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(asAwx)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => !ours.has(key))
      .map(([key, item]) => [key, asAwx(item)]),
  )
}
