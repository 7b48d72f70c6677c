import { sql } from 'drizzle-orm'
import {
  type AnyPgColumn,
  bigint,
  boolean,
  customType,
  doublePrecision,
  index,
  integer,
  json,
  pgTable,
  primaryKey,
  text,
  uniqueIndex,
} from 'drizzle-orm/pg-core'
import type { Cause } from '../../model/cause.ts'
import type { ContainerSpec } from '../../model/container.ts'
import type { JobStatus, JobType, LaunchType } from '../../model/job.ts'
import type { PassedOver } from '../../model/passed-over.ts'
import { defaultPriority } from '../../model/priority.ts'
import type { Retries } from '../../model/retry.ts'
import type { RetryPolicy } from '../../model/retry-policy.ts'
import { groupsKey, standing } from '../line-key.ts'
import { oneAtATime } from '../turn-line.ts'
import { credentials, executionEnvironments, instanceGroups, organizations } from './catalog.ts'
import { instant, stamps, users } from './identity.ts'
import { inventories } from './inventory.ts'
import { schedules } from './schedules.ts'
import { jobTemplates, projects } from './templates.ts'
import { inventorySources, systemJobTemplates } from './updates.ts'
import { workflowApprovalTemplates, workflowJobTemplates } from './workflows.ts'

const bytes = customType<{ data: Buffer; driverData: Uint8Array }>({
  dataType: () => 'bytea',
  fromDriver: (value) => Buffer.from(value),
})

const jobReference = () =>
  integer()
    .notNull()
    .references(() => unifiedJobs.id, { onDelete: 'cascade' })

/**
 * Every job of every kind, so that ids are unique over all kinds and the unified list is one query.
 * Columns below a heading that names a kind are empty for other kinds, unless those say otherwise.
 */
export const unifiedJobs = pgTable(
  'unified_jobs',
  {
    id: integer().primaryKey().generatedAlwaysAsIdentity(),
    type: text().$type<JobType>().notNull(),
    name: text().notNull(),
    description: text().notNull().default(''),
    /** Id of the template or project it was made from, in their shared id space; survives its deletion as null. */
    unifiedJobTemplateId: integer(),
    organizationId: integer().references(() => organizations.id, { onDelete: 'set null' }),
    launchType: text().$type<LaunchType>().notNull().default('manual'),
    status: text().$type<JobStatus>().notNull().default('new'),
    failed: boolean().notNull().default(false),
    started: instant(),
    finished: instant(),
    canceledOn: instant(),
    elapsed: doublePrecision().notNull().default(0),
    cancelFlag: boolean().notNull().default(false),
    jobExplanation: text().notNull().default(''),
    resultTraceback: text().notNull().default(''),
    /** The one typed reason why the last attempt ended; null while it runs and after a plain success. */
    cause: text().$type<Cause['kind']>(),
    jobArgs: text().notNull().default(''),
    jobCwd: text().notNull().default(''),
    jobEnv: json().$type<Record<string, string>>().notNull().default({}),
    executionNode: text().notNull().default(''),
    controllerNode: text().notNull().default(''),
    workUnitId: text(),
    executionEnvironmentId: integer().references(() => executionEnvironments.id, { onDelete: 'set null' }),
    instanceGroupId: integer().references(() => instanceGroups.id, { onDelete: 'set null' }),
    /** Events the runner emitted, known at its end; with eventsStored it tells event_processing_finished. */
    eventsEmitted: integer(),
    eventsStored: integer().notNull().default(0),
    hostStatusCounts: json().$type<Record<string, number>>().notNull().default({}),
    playCount: integer().notNull().default(0),
    taskCount: integer().notNull().default(0),
    artifacts: json().$type<Record<string, unknown>>().notNull().default({}),
    scmRevision: text().notNull().default(''),
    /** The Temporal run that owns the job now. Another run id in `prepare` means that an operator reset the workflow: the job starts anew. */
    runId: text(),
    /** Number of the newest attempt; 0 before the first admission. */
    attemptCount: integer().notNull().default(0),
    /** When `prepare` was done and the job stood in its group's queue; with waitingReason, the answer to "why is it waiting". */
    waitingSince: instant(),
    waitingReason: text().notNull().default(''),
    /** Groups in which it had no place, as long as it waited (store/passed-over.ts). */
    passedOver: json().$type<PassedOver[]>().notNull().default([]),
    /** 1 is served first (model/priority.ts). */
    priority: integer().notNull().default(defaultPriority),
    /** When it was moved to the head of its line, because it had waited for long while more urgent ones were served (store/raise-starved.ts). */
    raisedAt: instant(),
    /** Of a workflow job: the priority of all its jobs; null: each has that of its own template. */
    childPriority: integer(),
    /** Instance groups it may run in, preferred first, frozen at launch. */
    eligibleGroups: json().$type<number[]>().notNull().default([]),
    /** Prompts as launched (wire names), for relaunch. */
    launchConfig: json().$type<Record<string, unknown>>().notNull().default({}),
    /** credential_passwords given at launch, sealed by store/secrets.ts; wiped when the job ends. */
    launchSecrets: text(),
    /** The workflow job that a node of made this job; it is told when the job ends. */
    workflowJobId: integer().references((): AnyPgColumn => unifiedJobs.id, { onDelete: 'set null' }),
    /** The schedule that launched it. */
    scheduleId: integer().references(() => schedules.id, { onDelete: 'set null' }),
    createdById: integer().references(() => users.id, { onDelete: 'set null' }),
    modifiedById: integer().references(() => users.id, { onDelete: 'set null' }),
    ...stamps(),

    // Playbook jobs
    jobTemplateId: integer().references(() => jobTemplates.id, { onDelete: 'set null' }),
    jobType: text().notNull().default('run'),
    inventoryId: integer().references(() => inventories.id, { onDelete: 'set null' }),
    projectId: integer().references(() => projects.id, { onDelete: 'set null' }),
    playbook: text().notNull().default(''),
    scmBranch: text().notNull().default(''),
    forks: integer().notNull().default(0),
    limit: text().notNull().default(''),
    verbosity: integer().notNull().default(0),
    extraVars: text().notNull().default('{}'),
    jobTags: text().notNull().default(''),
    forceHandlers: boolean().notNull().default(false),
    skipTags: text().notNull().default(''),
    startAtTask: text().notNull().default(''),
    timeout: integer().notNull().default(0),
    useFactCache: boolean().notNull().default(false),
    becomeEnabled: boolean().notNull().default(false),
    diffMode: boolean().notNull().default(false),
    allowSimultaneous: boolean().notNull().default(false),
    jobSliceNumber: integer().notNull().default(0),
    jobSliceCount: integer().notNull().default(1),
    /** What a container job runs instead of a playbook. */
    container: json().$type<ContainerSpec>(),
    /** Frozen at launch. */
    retryPolicy: json().$type<RetryPolicy>().notNull().default({}),
    holdOnFailureSeconds: integer().notNull().default(0),
    /** What was tried again by that policy, since the job began or was reset. */
    retries: json().$type<Retries>().notNull().default({}),
    /** The project update that this job, or update of an inventory from a project, made or waits for. */
    projectUpdateId: integer(),
    /** Updates of its inventory's sources that this job made or waits for; of an update of a constructed inventory, those of its inputs. */
    inventoryUpdateIds: json().$type<number[]>().notNull().default([]),

    // Project updates
    localPath: text().notNull().default(''),
    scmType: text().notNull().default(''),
    scmUrl: text().notNull().default(''),
    scmRefspec: text().notNull().default(''),
    scmClean: boolean().notNull().default(false),
    scmTrackSubmodules: boolean().notNull().default(false),
    scmDeleteOnUpdate: boolean().notNull().default(false),
    credentialId: integer().references(() => credentials.id, { onDelete: 'set null' }),

    // Ad hoc commands
    moduleName: text().notNull().default(''),
    moduleArgs: text().notNull().default(''),

    // Inventory updates
    inventorySourceId: integer().references(() => inventorySources.id, { onDelete: 'set null' }),
    source: text().notNull().default(''),
    sourcePath: text().notNull().default(''),
    sourceVars: text().notNull().default(''),
    enabledVar: text().notNull().default(''),
    enabledValue: text().notNull().default(''),
    hostFilter: text().notNull().default(''),
    overwrite: boolean().notNull().default(false),
    overwriteVars: boolean().notNull().default(false),
    licenseError: boolean().notNull().default(false),
    orgHostLimitError: boolean().notNull().default(false),

    // System jobs
    systemJobTemplateId: integer().references(() => systemJobTemplates.id, { onDelete: 'set null' }),
    /** What it printed; other kinds have events. */
    resultStdout: text().notNull().default(''),

    // Workflow jobs; a sliced job has a job template instead of a workflow job template
    workflowJobTemplateId: integer().references((): AnyPgColumn => workflowJobTemplates.id, { onDelete: 'set null' }),
    isSlicedJob: boolean().notNull().default(false),
    /** No further node is started until it is resumed. */
    paused: boolean().notNull().default(false),
    /** The workflow job whose successes this one reuses. */
    continuedFromId: integer().references((): AnyPgColumn => unifiedJobs.id, { onDelete: 'set null' }),
    webhookService: text().notNull().default(''),
    webhookCredentialId: integer().references(() => credentials.id, { onDelete: 'set null' }),
    webhookGuid: text().notNull().default(''),

    // Workflow approvals
    workflowApprovalTemplateId: integer().references((): AnyPgColumn => workflowApprovalTemplates.id, {
      onDelete: 'set null',
    }),
    approvalExpiration: instant(),
    timedOut: boolean().notNull().default(false),
    approvedOrDeniedById: integer().references(() => users.id, { onDelete: 'set null' }),
  },
  (table) => [
    index().on(table.status),
    index().on(table.workflowJobId),
    index().on(table.scheduleId),
    index().on(table.type, table.finished),
    index().on(table.unifiedJobTemplateId),
    index().on(table.instanceGroupId, table.status),
    index().on(table.raisedAt).where(sql`raised_at IS NOT NULL`),
    // How long a line is that jobs joined.
    index('unified_jobs_standing_index')
      .on(table.priority, sql`coalesce(organization_id, 0)`, groupsKey())
      .where(standing()),
    // Whose turn it is of a template that allows one job at a time.
    index('unified_jobs_one_at_a_time_index')
      .on(table.unifiedJobTemplateId, table.status, table.id)
      .where(oneAtATime()),
  ],
)

/** Credentials of a job, as it was launched. */
export const unifiedJobCredentials = pgTable(
  'unified_job_credentials',
  {
    jobId: jobReference(),
    credentialId: integer()
      .notNull()
      .references(() => credentials.id, { onDelete: 'cascade' }),
  },
  (table) => [primaryKey({ columns: [table.jobId, table.credentialId] })],
)

/**
 * One row per runner event. `stdout` is text; where the runner's bytes are not valid UTF-8 or hold NUL, `stdoutRaw` keeps them exactly.
 * `eventData` is `json`, not `jsonb`: written once, read whole, and it may hold \u0000.
 */
export const jobEvents = pgTable(
  'job_events',
  {
    id: bigint({ mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
    jobId: jobReference(),
    counter: integer().notNull(),
    event: text().notNull(),
    uuid: text().notNull(),
    parentUuid: text().notNull().default(''),
    failed: boolean().notNull().default(false),
    changed: boolean().notNull().default(false),
    hostId: integer(),
    hostName: text().notNull().default(''),
    playbook: text().notNull().default(''),
    play: text().notNull().default(''),
    task: text().notNull().default(''),
    role: text().notNull().default(''),
    stdout: text().notNull().default(''),
    stdoutRaw: bytes(),
    startLine: integer().notNull().default(0),
    endLine: integer().notNull().default(0),
    verbosity: integer().notNull().default(0),
    eventData: json().$type<Record<string, unknown>>().notNull().default({}),
    ...stamps(),
  },
  (table) => [
    uniqueIndex().on(table.jobId, table.counter),
    index().on(table.jobId, table.startLine, table.counter),
    index().on(table.jobId, table.uuid),
    index().on(table.jobId, table.parentUuid),
  ],
)

/** What a play did on one host, in counts. */
export const jobHostSummaries = pgTable(
  'job_host_summaries',
  {
    id: integer().primaryKey().generatedAlwaysAsIdentity(),
    jobId: jobReference(),
    hostId: integer(),
    hostName: text().notNull(),
    changed: integer().notNull().default(0),
    dark: integer().notNull().default(0),
    failures: integer().notNull().default(0),
    ignored: integer().notNull().default(0),
    ok: integer().notNull().default(0),
    processed: integer().notNull().default(0),
    rescued: integer().notNull().default(0),
    skipped: integer().notNull().default(0),
    failed: boolean().notNull().default(false),
    ...stamps(),
  },
  (table) => [uniqueIndex().on(table.jobId, table.hostName), index().on(table.hostId)],
)

/** The zip of the files that a play left, in order; chunks because it may be hundreds of megabytes. */
export const artifactChunks = pgTable(
  'artifact_chunks',
  { jobId: jobReference(), sequence: integer().notNull(), data: bytes().notNull() },
  (table) => [primaryKey({ columns: [table.jobId, table.sequence] })],
)
