import type { JobType } from '../job.ts'
import type { ApprovalNotificationEvent } from './types.ts'

/** A job as messages see it. Instants as on the wire (`2026-11-21T13:17:15.881572Z`). */
export interface JobFacts {
  id: number
  type: JobType
  /** What `job` holds in a message: wire names, only those that AWX lets messages see. */
  fields: Record<string, unknown>
  name: string
  status: string
  started: string | null
  finished: string | null
  traceback: string
  /** Name of who launched it. */
  createdBy: string | null
  inventory: string | null
  project: string | null
  /** Name of the machine credential. */
  credential: string | null
  playbook: string
  limit: string | null
  /** As the wire shows it: answers to password questions read `$encrypted$`. */
  extraVars: string
  /** Counts of the play by host. */
  hosts: Record<string, Record<string, number | boolean>>
  /** Nodes of a workflow job, with the jobs that they made. */
  nodes: readonly { id: number; job: { id: number; name: string; status: string } | null }[]
  /** The workflow job of an approval. */
  workflowJobId: number | null
}

/** What AWX calls a job in messages, and the page of its browser UI. */
const kinds: Record<JobType, { friendly: string; page: string }> = {
  job: { friendly: 'Job', page: 'playbook' },
  project_update: { friendly: 'Project Update', page: 'project' },
  inventory_update: { friendly: 'Inventory Update', page: 'inventory' },
  ad_hoc_command: { friendly: 'AdHoc Command', page: 'command' },
  system_job: { friendly: 'System Job', page: 'system' },
  workflow_job: { friendly: 'Workflow Job', page: 'workflow' },
  workflow_approval: { friendly: 'Workflow Approval', page: 'workflow' },
}

/** The address of a job for people. An approval is shown where its workflow job is. */
function pageOf({ type, id, workflowJobId }: JobFacts, publicUrl: string): string {
  const shown = type === 'workflow_approval' ? (workflowJobId ?? id) : id
  return `${publicUrl.replace(/\/+$/, '')}/#/jobs/${kinds[type].page}/${shown}`
}

/** What messages of a job may use (AWX's context). `publicUrl`: where people reach this installation. */
export function jobVariables(job: JobFacts, publicUrl: string): Record<string, unknown> {
  return {
    job: job.fields,
    job_friendly_name: kinds[job.type].friendly,
    url: pageOf(job, publicUrl),
    job_metadata: metadataText(job, publicUrl),
  }
}

/** What messages of an approval may use. */
export function approvalVariables(
  approval: JobFacts,
  event: ApprovalNotificationEvent,
  publicUrl: string,
): Record<string, unknown> {
  return {
    approval_status: event,
    approval_node_name: approval.name,
    workflow_url: pageOf(approval, publicUrl),
    job_metadata: metadataText(approval, publicUrl),
  }
}

function metadataText(job: JobFacts, publicUrl: string): string {
  return JSON.stringify(jobMetadata(job, publicUrl), null, 4)
}

/** `job_metadata`: the document that web hooks get (recorded). */
export function jobMetadata(job: JobFacts, publicUrl: string): Record<string, unknown> {
  return {
    id: job.id,
    name: job.name,
    url: pageOf(job, publicUrl),
    // Python's word for nobody, which AWX sends for jobs of schedules.
    created_by: job.createdBy ?? 'None',
    started: isoformat(job.started),
    finished: isoformat(job.finished),
    status: job.status,
    traceback: job.traceback,
    ...metadataOfKind(job),
  }
}

function metadataOfKind(job: JobFacts): Record<string, unknown> {
  const { inventory, project, playbook, credential, limit, hosts, extraVars: extra_vars } = job
  switch (job.type) {
    case 'job':
      return { inventory, project, playbook, credential, limit, extra_vars, hosts }
    case 'workflow_job':
      return { body: nodeSummary(job.nodes), inventory, limit, extra_vars }
    case 'workflow_approval':
      return { extra_vars }
    default:
      return {}
  }
}

function nodeSummary(nodes: JobFacts['nodes']): string {
  const lines = nodes.map(({ id, job }) =>
    job
      ? `- node #${id} spawns job #${job.id}, "${job.name}", which finished with status ${job.status}.`
      : `- node #${id} spawns no job.`,
  )
  return ['Workflow job summary:', '', ...lines].join('\n')
}

function isoformat(wireTime: string | null): string | null {
  return wireTime?.replace('Z', '+00:00') ?? null
}
