import { type SQLWrapper, sql } from 'drizzle-orm'
import type { Prompts } from '../../model/prompts.ts'
import { storedVariables } from '../../model/variables.ts'
import type { ForcedVariables } from '../../model/workflow/variables.ts'
import type { Database } from '../database.ts'
import type { JobRow } from '../job-status.ts'
import { secretAnswersKey } from '../launch/create-job.ts'
import { openLaunchSecrets, openSecretAnswers } from '../launch/launch-secrets.ts'
import { openAnswers } from '../launch/saved-answers.ts'
import { workflowJobNodeLabels as ofLabels } from '../schema/labels.ts'
import {
  workflowJobNodeCredentials as ofCredentials,
  workflowJobNodeInstanceGroups as ofGroups,
  type workflowJobNodes,
} from '../schema/workflow-jobs.ts'
import type { Keyring } from '../secrets.ts'

/** A node of a workflow job as stored. */
export type NodeRow = typeof workflowJobNodes.$inferSelect

/** What a node says to the launch of its template, by one query; answers to password questions in clear. */
export async function readNodePrompts(tx: Database, keyring: Keyring, node: NodeRow): Promise<Prompts> {
  const ids = (table: SQLWrapper, column: SQLWrapper, nodeId: SQLWrapper, order: SQLWrapper) =>
    sql<number[] | null>`(SELECT json_agg(${column} ORDER BY ${order}) FROM ${table} WHERE ${nodeId} = ${node.id})`
  const [row] = await tx
    .select({
      credentials: ids(ofCredentials, ofCredentials.credentialId, ofCredentials.nodeId, ofCredentials.credentialId),
      labels: ids(ofLabels, ofLabels.labelId, ofLabels.nodeId, ofLabels.labelId),
      groups: ids(ofGroups, ofGroups.instanceGroupId, ofGroups.nodeId, ofGroups.position),
    })
    .from(sql`(SELECT 1) AS one`)
  const variables = openAnswers(keyring, node.unifiedJobTemplateId ?? 0, node.extraData)
  return withoutAbsent({
    scm_branch: node.scmBranch ?? undefined,
    extra_vars: Object.keys(variables).length > 0 ? variables : undefined,
    job_tags: node.jobTags ?? undefined,
    diff_mode: node.diffMode ?? undefined,
    skip_tags: node.skipTags ?? undefined,
    job_type: (node.jobType as Prompts['job_type'] | null) ?? undefined,
    limit: node.limit ?? undefined,
    verbosity: node.verbosity ?? undefined,
    inventory: node.inventoryId ?? undefined,
    credentials: row?.credentials ?? undefined,
    execution_environment: node.executionEnvironmentId ?? undefined,
    labels: row?.labels ?? undefined,
    forks: node.forks ?? undefined,
    job_slice_count: node.jobSliceCount ?? undefined,
    timeout: node.timeout ?? undefined,
    priority: node.priority ?? undefined,
    instance_groups: row?.groups ?? undefined,
  })
}

/** What a workflow job says to the launches of all its nodes; an empty text says nothing. Of a sliced job, the prompts of its launch. */
export function workflowJobPrompts(workflow: JobRow): Prompts {
  if (workflow.isSlicedJob) {
    const {
      extra_vars: _variables,
      job_slice_count: _count,
      [secretAnswersKey]: _answers,
      ...prompts
    } = workflow.launchConfig
    return prompts as Prompts
  }
  return withoutAbsent({
    inventory: workflow.inventoryId ?? undefined,
    limit: workflow.limit || undefined,
    scm_branch: workflow.scmBranch || undefined,
    job_tags: workflow.jobTags || undefined,
    skip_tags: workflow.skipTags || undefined,
  })
}

/** Variables of a workflow job in clear, the names of the secret ones, and the passwords that its slices need. */
export interface WorkflowSecrets {
  forced: ForcedVariables
  passwords: Record<string, string>
}

/** Opens what a workflow job was launched with. Passwords are there until it has ended; answers to password questions stay. */
export function openWorkflow(keyring: Keyring, workflow: JobRow): WorkflowSecrets {
  const answers = openSecretAnswers(keyring, workflow)
  return {
    forced: {
      variables: { ...storedVariables(workflow.extraVars), ...answers },
      secretNames: Object.keys(answers),
    },
    passwords: openLaunchSecrets(keyring, workflow),
  }
}

function withoutAbsent<Value extends object>(value: { [Key in keyof Value]?: Value[Key] | undefined }): Value {
  return Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined)) as Value
}
