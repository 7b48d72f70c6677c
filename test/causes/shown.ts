/** What post-mortems show, as matchers. */
import { expect } from 'vitest'

/** Shown of a pod that was there, with this event among those that it had. */
export const withEvent = (reason: string, message: RegExp, more: Record<string, unknown> = {}) => ({
  source: 'cluster',
  pod_status: expect.objectContaining({ phase: expect.any(String) }),
  events: expect.arrayContaining([expect.objectContaining({ reason, message: expect.stringMatching(message) })]),
  ...more,
})

/** Shown of a pod that had a node. Of later events the cluster may hear after the end of the job. */
export const scheduled = (more: Record<string, unknown> = {}) => withEvent('Scheduled', /assigned/, more)

/** Shown of a pod whose container waited for what never came. */
export const waitingFor = (reason: RegExp) =>
  scheduled({
    pod_status: expect.objectContaining({
      containerStatuses: [
        expect.objectContaining({
          state: { waiting: expect.objectContaining({ reason: expect.stringMatching(reason) }) },
        }),
      ],
    }),
  })

/** Shown of a pod that Kubernetes or the way there refused. */
export const refusedPod = (more: Record<string, unknown> = {}) => ({
  source: 'refused',
  pod_status: null,
  claimed: null,
  node: null,
  events: [],
  quotas: [],
  ...more,
})

/** Shown of the node of a pod. */
export const healthyNode = {
  node: expect.objectContaining({
    conditions: expect.arrayContaining([expect.objectContaining({ type: 'Ready', status: 'True' })]),
  }),
}
/** Shown of a play that was under way. */
export const hasBegun = { last_lines: expect.arrayContaining([expect.stringContaining('has begun')]), ...healthyNode }
