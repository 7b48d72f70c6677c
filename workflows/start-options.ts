import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common'
import type { StartFacts } from '../model/start-facts.ts'
import { jobWorkflowId, notificationWorkflowId, webhookStatusWorkflowId } from './names.ts'
import type { JobInput } from './types.ts'

const keys = {
  jobId: defineSearchAttributeKey('MayflyJobId', SearchAttributeType.INT),
  kind: defineSearchAttributeKey('MayflyKind', SearchAttributeType.KEYWORD),
  template: defineSearchAttributeKey('MayflyTemplate', SearchAttributeType.KEYWORD),
  organization: defineSearchAttributeKey('MayflyOrganization', SearchAttributeType.KEYWORD),
  launchedBy: defineSearchAttributeKey('MayflyLaunchedBy', SearchAttributeType.KEYWORD),
  status: defineSearchAttributeKey('MayflyStatus', SearchAttributeType.KEYWORD),
}

/** How the workflow of a job is started, whoever starts it: as what it is found and searched for in the Temporal UI. */
export function startOptions(jobId: number, facts: StartFacts) {
  const keyword = (key: typeof keys.template, value: string | null) => (value === null ? [] : [{ key, value }])
  return {
    workflowId: jobWorkflowId(jobId),
    args: [{ jobId, preparesHere: true }] as [JobInput],
    // A job that has ended is not run once more by a message that comes late.
    workflowIdReusePolicy: 'REJECT_DUPLICATE' as const,
    staticSummary: facts.name,
    ...turnOptions(facts.turn),
    // Whose job this is, for whoever finds the id taken.
    memo: { installation: facts.installation, created: facts.created },
    typedSearchAttributes: [
      { key: keys.jobId, value: jobId },
      { key: keys.kind, value: facts.type },
      { key: keys.status, value: 'pending' },
      ...keyword(keys.template, facts.template),
      ...keyword(keys.organization, facts.organization),
      ...keyword(keys.launchedBy, facts.launchedBy),
    ],
  }
}

/** All activities of the workflow inherit it, and so do its children unless they say otherwise. */
function turnOptions(turn: StartFacts['turn']) {
  if (!turn) return {}
  const { priority: priorityKey, organizationId, weight: fairnessWeight } = turn
  return { priority: { priorityKey, fairnessKey: `organization-${organizationId ?? 'none'}`, fairnessWeight } }
}

/** How the workflow of a notification is started. */
export function notificationStartOptions(notificationId: number) {
  return {
    workflowId: notificationWorkflowId(notificationId),
    args: [{ notificationId }] as [{ notificationId: number }],
    workflowIdReusePolicy: 'REJECT_DUPLICATE' as const,
    typedSearchAttributes: [{ key: keys.kind, value: 'notification' }],
  }
}

/** How the workflow is started that tells a service of its job; one that has ended may be followed by another. */
export function webhookStatusStartOptions(jobId: number) {
  return {
    workflowId: webhookStatusWorkflowId(jobId),
    args: [{ jobId }] as [{ jobId: number }],
    workflowIdReusePolicy: 'ALLOW_DUPLICATE' as const,
    typedSearchAttributes: [
      { key: keys.jobId, value: jobId },
      { key: keys.kind, value: 'webhook_status' },
    ],
  }
}
