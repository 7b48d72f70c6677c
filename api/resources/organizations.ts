import { eq } from 'drizzle-orm'
import {
  type credentials,
  type executionEnvironments,
  organizationGalaxyCredentials,
  organizationInstanceGroups,
  organizations,
} from '../../store/schema/catalog.ts'
import { unifiedJobs } from '../../store/schema/jobs.ts'
import type { notificationTemplates } from '../../store/schema/notifications.ts'
import { derived, descriptionField, nameField } from '../field.ts'
import { refuseWhileUsed } from '../jobs/active-jobs.ts'
import { notificationTemplateLists } from '../notifications/attachments.ts'
import { checkGalaxyCredential } from '../projects/galaxy.ts'
import { defineResource } from '../resource.ts'

const told = notificationTemplateLists('organizationId', 'Organization', { approvals: true })

/** `/api/v2/organizations/`: what everything else belongs to. */
export const organizationsResource = defineResource({
  name: 'organizations',
  type: 'organization',
  model: 'Organization',
  table: organizations,
  fields: {
    name: nameField(),
    description: descriptionField(),
    max_hosts: { kind: 'integer', min: 0, max: 2147483647, default: 0 },
    custom_virtualenv: derived('string', () => null, { filterable: true }),
    default_environment: { kind: 'id', to: 'execution_environments' },
    fair_share_weight: {
      kind: 'float',
      min: 0.001,
      max: 1000,
      default: 1,
      help: 'Its share of the places of busy instance groups, relative to that of other organizations whose jobs wait with the same priority.',
    },
  },
  relations: {
    ...told.relations,
    notification_templates: {
      kind: 'many',
      to: 'notification_templates',
      column: 'organizationId' satisfies keyof typeof notificationTemplates,
    },
    instance_groups: {
      kind: 'through',
      to: 'instance_groups',
      table: organizationInstanceGroups,
      parent: 'organizationId',
      child: 'instanceGroupId',
      position: 'position',
    },
    galaxy_credentials: {
      kind: 'through',
      to: 'credentials',
      table: organizationGalaxyCredentials,
      parent: 'organizationId',
      child: 'credentialId',
      position: 'position',
    },
    credentials: { kind: 'many', to: 'credentials', column: 'organizationId' satisfies keyof typeof credentials },
    executionenvironments: {
      kind: 'many',
      to: 'execution_environments',
      column: 'organizationId' satisfies keyof typeof executionEnvironments,
    },
  },
  order: ['name'],
  searchFields: ['description', 'name'],
  namedUrl: [['name']],
  capabilities: ['edit', 'delete'],
  objectRoles: [
    'admin_role',
    'execute_role',
    'project_admin_role',
    'inventory_admin_role',
    'credential_admin_role',
    'workflow_admin_role',
    'notification_admin_role',
    'job_template_admin_role',
    'execution_environment_admin_role',
    'auditor_role',
    'member_role',
    'read_role',
    'approval_role',
  ],
  unique: [{ fields: ['name'] }],
  hooks: {
    beforeDelete: ({ id }, context) => refuseWhileUsed(context, eq(unifiedJobs.organizationId, id)),
  },
  subLists: {
    notification_templates: {
      relation: 'notification_templates',
      create: true,
      order: ['name'],
      title: 'Organization Notification Templates List',
    },
    ...told.subLists,
    instance_groups: { relation: 'instance_groups', attach: true, title: 'Organization Instance Groups List' },
    galaxy_credentials: {
      relation: 'galaxy_credentials',
      attach: true,
      check: checkGalaxyCredential,
      title: 'Organization Galaxy Credentials List',
    },
    credentials: { relation: 'credentials', create: true, title: 'Organization Credential List' },
    execution_environments: {
      relation: 'executionenvironments',
      attach: true,
      create: true,
      title: 'Organization Execution Environments List',
    },
  },
})
