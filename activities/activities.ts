import { createAdmitActivity } from './admit.ts'
import { createAwaitJobActivity } from './await-job.ts'
import type { ActivityDeps } from './deps.ts'
import { createFinishJobActivity } from './finish-job.ts'
import { guarded } from './guard.ts'
import { createLookAtHoldActivity } from './look-at-hold.ts'
import { createNoteCancelActivity } from './note-cancel.ts'
import { createDeliverActivity } from './notify/deliver.ts'
import { createGiveUpNotificationActivity } from './notify/give-up.ts'
import { createPostWebhookStatusActivity } from './notify/webhook-status.ts'
import { createBeginNightlyPreflightActivity, createNextGroupsToTestActivity } from './preflight/nightly.ts'
import { createRunPreflightActivity } from './preflight/preflight.ts'
import { createPrepareActivity } from './prepare.ts'
import { createPrepareInventoryUpdateActivity } from './prepare-inventory-update.ts'
import { createReapActivity } from './reap.ts'
import { createReleasePodActivity } from './release-pod.ts'
import { createResumeAdmissionActivity } from './resume-admission.ts'
import { createRunInPodActivity } from './run-in-pod.ts'
import { createRunScheduleActivity } from './run-schedule.ts'
import { createRunSystemJobActivity } from './system-job.ts'
import type { JobActivities } from './types.ts'
import { createUpdateInventoryActivity } from './update-inventory.ts'
import { createUpdateProjectActivity } from './update-project.ts'
import { createAdvanceActivity } from './workflow/advance.ts'
import { createLookAtApprovalActivity } from './workflow/approval.ts'

/** All activities over the same things; each leaves its errors as what they mean (guard.ts). */
export function createActivities(deps: ActivityDeps): JobActivities {
  return {
    prepare: guarded(createPrepareActivity(deps)),
    admit: guarded(createAdmitActivity(deps)),
    resumeAdmission: guarded(createResumeAdmissionActivity(deps)),
    runInPod: guarded(createRunInPodActivity(deps)),
    noteCancel: guarded(createNoteCancelActivity(deps)),
    lookAtHold: guarded(createLookAtHoldActivity(deps)),
    releasePod: guarded(createReleasePodActivity(deps)),
    finishJob: guarded(createFinishJobActivity(deps)),
    awaitJob: guarded(createAwaitJobActivity(deps)),
    updateProject: guarded(createUpdateProjectActivity(deps)),
    prepareInventoryUpdate: guarded(createPrepareInventoryUpdateActivity(deps)),
    updateInventory: guarded(createUpdateInventoryActivity(deps)),
    runSystemJob: guarded(createRunSystemJobActivity(deps)),
    deliver: guarded(createDeliverActivity(deps)),
    giveUpNotification: guarded(createGiveUpNotificationActivity(deps)),
    postWebhookStatus: guarded(createPostWebhookStatusActivity(deps)),
    advance: guarded(createAdvanceActivity(deps)),
    lookAtApproval: guarded(createLookAtApprovalActivity(deps)),
    runSchedule: guarded(createRunScheduleActivity(deps)),
    reap: guarded(createReapActivity(deps)),
    runPreflight: guarded(createRunPreflightActivity(deps)),
    nextGroupsToTest: guarded(createNextGroupsToTestActivity(deps)),
    beginNightlyPreflight: guarded(createBeginNightlyPreflightActivity(deps)),
  }
}
