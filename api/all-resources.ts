import type { Resource } from './resource.ts'
import { adHocCommandEventsResource } from './resources/ad-hoc-command-events.ts'
import { adHocCommandsResource } from './resources/ad-hoc-commands.ts'
import { constructedInventoriesResource } from './resources/constructed-inventories.ts'
import { credentialTypesResource } from './resources/credential-types.ts'
import { credentialsResource } from './resources/credentials.ts'
import { executionEnvironmentsResource } from './resources/execution-environments.ts'
import { groupsResource } from './resources/groups.ts'
import { hostsResource } from './resources/hosts.ts'
import { instanceGroupsResource } from './resources/instance-groups.ts'
import { inventoriesResource } from './resources/inventories.ts'
import { inventorySourcesResource } from './resources/inventory-sources.ts'
import { inventoryUpdateEventsResource } from './resources/inventory-update-events.ts'
import { inventoryUpdatesResource } from './resources/inventory-updates.ts'
import { jobAttemptsResource } from './resources/job-attempts.ts'
import { jobEventsResource } from './resources/job-events.ts'
import { jobHostSummariesResource } from './resources/job-host-summaries.ts'
import { jobTemplatesResource } from './resources/job-templates.ts'
import { jobsResource } from './resources/jobs.ts'
import { labelsResource } from './resources/labels.ts'
import { notificationTemplatesResource } from './resources/notification-templates.ts'
import { notificationsResource } from './resources/notifications.ts'
import { organizationsResource } from './resources/organizations.ts'
import { projectUpdateEventsResource } from './resources/project-update-events.ts'
import { projectUpdatesResource } from './resources/project-updates.ts'
import { projectsResource } from './resources/projects.ts'
import { scheduleRunsResource, schedulesResource } from './resources/schedules.ts'
import { systemJobEventsResource } from './resources/system-job-events.ts'
import { systemJobTemplatesResource } from './resources/system-job-templates.ts'
import { systemJobsResource } from './resources/system-jobs.ts'
import { tokensResource } from './resources/tokens.ts'
import { unifiedJobTemplatesResource } from './resources/unified-job-templates.ts'
import { unifiedJobsResource } from './resources/unified-jobs.ts'
import { usersResource } from './resources/users.ts'
import { workflowApprovalTemplatesResource } from './resources/workflow-approval-templates.ts'
import { workflowApprovalsResource } from './resources/workflow-approvals.ts'
import { workflowJobNodesResource } from './resources/workflow-job-nodes.ts'
import { workflowJobTemplateNodesResource } from './resources/workflow-job-template-nodes.ts'
import { workflowJobTemplatesResource } from './resources/workflow-job-templates.ts'
import { workflowJobsResource } from './resources/workflow-jobs.ts'

/** Every resource of the API, in the order of AWX's map at `GET /api/v2/`. A new resource is added here and nowhere else. */
export const allResources: readonly Resource[] = [
  instanceGroupsResource,
  organizationsResource,
  usersResource,
  executionEnvironmentsResource,
  projectsResource,
  projectUpdatesResource,
  projectUpdateEventsResource,
  credentialsResource,
  credentialTypesResource,
  tokensResource,
  // Before what it is a view of: a type is shown by the last resource that has it.
  constructedInventoriesResource,
  inventoriesResource,
  inventorySourcesResource,
  inventoryUpdatesResource,
  inventoryUpdateEventsResource,
  groupsResource,
  hostsResource,
  jobTemplatesResource,
  jobsResource,
  jobAttemptsResource,
  jobEventsResource,
  jobHostSummariesResource,
  adHocCommandsResource,
  adHocCommandEventsResource,
  systemJobTemplatesResource,
  systemJobsResource,
  systemJobEventsResource,
  notificationTemplatesResource,
  notificationsResource,
  labelsResource,
  schedulesResource,
  scheduleRunsResource,
  unifiedJobTemplatesResource,
  unifiedJobsResource,
  workflowJobTemplatesResource,
  workflowJobsResource,
  workflowApprovalsResource,
  workflowJobTemplateNodesResource,
  workflowJobNodesResource,
  workflowApprovalTemplatesResource,
]
