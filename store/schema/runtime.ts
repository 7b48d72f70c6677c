import { bigint, boolean, index, integer, json, pgTable, primaryKey, text, uniqueIndex } from 'drizzle-orm/pg-core'
import type { AttemptPhase } from '../../model/attempt.ts'
import type { BrakeKind } from '../../model/brake.ts'
import type { Cause } from '../../model/cause.ts'
import type { PostMortem } from '../../model/post-mortem.ts'
import type { PreflightReport } from '../../model/preflight.ts'
import type { ReaperReport } from '../../model/reaper-report.ts'
import { credentials, instanceGroups } from './catalog.ts'
import { instant, users } from './identity.ts'
import { unifiedJobs } from './jobs.ts'

/**
 * One pod for one job. A live attempt (releasedAt is null) holds one place of its group: counting these rows under the group's lock
 * is the claim that keeps max_concurrent_jobs exact. It also carries how far the spool has been stored.
 */
export const attempts = pgTable(
  'attempts',
  {
    id: integer().primaryKey().generatedAlwaysAsIdentity(),
    jobId: integer()
      .notNull()
      .references(() => unifiedJobs.id, { onDelete: 'cascade' }),
    /** 1, 2, … within the job; part of the pod's name. */
    number: integer().notNull(),
    instanceGroupId: integer().references(() => instanceGroups.id, { onDelete: 'set null' }),
    workflowId: text().notNull(),
    /** The Temporal run that owns it now: only that run may write for it or delete its pod. */
    runId: text().notNull(),
    phase: text().$type<AttemptPhase>().notNull(),
    /** Which cluster: a key of the endpoint and credential, so that the reaper still finds pods after the group was edited. */
    clusterKey: text().notNull().default(''),
    credentialId: integer(),
    namespace: text().notNull().default(''),
    podName: text().notNull().default(''),
    podUid: text(),
    /** What it counts against the group's max_forks: the job's task impact (model/task-impact.ts). */
    impact: integer().notNull().default(0),
    /** The memory limit that this attempt has instead of the group's, after one that ran out of it; null: the group's. */
    memoryBytes: bigint({ mode: 'number' }),
    /** The pod is kept until then, for whoever wants to look into it; the place stays taken. */
    heldUntil: instant(),
    /** When a payload was first about to be sent; noted only where it matters whether the play can have begun (model/retry.ts). */
    offeredAt: instant(),
    /** The end of what it printed, when another attempt followed: the job's output is that of its last attempt. */
    lastOutput: text().notNull().default(''),
    /** Bytes of the spool stored so far, always at the end of a record. */
    offset: bigint({ mode: 'number' }).notNull().default(0),
    lastCounter: integer().notNull().default(0),
    cause: json().$type<Cause>(),
    claimedAt: instant().notNull().defaultNow(),
    podCreatedAt: instant(),
    deliveredAt: instant(),
    firstEventAt: instant(),
    endedAt: instant(),
    releasedAt: instant(),
  },
  (table) => [
    uniqueIndex().on(table.jobId, table.number),
    index().on(table.instanceGroupId, table.releasedAt),
    index().on(table.podName),
  ],
)

/**
 * What a message to Temporal says. start, cancel: of the job's workflow. progress: something of a workflow job's nodes has changed. decided: an
 * approval was approved or denied. notify: a notification is to be delivered. plan_schedule: a schedule was changed or deleted. webhook_status: the service whose
 * web hook launched a job is to be told how it stands. preflight: a group or credential is to be tested. reap: somebody asked for a pass of the reaper.
 * raise: a waiting job is to be moved to the head of its line.
 */
export type OutboxKind =
  | 'start'
  | 'cancel'
  | 'progress'
  | 'decided'
  | 'notify'
  | 'plan_schedule'
  | 'webhook_status'
  | 'preflight'
  | 'reap'
  | 'raise'

/** What must be told to Temporal; written in the transaction that makes it so, sent by the worker's outbox service. */
export const outbox = pgTable(
  'outbox',
  {
    id: bigint({ mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
    kind: text().$type<OutboxKind>().notNull(),
    /** Id of the job, notification or schedule that `kind` speaks of. */
    subjectId: integer().notNull(),
    /** Counts what was asked for again: a message that was asked for again while it was being sent is sent once more. */
    asked: integer().notNull().default(1),
    /** What is sent first: 0 what cannot wait (cancels, signals), then starts by the priority of their job, 7 plans of schedules; 9 what is not sent, because its turn has not come (store/turn-line.ts). */
    urgency: integer().notNull().default(0),
    /** Starts of one urgency are sent in turn, each organization's by its weight; 0: of none. */
    organizationId: integer().notNull().default(0),
    /** Of a start: the line that it joins (store/line-key.ts), which may be too long for it just now, or the template that it waits for; '' for everything that is sent at once. */
    line: text().notNull().default(''),
    tries: integer().notNull().default(0),
    lastError: text().notNull().default(''),
    nextTryAt: instant().notNull().defaultNow(),
    created: instant().notNull().defaultNow(),
  },
  (table) => [
    index().on(table.nextTryAt),
    index().on(table.urgency, table.organizationId, table.line, table.id),
    uniqueIndex().on(table.subjectId, table.kind),
  ],
)

/** Why a group admits nobody just now, as its gate sees it; what job_explanation is made of while a job waits. */
export const groupBrakes = pgTable('group_brakes', {
  instanceGroupId: integer()
    .primaryKey()
    .references(() => instanceGroups.id, { onDelete: 'cascade' }),
  kind: text().$type<BrakeKind>().notNull().default('quota'),
  reason: text().notNull(),
  since: instant().notNull().defaultNow(),
})

/** Worker processes that take work: each says every few seconds that it is there, so that a job that waits in vain can say that none is. */
export const workers = pgTable('workers', {
  /** Of the process. */
  id: text().primaryKey(),
  nodeName: text().notNull(),
  started: instant().notNull().defaultNow(),
  seen: instant().notNull().defaultNow(),
})

/** What was kept of an attempt's pod before it was deleted, or of one that was refused its pod, by the attempt's number: the row of such a one is gone. */
export const postMortems = pgTable(
  'post_mortems',
  {
    jobId: integer()
      .notNull()
      .references(() => unifiedJobs.id, { onDelete: 'cascade' }),
    attempt: integer().notNull(),
    document: json().$type<PostMortem>().notNull(),
  },
  (table) => [primaryKey({ columns: [table.jobId, table.attempt] })],
)

/**
 * Tests of groups and credentials, and what they found; the last ones of each are kept. Exactly one of the two is tested. A test that is under way owns
 * its pod, until it is over or its time is.
 */
export const preflightReports = pgTable(
  'preflight_reports',
  {
    id: integer().primaryKey().generatedAlwaysAsIdentity(),
    instanceGroupId: integer().references(() => instanceGroups.id, { onDelete: 'cascade' }),
    credentialId: integer().references(() => credentials.id, { onDelete: 'cascade' }),
    /** manual: somebody asked; nightly: the schedule did. */
    trigger: text().$type<'manual' | 'nightly'>().notNull(),
    /** Whether a real pod is made, which takes the longest. */
    runPod: boolean().notNull().default(true),
    /** Null while the test is under way, as the report is. */
    ok: boolean(),
    report: json().$type<PreflightReport>(),
    created: instant().notNull().defaultNow(),
    /** Since when its pod takes a place of the group; until the test is over. */
    placeSince: instant(),
    finished: instant(),
  },
  (table) => [index().on(table.instanceGroupId, table.id), index().on(table.credentialId, table.id)],
)

/** Passes of the reaper: those of its schedule and those that were asked for, and what they found. The last ones are kept. */
export const reaperPasses = pgTable('reaper_passes', {
  id: integer().primaryKey().generatedAlwaysAsIdentity(),
  /** Says what it would do, and does nothing. */
  dryRun: boolean().notNull(),
  trigger: text().$type<'manual' | 'schedule'>().notNull(),
  createdById: integer().references(() => users.id, { onDelete: 'set null' }),
  /** Null while the pass is under way. */
  report: json().$type<ReaperReport>(),
  created: instant().notNull().defaultNow(),
  finished: instant(),
})
