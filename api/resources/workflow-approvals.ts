import { isFinal } from '../../model/job.ts'
import { toWireTime } from '../../store/instant.ts'
import { unifiedJobs } from '../../store/schema/jobs.ts'
import { derived } from '../field.ts'
import { elapsedSeconds } from '../jobs/fields.ts'
import { refuseDelete } from '../jobs/removal.ts'
import { waitingAction } from '../jobs/waiting-action.ts'
import { allowed } from '../permissions.ts'
import { defineResource } from '../resource.ts'
import { summariesOf } from '../summary.ts'
import { decisionAction } from '../workflows/approve.ts'
import { fieldsWithout } from '../workflows/job-fields.ts'
import { sourceWorkflowLink, workflowOriginSummaries } from '../workflows/job-summaries.ts'
import { templateLink } from '../workflows/template-kinds.ts'

const templateType = 'workflow_approval_template'

/** `/api/v2/workflow_approvals/`: steps of workflows that wait, or waited, for somebody's word. */
export const workflowApprovalsResource = defineResource({
  name: 'workflow_approvals',
  type: 'workflow_approval',
  model: 'WorkflowApproval',
  table: unifiedJobs,
  scope: { type: 'workflow_approval' },
  methods: { list: ['GET'], detail: ['GET', 'DELETE'] },
  fields: {
    ...fieldsWithout('unified_job_templates', 'execution_node'),
    event_processing_finished: derived('boolean', () => true, { detailOnly: true }),
    can_approve_or_deny: {
      kind: 'computed',
      type: 'field',
      filterable: false,
      async values(rows, context) {
        const model = context.registry.get('workflow_approvals')
        return await Promise.all(
          rows.map(async (row) => {
            const pending = !isFinal(row.status as (typeof unifiedJobs.$inferSelect)['status'])
            return pending && (await allowed(context, 'approve', model, row))
          }),
        )
      },
    },
    approval_expiration: derived('field', (row) => toWireTime(row.approvalExpiration as string | null)),
    timed_out: { kind: 'boolean' },
  },
  relations: {
    approved_or_denied_by: { kind: 'one', to: 'users', column: 'approvedOrDeniedById' },
    workflow_approval_template: {
      kind: 'one',
      to: 'workflow_approval_templates',
      column: 'workflowApprovalTemplateId',
    },
    organization: { kind: 'one', to: 'organizations', column: 'organizationId' },
    unified_job_node: { kind: 'many', to: 'workflow_job_nodes', column: 'jobId' },
  },
  searchFields: ['description', 'name'],
  capabilities: ['delete', 'start'],
  actions: {
    waiting: waitingAction,
    approve: decisionAction('approve'),
    deny: decisionAction('deny'),
  },
  hooks: { beforeDelete: refuseDelete },
  related: (approval) => ({
    unified_job_template: templateLink(templateType, approval.unifiedJobTemplateId),
    workflow_approval_template: templateLink(templateType, approval.workflowApprovalTemplateId),
    source_workflow_job: sourceWorkflowLink(approval),
    approved_or_denied_by: approval.approvedOrDeniedById ? `/api/v2/users/${approval.approvedOrDeniedById}/` : null,
  }),
  async summaries(approvals, context) {
    const origins = await workflowOriginSummaries(approvals, context, true)
    const templates = await summariesOf(
      'workflow_approval_templates',
      approvals.map((approval) => approval.workflowApprovalTemplateId),
      context,
    )
    const users = await summariesOf(
      'users',
      approvals.map((approval) => approval.approvedOrDeniedById),
      context,
    )
    return approvals.map(({ workflowApprovalTemplateId, approvedOrDeniedById }, index) => {
      const template = templates.get(workflowApprovalTemplateId ?? 0)
      const user = users.get(approvedOrDeniedById ?? 0)
      return {
        ...origins[index],
        ...(template ? { workflow_approval_template: template } : {}),
        ...(user ? { approved_or_denied_by: user } : {}),
      }
    })
  },
  present: (wire, approval, context) => ({
    ...wire,
    elapsed: elapsedSeconds(approval, new Date(context.now).getTime()),
  }),
})
