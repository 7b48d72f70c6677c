import { readRetryPolicy } from '../../model/retry-policy.ts'
import { ValidationError } from '../errors.ts'
import type { IntegerField, JsonField } from '../field.ts'

/** What the platform does by itself when the cluster ended a job; AWX lacks it. */
export const retryPolicyField: JsonField = {
  kind: 'json',
  holds: 'object',
  default: {},
  unsearchable: true,
  help: 'Further attempts when the cluster, not the play, ended a job: {"lost_before_start": 3, "lost_after_start": 0, "out_of_memory": {"factor": 2, "max": "4Gi"}}. Empty: none.',
}

/** How long the pod of a failed job can be looked into; AWX lacks it. */
export const holdField: IntegerField = {
  kind: 'integer',
  min: 0,
  max: 86_400,
  default: 0,
  help: 'Seconds for which the pod of a failed job is kept, with its place in the instance group, for whoever wants to look into it.',
}

/** What is stored of a template's `retry_policy`. */
export function checkRetryPolicy(value: unknown): unknown {
  const read = readRetryPolicy(value ?? {})
  if (!read.ok) throw ValidationError.on('retry_policy', read.message)
  return read.policy
}
