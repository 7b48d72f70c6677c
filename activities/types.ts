import type { CauseKind } from '../model/cause.ts'
import type { FinalStatus } from '../model/job.ts'
import type { RunState } from '../model/schedule.ts'
import type { StartFacts } from '../model/start-facts.ts'

/**
 * What the workflows know of the activities. One verb each; inputs and results are single objects that hold ids and short texts only.
 *
 * A job as data:
 *   prepare({jobId:47})            -> { title:'deploy', blocked:false, dependencies:[], groups:[{id:3,name:'k8s'}] }
 *   admit({jobId:47,groupId:3,hasOthers:false}) -> { attemptId:91, groupId:3, pod:'automation-job-47-1', namespace:'jobs' }   (on queue group-3)
 *   runInPod({jobId:47,attemptId:91}) -> { status:'successful', cause:null, explanation:'', released:true }
 *   releasePod({jobId:47})         -> only when runInPod did not say that the pod is gone
 *   finishJob({jobId:47, ...})     -> only when no activity stored the final status
 */
export interface JobActivities {
  /**
   * Reconciles what an earlier run of this workflow left (fences and deletes its pod, clears its output), freezes what the job runs
   * (revision, execution environment) and tells what must happen first. Throws EndedJob for what can never run.
   */
  prepare(input: { jobId: number }): Promise<PreparedJob>
  /** Claims a place of the group for this job, creates its pod or adopts the one it made before. Benign retryable failure while there is no room. */
  admit(input: AdmitInput): Promise<Admission>
  /** As `admit`, for a job that has claimed its place already; without a claim, or when the place has to be given back, it fails as if there was no room. */
  resumeAdmission(input: { jobId: number; hasOthers: boolean }): Promise<Admission>
  /**
   * Delivers the payload, starts the play at most once, stores every line, stores the verdict, deletes the pod. Resumes wherever it was. `goesOn`: the
   * workflow understands verdicts with `again` and `held`; without it every end of the attempt is the job's, and no pod is kept.
   */
  runInPod(input: { jobId: number; attemptId: number; goesOn?: boolean }): Promise<Verdict>
  /** Writes on the job's row that its workflow was asked to cancel, for `runInPod` to hear of it sooner than by a heartbeat. */
  noteCancel(input: { jobId: number }): Promise<void>
  /** How long the job's pod is still to be kept; 0 when it is to be released, or is gone. */
  lookAtHold(input: { jobId: number }): Promise<{ msLeft: number }>
  /** Deletes the pods of the job's live attempts and gives their places back. Leaves what a newer run owns. */
  releasePod(input: { jobId: number }): Promise<void>
  /** Stores the final status of a job that ended outside runInPod, and returns what is stored: a final status is never overwritten. */
  finishJob(input: { jobId: number; status: FinalStatus; cause: CauseKind; explanation: string }): Promise<Verdict>
  /** Waits until an update that another job started has ended. Used where the child workflow exists already. */
  awaitJob(input: { jobId: number }): Promise<Verdict>
  /** Runs a project update on the control plane and stores its events and verdict. */
  updateProject(input: { jobId: number }): Promise<Verdict>
  /** Delivers one notification, and writes on its row how that went. */
  deliver(input: { notificationId: number }): Promise<{ sent: number }>
  /** Ends a notification that could not be delivered; `reason` is for the row where no try left one. */
  giveUpNotification(input: { notificationId: number; reason: string }): Promise<void>
  /** Tells the service whose web hook launched a job how it stands, unless that is what it was told last (`posted`; '' for nothing yet). */
  postWebhookStatus(input: { jobId: number; posted: string }): Promise<{ posted: string }>
  /**
   * One step of a workflow job: stores what follows from the ends of its nodes' jobs, and tells which jobs to start. `continues` is the run that this one
   * goes on from, null for a first one; `startedUpTo` the highest id of a job that was started; `cancel`: somebody cancelled the workflow.
   */
  advance(input: {
    jobId: number
    continues: string | null
    startedUpTo: number
    cancel: boolean
  }): Promise<WorkflowStep>
  /** How an approval stands; one whose time is over expires by this. `msLeft` until then; null: never. */
  lookAtApproval(input: { jobId: number }): Promise<{ verdict: Verdict | null; msLeft: number | null }>
  /** Launches the template of a schedule for one instant (`2026-11-21T18:00:00Z`), once however often it is asked for. */
  runSchedule(input: { scheduleId: number; instant: string }): Promise<ScheduledRun>
  /** As `prepare`, for an inventory update, which may run on the control plane. */
  prepareInventoryUpdate(input: { jobId: number }): Promise<PreparedInventoryUpdate>
  /** Runs an inventory update on the control plane, imports what it found and stores the verdict with it. */
  updateInventory(input: { jobId: number }): Promise<Verdict>
  /** Runs a system job on the control plane and stores its output and verdict. */
  runSystemJob(input: { jobId: number }): Promise<Verdict>
  /** One pass of the reaper over all clusters (docs/design.md: Ownership of pods); `passId`: one that somebody asked for, perhaps as a dry run. */
  reap(input?: ReapInput): Promise<ReapReport>
  /** Tests a container group or a credential, and stores what it found. */
  runPreflight(input: { preflightId: number }): Promise<{ ok: boolean }>
  /** Some container groups with a higher id than this one, lowest first; [] when there are no more. */
  nextGroupsToTest(input: { after: number }): Promise<{ groupIds: number[] }>
  /** Writes down a nightly test; null when the group is being tested already, or is gone. */
  beginNightlyPreflight(input: { groupId: number }): Promise<{ preflightId: number | null }>
}

/** What became of a run of a schedule. `void`: there is no such run, because the schedule was deleted, disabled or edited before. */
export interface ScheduledRun {
  state: RunState | 'void'
  jobId: number | null
  /** Short, without secrets. */
  explanation: string
}

/** Which group a job asks for a place. */
export interface AdmitInput {
  jobId: number
  groupId: number
  /** It asks other groups too: what is wrong with this one does not end the job (GroupUnusable). */
  hasOthers: boolean
}

/** A job at the start line. */
export interface PreparedJob {
  jobId: number
  /** For summaries in the Temporal UI: the job's name. */
  title: string
  /** Its template allows one job at a time, and it is another one's turn: prepare again when the signal `progress` tells that this may have changed. */
  blocked: boolean
  /** Updates that must succeed first; each runs as a child workflow on the control plane. */
  dependencies: Dependency[]
  /** Groups the job may run in, preferred first; never empty, unless it is blocked. */
  groups: { id: number; name: string }[]
}

/** An inventory update at the start line; without groups when it runs on the control plane. */
export interface PreparedInventoryUpdate extends PreparedJob {
  onControlPlane: boolean
}

/** An update that must succeed before a job. */
export interface Dependency {
  jobId: number
  kind: 'project_update' | 'inventory_update'
  title: string
  /** Others may wait for it too, so it goes on when this job is cancelled. */
  shared: boolean
}

/** The place and pod that a job got. */
export interface Admission {
  attemptId: number
  groupId: number
  pod: string
  namespace: string
}

/** What a step of a workflow job came to. */
export interface WorkflowStep {
  /** How the workflow job has ended; null while it has not. */
  ended: Verdict | null
  /** Another job of its template runs, and it waits for that one. */
  blocked: boolean
  starts: { jobId: number; facts: StartFacts }[]
  /** There is more to do at once. */
  more: boolean
  /** Nodes that have ended or never run, and how many there are. */
  settled: number
  nodes: number
}

/** How a job ended. */
export interface Verdict {
  status: FinalStatus
  cause: CauseKind | null
  /** job_explanation: short, without secrets. */
  explanation: string
  /** True when the pod is known to be gone and its place was given back. */
  released: boolean
  /** It is how an attempt ended, and the job is pending again for another one; `explanation` tells so. */
  again?: boolean
  /** The pod is kept for whoever wants to look into it. */
  held?: boolean
}

/** A pass that somebody asked for; without one it is the schedule's. */
export interface ReapInput {
  passId?: number
}

/** What one pass of the reaper found and did, in numbers; the whole of it is in the store. */
export interface ReapReport {
  /** Nothing was deleted, ended or given back. */
  dryRun: boolean
  podsSeen: number
  podsDeleted: number
  jobsEnded: number
  attemptsReleased: number
  /** Keys of launches (Idempotency-Key) that were kept for a day. */
  keysForgotten: number
  /** Notifications whose workflow was terminated. */
  notificationsGivenUp: number
  /** Clusters that could not be listed this time, by group name, with the reason. */
  unreachable: string[]
  /** Pods without a live owner that are left. */
  debtPods: number
}

/** Types of ApplicationFailure that activities throw and the workflow looks at. */
export const activityFailures = {
  /** The job ended (its final status is stored); carries a Verdict as first detail. Never retried. */
  ended: 'EndedJob',
  /** No room in the group; benign, retried. */
  noCapacity: 'NoCapacity',
  /** The group cannot run the job, and others may; carries a Verdict as first detail. Never retried. */
  unusable: 'GroupUnusable',
  /** What history says of the job's place or pod no longer holds, which an operator's Reset leads to: prepare and admit again. Never retried. */
  stale: 'StaleAttempt',
  /** The target of a notification did not take it; retried unless it never will. */
  undelivered: 'Undelivered',
  /** A newer run of the workflow owns the attempt; this run must stop without touching anything. Never retried. */
  fenced: 'Fenced',
} as const
