import type { FinalStatus } from './job.ts'

/**
 * The one typed reason why an attempt ended otherwise than by a successful play. `message` is for people and becomes job_explanation;
 * `detail` is the raw evidence (API server's message, pod status, last lines of stderr) and becomes result_traceback. Neither holds a secret.
 */
export interface Cause {
  kind: CauseKind
  message: string
  detail: string
}

/** Every cause and the AWX status it leads to (`failed` is the play's own doing, `error` the platform's). */
export const causeStatus = {
  play_failed: 'failed',
  hosts_unreachable: 'failed',
  play_did_not_start: 'failed',
  command_failed: 'failed',
  timed_out: 'failed',
  runner_shut_down: 'failed',
  prestart_check_failed: 'failed',
  dependency_failed: 'failed',
  canceled: 'canceled',
  image_not_pullable: 'error',
  image_without_runner: 'error',
  container_not_created: 'error',
  out_of_memory: 'error',
  pod_deleted: 'error',
  pod_evicted: 'error',
  node_lost: 'error',
  node_refused: 'error',
  group_drained: 'error',
  pod_deadline_exceeded: 'error',
  pod_failed: 'error',
  pod_unschedulable: 'error',
  pod_start_timed_out: 'error',
  unauthorized: 'error',
  forbidden: 'error',
  tls_failed: 'error',
  endpoint_unreachable: 'error',
  namespace_missing: 'error',
  pod_rejected: 'error',
  quota_never_fits: 'error',
  forks_never_fit: 'error',
  group_misconfigured: 'error',
  no_execution_environment: 'error',
  project_missing: 'error',
  runner_error: 'error',
  output_damaged: 'error',
  workflow_terminated: 'error',
  workflow_id_taken: 'error',
  internal: 'error',
} as const satisfies Record<string, FinalStatus>

/** One of them. */
export type CauseKind = keyof typeof causeStatus

/** Makes a cause; `detail` may be left out where the message says it all. */
export function cause(kind: CauseKind, message: string, detail = ''): Cause {
  return { kind, message, detail }
}
