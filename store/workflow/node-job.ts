import { eq } from 'drizzle-orm'
import type { Variables } from '../../model/variables.ts'
import { mergeVariables } from '../../model/variables.ts'
import { forcedVariables, nodePrompts } from '../../model/workflow/variables.ts'
import type { Database } from '../database.ts'
import type { JobRow } from '../job-status.ts'
import { createJob } from '../launch/create-job.ts'
import { createInventoryUpdate } from '../launch/inventory-update.ts'
import { acceptedOrBare, decideSavedLaunch, makeLaunchedJob } from '../launch/job-template.ts'
import type { Accepted, LaunchOrigin } from '../launch/new-job.ts'
import type { TemplateRow } from '../launch/sources.ts'
import { createSystemJob } from '../launch/system-job.ts'
import {
  decideWorkflowLaunch,
  makeLaunchedWorkflowJob,
  ofWorkflowTemplate,
  type WorkflowTemplateRow,
} from '../launch/workflow-template.ts'
import { createProjectUpdate } from '../project-updates.ts'
import { unifiedJobs } from '../schema/jobs.ts'
import { jobTemplates, projects } from '../schema/templates.ts'
import { inventorySources, systemJobTemplates } from '../schema/updates.ts'
import { workflowApprovalTemplates, workflowJobTemplates } from '../schema/workflows.ts'
import type { Keyring } from '../secrets.ts'
import { ancestorsOf } from './ancestors.ts'
import { createApproval } from './approve.ts'
import { type NodeRow, readNodePrompts, type WorkflowSecrets, workflowJobPrompts } from './node-prompts.ts'

/** A workflow job at work, with what was opened of it. */
export interface Workflow extends WorkflowSecrets {
  row: JobRow
  keyring: Keyring
  /** Slices of a sliced job; 0 for any other. */
  slices: number
}

/** The job of a node; `problem` says why it can never run, in AWX's words: then its end is to be written. */
export interface NodeJob {
  jobId: number
  problem: string | null
}

const notStartable =
  'Job spawned from workflow could not start because it was not in the right state or required manual credentials'
const resourceMissing =
  'Job spawned from workflow could not start because it was missing a related resource such as project or inventory'

/**
 * Makes the job of a node whose turn has come, pending and without a message that starts it: the workflow of the workflow job does. Null when the
 * node's template is gone. `artifacts` are those that the node inherits.
 */
export async function makeNodeJob(
  tx: Database,
  workflow: Workflow,
  node: NodeRow,
  artifacts: Variables,
): Promise<NodeJob | null> {
  const templateId = node.unifiedJobTemplateId
  if (templateId === null) return null
  switch (node.templateType) {
    case 'job_template': {
      const [template] = await tx.select().from(jobTemplates).where(eq(jobTemplates.id, templateId))
      return template ? await makePlay(tx, workflow, node, artifacts, template) : null
    }
    case 'workflow_job_template': {
      const [template] = await tx.select().from(workflowJobTemplates).where(eq(workflowJobTemplates.id, templateId))
      return template ? await makeNested(tx, workflow, node, artifacts, template) : null
    }
    case 'project': {
      const [project] = await tx.select().from(projects).where(eq(projects.id, templateId))
      return project ? await makeProjectUpdate(tx, workflow, project) : null
    }
    case 'workflow_approval_template': {
      const [template] = await tx
        .select()
        .from(workflowApprovalTemplates)
        .where(eq(workflowApprovalTemplates.id, templateId))
      return template ? { jobId: await createApproval(tx, template, workflow.row), problem: null } : null
    }
    case 'inventory_source': {
      const [source] = await tx.select().from(inventorySources).where(eq(inventorySources.id, templateId))
      return source ? { jobId: await createInventoryUpdate(tx, source, originOf(workflow)), problem: null } : null
    }
    case 'system_job_template': {
      const [template] = await tx.select().from(systemJobTemplates).where(eq(systemJobTemplates.id, templateId))
      if (!template) return null
      const launch = { ...originOf(workflow), extraVars: node.extraData }
      return { jobId: await createSystemJob(tx, template, launch), problem: null }
    }
    case null:
      return null
  }
}

function originOf({ row }: Workflow): LaunchOrigin & { workflowJobId: number } {
  const inherited = row.childPriority === null ? {} : { priority: row.childPriority }
  return { launchType: 'workflow', createdById: row.createdById, workflowJobId: row.id, ...inherited }
}

async function makePlay(
  tx: Database,
  workflow: Workflow,
  node: NodeRow,
  artifacts: Variables,
  template: TemplateRow,
): Promise<NodeJob> {
  const { keyring, row, passwords } = workflow
  const forced = forcedVariables('job_template', artifacts, workflow.forced)
  const own = await readNodePrompts(tx, keyring, node)
  const isSlice = node.jobSlice > 0
  const saved = isSlice ? workflowJobPrompts(row) : nodePrompts(own, workflowJobPrompts(row))
  const asked = { ...saved, extra_vars: mergeVariables(saved.extra_vars, forced.variables) }
  const launch = await decideSavedLaunch({ db: tx, keyring }, template, asked, passwords)
  const problem = launch.decision.ok ? null : problemOf(launch.decision.errors)
  const base = acceptedOrBare(launch)
  const variables = mergeVariables(base.accepted.extra_vars, forced.variables)
  const accepted: Accepted = {
    ...base,
    accepted: { ...base.accepted, ...(Object.keys(variables).length > 0 ? { extra_vars: variables } : {}) },
  }
  const slicing = isSlice ? { number: node.jobSlice, count: workflow.slices } : problem ? 'never' : 'allowed'
  const origin = { ...originOf(workflow), hidden: forced.secretNames }
  const made = await makeLaunchedJob(tx, keyring, launch, accepted, origin, slicing)
  return { jobId: made.id, problem }
}

function problemOf(errors: Record<string, unknown>): string {
  if (errors.resources_needed_to_start || errors.inventory || errors.project || errors.playbook) return resourceMissing
  if (errors.passwords_needed_to_start) return notStartable
  const messages = Object.values(errors).flat().map(String)
  return `Job spawned from workflow could not start because of its prompts: ${messages.join(' ')}`
}

async function makeNested(
  tx: Database,
  workflow: Workflow,
  node: NodeRow,
  artifacts: Variables,
  template: WorkflowTemplateRow,
): Promise<NodeJob> {
  const { keyring, row } = workflow
  const ancestors = await ancestorsOf(tx, row.id)
  if (ancestors.some(({ templateId }) => templateId === template.id)) {
    const order = [{ name: template.name, templateId: template.id }, ...ancestors]
    const shown = order.map(({ name, templateId }) => `<${name}-${templateId}>`).join(', ')
    const problem = `Workflow Job spawned from workflow could not start because it would result in recursion (spawn order, most recent first: ${shown})`
    return { jobId: await makeNestedRow(tx, workflow, template), problem }
  }
  const forced = forcedVariables('workflow_job_template', artifacts, workflow.forced)
  const own = await readNodePrompts(tx, keyring, node)
  const prompts = nodePrompts(own, workflowJobPrompts(row), workflow.forced.variables)
  const launch = await decideWorkflowLaunch({ db: tx, keyring }, template, prompts, { unprompted: 'ignore' })
  const { decision } = launch
  if (!decision.ok) return { jobId: await makeNestedRow(tx, workflow, template), problem: problemOf(decision.errors) }
  const variables = mergeVariables(decision.accepted.extra_vars, forced.variables)
  const accepted = {
    ...decision,
    accepted: { ...decision.accepted, ...(Object.keys(variables).length > 0 ? { extra_vars: variables } : {}) },
  }
  const hidden = [...workflow.forced.secretNames, ...forced.secretNames]
  const made = await makeLaunchedWorkflowJob(tx, keyring, launch, accepted, { ...originOf(workflow), hidden })
  return { jobId: made.id, problem: null }
}

/** The row of a workflow job that never runs: without nodes. */
async function makeNestedRow(tx: Database, workflow: Workflow, template: WorkflowTemplateRow): Promise<number> {
  const job = await createJob(tx, { ...ofWorkflowTemplate(template), ...originOf(workflow) })
  return job.id
}

async function makeProjectUpdate(
  tx: Database,
  workflow: Workflow,
  project: typeof projects.$inferSelect,
): Promise<NodeJob> {
  const { workflowJobId, ...launch } = originOf(workflow)
  const jobId = await createProjectUpdate(tx, project, launch)
  await tx.update(unifiedJobs).set({ workflowJobId }).where(eq(unifiedJobs.id, jobId))
  return { jobId, problem: null }
}
