import { workflowJobTemplateNodeLabels } from '../../store/schema/labels.ts'
import {
  workflowJobTemplateEdges,
  workflowJobTemplateNodeCredentials,
  workflowJobTemplateNodeInstanceGroups,
  workflowJobTemplateNodes,
} from '../../store/schema/workflows.ts'
import { labelSubList } from '../labels/attach.ts'
import { defineResource } from '../resource.ts'
import { loadSummaries } from '../summary.ts'
import { approvalTemplateAction } from '../workflows/approval-template.ts'
import { edgeFields, edgeRelations, edgeSubList } from '../workflows/edges.ts'
import { checkNodeCredential } from '../workflows/node-credentials.ts'
import { promptFields, shownVariables } from '../workflows/node-fields.ts'
import { checkNode, dropApproval, prepareNode } from '../workflows/node-rules.ts'
import { nodeTemplateSummaries, withoutGoneTemplate } from '../workflows/node-summaries.ts'
import { templateLink } from '../workflows/template-kinds.ts'

/** `/api/v2/workflow_job_template_nodes/`: the steps of a workflow, with what each says to the launch of its template. */
export const workflowJobTemplateNodesResource = defineResource({
  name: 'workflow_job_template_nodes',
  type: 'workflow_job_template_node',
  model: 'WorkflowJobTemplateNode',
  table: workflowJobTemplateNodes,
  fields: {
    ...promptFields,
    workflow_job_template: { kind: 'id', to: 'workflow_job_templates', required: true, createOnly: true },
    unified_job_template: { kind: 'id', to: 'unified_job_templates' },
    ...edgeFields(workflowJobTemplateEdges),
    all_parents_must_converge: { kind: 'boolean', default: false },
    identifier: { kind: 'string', maxLength: 512 },
  },
  relations: {
    ...edgeRelations(workflowJobTemplateEdges, 'workflow_job_template_nodes'),
    credentials: {
      kind: 'through',
      to: 'credentials',
      table: workflowJobTemplateNodeCredentials,
      parent: 'nodeId',
      child: 'credentialId',
    },
    labels: {
      kind: 'through',
      to: 'labels',
      table: workflowJobTemplateNodeLabels,
      parent: 'nodeId',
      child: 'labelId',
    },
    instance_groups: {
      kind: 'through',
      to: 'instance_groups',
      table: workflowJobTemplateNodeInstanceGroups,
      parent: 'nodeId',
      child: 'instanceGroupId',
      position: 'position',
    },
  },
  searchFields: ['unified_job_template__name', 'unified_job_template__description'],
  namedUrl: [['identifier'], ['workflow_job_template__name'], ['workflow_job_template__organization__name']],
  unique: [{ fields: ['identifier', 'workflow_job_template'] }],
  summary: { fields: [] },
  subLists: {
    success_nodes: edgeSubList('success_nodes', 'Workflow Job Template Node Success Nodes List'),
    failure_nodes: edgeSubList('failure_nodes', 'Workflow Job Template Node Failure Nodes List'),
    always_nodes: edgeSubList('always_nodes', 'Workflow Job Template Node Always Nodes List'),
    credentials: {
      relation: 'credentials',
      attach: true,
      check: checkNodeCredential,
      order: ['name'],
      title: 'Workflow Job Template Node Credentials List',
    },
    labels: labelSubList(
      workflowJobTemplateNodeLabels.nodeId,
      'workflow job template node',
      'Workflow Job Template Node Labels List',
    ),
    instance_groups: {
      relation: 'instance_groups',
      attach: true,
      title: 'Workflow Job Template Node Instance Groups List',
    },
  },
  actions: { create_approval_template: approvalTemplateAction },
  hooks: {
    validate: checkNode,
    prepare: prepareNode,
    async afterWrite(node, before, context) {
      if (before && before.unifiedJobTemplateId !== node.unifiedJobTemplateId) await dropApproval(before, context)
    },
    beforeDelete: dropApproval,
  },
  related: (node) => ({ unified_job_template: templateLink(node.templateType, node.unifiedJobTemplateId) }),
  async summaries(nodes, context) {
    const templates = await loadSummaries(
      context.registry.get('unified_job_templates'),
      nodes.flatMap((node) => node.unifiedJobTemplateId ?? []),
      context,
    )
    return await nodeTemplateSummaries(nodes, templates, context)
  },
  present: (wire, node) => ({ ...withoutGoneTemplate(wire), extra_data: shownVariables(node.extraData) }),
})
