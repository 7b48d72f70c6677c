import { proxyActivities, proxyLocalActivities } from '@temporalio/workflow'
import { type Admission, activityFailures, type JobActivities, type PreparedJob } from '../activities/types.ts'
import { firstPriority } from '../model/priority.ts'
import { groupTaskQueue } from './names.ts'

/** A cancelled activity is waited for: it ends what it does in good order and has the last word. The SDK's default is not to wait. */
const cancellationType = 'WAIT_CANCELLATION_COMPLETED'

/**
 * Activities that only touch the database and, after a Reset, an old pod. Short, because it is by the time-out that a dead worker is noticed: its
 * jobs go on within 15 s.
 */
export const { prepare, prepareInventoryUpdate, lookAtHold, releasePod, finishJob } = proxyActivities<
  Pick<JobActivities, 'prepare' | 'prepareInventoryUpdate' | 'lookAtHold' | 'releasePod' | 'finishJob'>
>({
  cancellationType,
  startToCloseTimeout: '14 seconds',
  retry: { initialInterval: '250 milliseconds', backoffCoefficient: 2, maximumInterval: '10 seconds' },
})

/**
 * The same two within the workflow task that asks for them: that saves a job a round trip through the queue. Tried once; what fails there is tried again by those above, in the queue,
 * where an outage may last and a cancellation is heard (preparation.ts).
 */
export const { prepare: prepareHere, prepareInventoryUpdate: prepareInventoryUpdateHere } = proxyLocalActivities<
  Pick<JobActivities, 'prepare' | 'prepareInventoryUpdate'>
>({
  cancellationType,
  startToCloseTimeout: '14 seconds',
  retry: { maximumAttempts: 1 },
})

/** Tried once, since the next heartbeat tells the same. */
export const { noteCancel } = proxyLocalActivities<Pick<JobActivities, 'noteCancel'>>({
  startToCloseTimeout: '5 seconds',
  retry: { maximumAttempts: 1 },
})

/** A step of a workflow job: mostly milliseconds, but one that makes many jobs on a busy machine must not be begun again and again. */
export const { advance } = proxyActivities<Pick<JobActivities, 'advance'>>({
  cancellationType,
  startToCloseTimeout: '5 minutes',
  heartbeatTimeout: '6 seconds',
  retry: { initialInterval: '100 milliseconds', backoffCoefficient: 2, maximumInterval: '10 seconds' },
})

/** A look at an approval. */
export const { lookAtApproval } = proxyActivities<Pick<JobActivities, 'lookAtApproval'>>({
  cancellationType,
  startToCloseTimeout: '20 seconds',
  retry: { initialInterval: '250 milliseconds', backoffCoefficient: 2, maximumInterval: '10 seconds' },
})

/**
 * Activities that last as long as a job. The heartbeat time-out is what a job loses when its worker dies, so it is short; a job's own
 * time limit is enforced by the runner and by the pod's deadline, never by Temporal, whose time-outs run no clean-up.
 */
const lasting = {
  cancellationType,
  startToCloseTimeout: '30 days',
  heartbeatTimeout: '10 seconds',
  retry: { initialInterval: '250 milliseconds', backoffCoefficient: 2, maximumInterval: '10 seconds' },
} as const

/** Work on the control plane, and waiting for one that somebody else started. */
export const { updateProject, updateInventory, runSystemJob, awaitJob } =
  proxyActivities<Pick<JobActivities, 'updateProject' | 'updateInventory' | 'runSystemJob' | 'awaitJob'>>(lasting)

/** `runInPod` of an admission; the Temporal UI shows its pod beside it. */
export function runInPodOf({ namespace, pod }: Pick<Admission, 'namespace' | 'pod'>): JobActivities['runInPod'] {
  return proxyActivities<Pick<JobActivities, 'runInPod'>>({
    ...lasting,
    summary: `pod ${namespace}/${pod}`,
    // It holds a place already: it goes before those that are only about to wait for one.
    priority: { priorityKey: firstPriority },
  }).runInPod
}

/**
 * The admission of a job that has claimed its place already, taken up where it was left: on no gated queue, since the place that a gate would wait for may be this
 * very claim. Without a claim there is nothing to take up, and the job stands in line again.
 */
export const { resumeAdmission } = proxyActivities<Pick<JobActivities, 'resumeAdmission'>>({
  ...lasting,
  priority: { priorityKey: firstPriority },
  retry: { ...lasting.retry, nonRetryableErrorTypes: [activityFailures.noCapacity] },
})

/** One pass of the reaper; its schedule repeats it, so nothing else does. */
export const { reap } = proxyActivities<Pick<JobActivities, 'reap'>>({
  startToCloseTimeout: '10 minutes',
  heartbeatTimeout: '1 minute',
  retry: { maximumAttempts: 1 },
})

/** A test of a group, begun again by another worker when its own dies; the activity itself keeps to five minutes. */
export const { runPreflight } = proxyActivities<Pick<JobActivities, 'runPreflight'>>({
  cancellationType,
  startToCloseTimeout: '7 minutes',
  scheduleToCloseTimeout: '14 minutes',
  heartbeatTimeout: '10 seconds',
  retry: { initialInterval: '1 second', backoffCoefficient: 2, maximumInterval: '10 seconds' },
})

/** What the nightly tests ask the store. */
export const { nextGroupsToTest, beginNightlyPreflight } = proxyActivities<
  Pick<JobActivities, 'nextGroupsToTest' | 'beginNightlyPreflight'>
>({
  startToCloseTimeout: '20 seconds',
  retry: { initialInterval: '1 second', backoffCoefficient: 2, maximumInterval: '30 seconds' },
})

/**
 * `admit` on the gated queue of one group. It has no schedule-to-start time-out, since waiting for capacity is what the queue is for,
 * and no attempt limit, since being bounced is not a failure. The job whose turn it is may wait for room for as long as it takes. It waits with the
 * priority of its workflow, or before all others.
 */
export function admitOn(group: PreparedJob['groups'][number], turn: 'own' | 'first'): JobActivities['admit'] {
  return proxyActivities<Pick<JobActivities, 'admit'>>({
    cancellationType,
    taskQueue: groupTaskQueue(group.id),
    ...(turn === 'first' ? { priority: { priorityKey: firstPriority } } : {}),
    summary: `a place in instance group ${group.name}`,
    startToCloseTimeout: '1 hour',
    heartbeatTimeout: '10 seconds',
    retry: { initialInterval: '250 milliseconds', backoffCoefficient: 1.5, maximumInterval: '5 seconds' },
  }).admit
}
