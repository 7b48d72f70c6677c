/**
 * Where an attempt stands. `claimed`: it holds a place of its group. `created`: the API server has its pod. `delivered`: the payload was
 * committed, so the play may have started and is never started again. `ended`: the verdict is stored. `released`: the pod is gone.
 */
export type AttemptPhase = 'claimed' | 'created' | 'delivered' | 'ended' | 'released'

/** Pod name of an attempt. Deterministic, so that creating twice is noticed by the API server (409) and adopted. */
export function podName(jobId: number, attemptNumber: number): string {
  return `automation-job-${jobId}-${attemptNumber}`
}

/** Labels and annotations by which pods are found and told apart. */
export const podLabels = {
  /** Install UUID, as AWX labels its pods. */
  install: 'ansible-awx',
  job: 'ansible-awx-job-id',
  attempt: 'mayfly.dev/attempt',
  template: 'mayfly.dev/template-id',
  organization: 'mayfly.dev/organization-id',
  group: 'mayfly.dev/instance-group-id',
  user: 'mayfly.dev/user-id',
  /** On the pod that a test of a group makes, in place of job and attempt: the test's id. */
  preflight: 'mayfly.dev/preflight-id',
} as const
/** Annotations of a pod: who owns it, and where its job is shown. */
export const podAnnotations = {
  workflowId: 'mayfly.dev/workflow-id',
  runId: 'mayfly.dev/run-id',
  jobUrl: 'mayfly.dev/job-url',
  /** How many forks its job counts for. */
  forks: 'mayfly.dev/forks',
} as const
