import { eq, sql } from 'drizzle-orm'
import { isFinal } from '../../model/job.ts'
import { mergeVariables, pythonJson, storedVariables, type Variables } from '../../model/variables.ts'
import type { Database } from '../database.ts'
import { type JobRow, restartJob } from '../job-status.ts'
import { createJob, secretAnswersKey } from '../launch/create-job.ts'
import { openSecretAnswers } from '../launch/launch-secrets.ts'
import { copyNodes } from '../launch/workflow-nodes.ts'
import { unifiedJobLabels } from '../schema/labels.ts'
import { workflowJobNodes } from '../schema/workflow-jobs.ts'
import type { Keyring } from '../secrets.ts'
import { readRunGraph } from './run-graph.ts'

/**
 * Takes a workflow job back to pending after a Reset in Temporal: what succeeded is taken over when its turn comes, what still runs goes on, and
 * the rest runs anew.
 */
export async function restartRun(tx: Database, workflowJobId: number): Promise<void> {
  await restartJob(tx, workflowJobId)
  const { nodes } = await readRunGraph(tx, workflowJobId)
  for (const { id, status, jobId } of nodes) {
    if (status !== null && !isFinal(status)) continue
    if (status === 'successful') {
      await tx
        .update(workflowJobNodes)
        .set({ jobId: null, reuseJobId: jobId, doNotRun: false, ancestorArtifacts: {} })
        .where(eq(workflowJobNodes.id, id))
    } else await retire(tx, id, jobId)
  }
}

/** Takes a node's job away from it, so that its turn comes again; the job is kept as an earlier one. */
export async function retire(tx: Database, nodeId: number, jobId: number | null): Promise<void> {
  const [node] = await tx
    .select({ earlier: workflowJobNodes.earlierJobs })
    .from(workflowJobNodes)
    .where(eq(workflowJobNodes.id, nodeId))
  const earlier = node?.earlier ?? []
  await tx
    .update(workflowJobNodes)
    .set({
      jobId: null,
      earlierJobs: jobId === null ? earlier : [...earlier, jobId],
      doNotRun: false,
      ancestorArtifacts: {},
    })
    .where(eq(workflowJobNodes.id, nodeId))
}

/** How a run is continued. */
export interface Continuation {
  keyring: Keyring
  createdById: number | null
  /** Variables that differ from the first run's; those that must not be shown read `$encrypted$`, with their values in `answers`. */
  extraVars: Variables
  answers: Variables
  /** Passwords that its jobs ask for; those of the first run were forgotten when it ended. */
  passwords: Record<string, string>
}

/**
 * Makes a new run of a workflow job that has ended, within the caller's transaction: the same nodes with the same prompts, where what succeeded is
 * taken over instead of run again. Nodes that an operator skipped stay skipped.
 */
export async function continueRun(tx: Database, run: JobRow, how: Continuation): Promise<JobRow> {
  const { [secretAnswersKey]: _sealed, ...launchConfig } = run.launchConfig
  const keptAnswers = openSecretAnswers(how.keyring, run)
  const stillValid = Object.entries(keptAnswers).filter(([name]) => !Object.hasOwn(how.extraVars, name))
  const answers = { ...Object.fromEntries(stillValid), ...how.answers }
  const secrets = Object.fromEntries(
    Object.entries(answers).map(([name, value]) => [`extra_vars.${name}`, String(value)]),
  )
  const labels = await tx
    .select({ id: unifiedJobLabels.labelId })
    .from(unifiedJobLabels)
    .where(eq(unifiedJobLabels.jobId, run.id))
  const next = await createJob(
    tx,
    {
      type: 'workflow_job',
      name: run.name,
      description: run.description,
      unifiedJobTemplateId: run.unifiedJobTemplateId,
      workflowJobTemplateId: run.workflowJobTemplateId,
      jobTemplateId: run.jobTemplateId,
      isSlicedJob: run.isSlicedJob,
      organizationId: run.organizationId,
      launchType: 'relaunch',
      createdById: how.createdById,
      continuedFromId: run.id,
      launchConfig: withVariables(launchConfig, how.extraVars),
      inventoryId: run.inventoryId,
      limit: run.limit,
      scmBranch: run.scmBranch,
      jobTags: run.jobTags,
      skipTags: run.skipTags,
      extraVars: pythonJson(mergeVariables(storedVariables(run.extraVars), how.extraVars)),
      allowSimultaneous: run.allowSimultaneous,
      priority: run.priority,
      childPriority: run.childPriority,
    },
    {
      labelIds: labels.map(({ id }) => id),
      secrets: { ...how.passwords, ...secrets },
      answers,
      keyring: how.keyring,
    },
  )
  const copyOf = await copyNodes(tx, { job: run.id }, { job: next.id })
  const { nodes } = await readRunGraph(tx, run.id)
  const kept = nodes.filter(({ status, skipped }) => skipped || status === 'successful')
  if (kept.length === 0) return next
  const column = (values: unknown[], type: 'int' | 'bool') => sql`unnest(${sql.param(values)}::${sql.raw(type)}[])`
  await tx.execute(sql`
    UPDATE ${workflowJobNodes} AS node SET skipped = earlier.skipped, reuse_job_id = earlier.job_id
    FROM (SELECT ${column(
      kept.map(({ id }) => copyOf.get(id)),
      'int',
    )} AS id, ${column(
      kept.map(({ status, jobId }) => (status === 'successful' ? jobId : null)),
      'int',
    )} AS job_id, ${column(
      kept.map(({ skipped }) => skipped),
      'bool',
    )} AS skipped) AS earlier
    WHERE node.id = earlier.id`)
  return next
}

function withVariables(config: Record<string, unknown>, extraVars: Variables): Record<string, unknown> {
  if (Object.keys(extraVars).length === 0) return config
  return { ...config, extra_vars: mergeVariables(config.extra_vars as Variables | undefined, extraVars) }
}
