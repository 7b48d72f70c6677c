import { inArray } from 'drizzle-orm'
import { unifiedJobs } from '../../store/schema/jobs.ts'
import { workflowJobNodeLabels } from '../../store/schema/labels.ts'
import {
  workflowJobEdges,
  workflowJobNodeCredentials,
  workflowJobNodeInstanceGroups,
  workflowJobNodes,
} from '../../store/schema/workflow-jobs.ts'
import { elapsedSeconds } from '../jobs/fields.ts'
import { defineResource } from '../resource.ts'
import { loadSummaries } from '../summary.ts'
import { edgeFields, edgeRelations } from '../workflows/edges.ts'
import { promptFields, shownVariables } from '../workflows/node-fields.ts'
import { nodeTemplateSummaries, withoutGoneTemplate } from '../workflows/node-summaries.ts'
import { retryNodeAction, skipNodeAction } from '../workflows/run-actions.ts'
import { jobLink, templateLink } from '../workflows/template-kinds.ts'

/** `/api/v2/workflow_job_nodes/`: the steps of a run, copied from its template when it was launched. */
export const workflowJobNodesResource = defineResource({
  name: 'workflow_job_nodes',
  type: 'workflow_job_node',
  model: 'WorkflowJobNode',
  table: workflowJobNodes,
  methods: { list: ['GET'], detail: ['GET'] },
  fields: {
    ...promptFields,
    job: { kind: 'id', to: 'unified_jobs' },
    workflow_job: { kind: 'id', to: 'workflow_jobs' },
    unified_job_template: { kind: 'id', to: 'unified_job_templates' },
    ...edgeFields(workflowJobEdges),
    all_parents_must_converge: { kind: 'boolean' },
    do_not_run: { kind: 'boolean' },
    identifier: { kind: 'string' },
  },
  relations: {
    ...edgeRelations(workflowJobEdges, 'workflow_job_nodes'),
    credentials: {
      kind: 'through',
      to: 'credentials',
      table: workflowJobNodeCredentials,
      parent: 'nodeId',
      child: 'credentialId',
    },
    labels: { kind: 'through', to: 'labels', table: workflowJobNodeLabels, parent: 'nodeId', child: 'labelId' },
    instance_groups: {
      kind: 'through',
      to: 'instance_groups',
      table: workflowJobNodeInstanceGroups,
      parent: 'nodeId',
      child: 'instanceGroupId',
      position: 'position',
    },
  },
  searchFields: ['unified_job_template__name', 'unified_job_template__description'],
  subLists: {
    success_nodes: { relation: 'success_nodes', title: 'Workflow Job Node Success Nodes List' },
    failure_nodes: { relation: 'failure_nodes', title: 'Workflow Job Node Failure Nodes List' },
    always_nodes: { relation: 'always_nodes', title: 'Workflow Job Node Always Nodes List' },
    credentials: { relation: 'credentials', order: ['name'], title: 'Workflow Job Node Credentials List' },
    labels: { relation: 'labels', order: ['name'], title: 'Workflow Job Node Labels List' },
    instance_groups: { relation: 'instance_groups', title: 'Workflow Job Node Instance Groups List' },
  },
  actions: { retry: retryNodeAction, skip: skipNodeAction },
  summary: { fields: [] },
  async summaries(nodes, context) {
    const ids = nodes.flatMap((node) => node.jobId ?? [])
    const rows = ids.length === 0 ? [] : await context.db.select().from(unifiedJobs).where(inArray(unifiedJobs.id, ids))
    const now = new Date(context.now).getTime()
    const jobs = new Map(
      rows.map((job) => {
        const { id, name, description, status, failed, type } = job
        const elapsed = elapsedSeconds(job, now)
        context.cache.set(`type of job ${id}`, type)
        return [id, { id, name, description, status, failed, elapsed, type }]
      }),
    )
    const templates = await loadSummaries(
      context.registry.get('unified_job_templates'),
      nodes.flatMap((node) => node.unifiedJobTemplateId ?? []),
      context,
    )
    const shown = await nodeTemplateSummaries(nodes, templates, context)
    return nodes.map(({ jobId }, index) => {
      const job = jobs.get(jobId ?? 0)
      return { ...(job ? { job } : {}), ...shown[index] }
    })
  },
  present(wire, node, context) {
    const type = context.cache.get(`type of job ${node.jobId}`)
    const links = {
      ...(wire.related as Record<string, string | null>),
      job: jobLink(typeof type === 'string' ? type : undefined, node.jobId),
      unified_job_template: templateLink(node.templateType, node.unifiedJobTemplateId),
    }
    const related = Object.fromEntries(Object.entries(links).filter(([, link]) => link !== null))
    return { ...withoutGoneTemplate({ ...wire, related }), extra_data: shownVariables(node.extraData) }
  },
})
