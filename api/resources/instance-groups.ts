import { eq } from 'drizzle-orm'
import { defaultPodTemplate } from '../../model/pod-template.ts'
import { validateOverride } from '../../model/pod-template-validate.ts'
import { notifyGroupChanged } from '../../store/groups.ts'
import { credentials, credentialTypes, instanceGroups } from '../../store/schema/catalog.ts'
import { unifiedJobs } from '../../store/schema/jobs.ts'
import { InUseError, ValidationError } from '../errors.ts'
import { derived, nameField } from '../field.ts'
import { drainAction } from '../groups/drain.ts'
import { groupPreview } from '../groups/preview.ts'
import { groupTestAction, lastTests } from '../groups/test.ts'
import { groupUsages, jobsUsingGroup } from '../groups/usage.ts'
import { defineResource, type WriteCheck } from '../resource.ts'

/** Groups that every installation has; they keep their name and kind, and are never deleted. */
const protectedNames = ['default', 'controlplane']

type Group = typeof instanceGroups.$inferSelect

/** `/api/v2/instance_groups/`: where jobs run; container groups are places in a Kubernetes cluster. */
export const instanceGroupsResource = defineResource({
  name: 'instance_groups',
  type: 'instance_group',
  model: 'InstanceGroup',
  titles: { list: 'Instance Groups' },
  table: instanceGroups,
  fields: {
    name: nameField(250),
    capacity: derived('field', (row) => (row as Group).maxForks),
    consumed_capacity: {
      kind: 'computed',
      type: 'field',
      values: async (rows, context) => (await groupUsages(rows, context)).map((usage) => usage.consumedForks),
    },
    percent_capacity_remaining: {
      kind: 'computed',
      type: 'field',
      values: async (rows, context) =>
        (await groupUsages(rows, context)).map((usage, index) =>
          percentRemaining((rows[index] as Group).maxForks, usage.consumedForks),
        ),
    },
    jobs_running: {
      kind: 'computed',
      type: 'field',
      values: async (rows, context) => (await groupUsages(rows, context)).map((usage) => usage.jobsRunning),
    },
    max_concurrent_jobs: { kind: 'integer', label: 'Max Concurrent Jobs', min: 0, default: 0 },
    max_forks: { kind: 'integer', label: 'Max Forks', min: 0, default: 0 },
    draining_since: { kind: 'datetime', readOnly: true },
    drain_deadline: { kind: 'datetime', readOnly: true },
    jobs_total: {
      kind: 'computed',
      type: 'integer',
      values: async (rows, context) => (await groupUsages(rows, context)).map((usage) => usage.jobsTotal),
    },
    instances: derived('field', (row) => ((row as Group).name === 'controlplane' ? 1 : 0)),
    is_container_group: { kind: 'boolean' },
    credential: { kind: 'id', to: 'credentials' },
    policy_instance_percentage: { kind: 'integer', label: 'Policy Instance Percentage', min: 0, max: 100, default: 0 },
    policy_instance_minimum: { kind: 'integer', label: 'Policy Instance Minimum', min: 0, default: 0 },
    policy_instance_list: {
      kind: 'json',
      holds: 'list',
      label: 'Policy Instance List',
      options: { child: { type: 'string', required: true, hidden: false, read_only: false } },
    },
    pod_spec_override: {
      kind: 'string',
      blank: true,
      verbatim: true,
      unsearchable: true,
      // AWX publishes the default pod as an object, although the field is a string.
      options: { default: defaultPodTemplate() },
    },
  },
  order: ['name'],
  searchFields: ['name'],
  namedUrl: [['name']],
  summary: { fields: ['name', 'is_container_group'] },
  capabilities: ['edit', 'delete'],
  objectRoles: ['admin_role', 'use_role', 'read_role'],
  unique: [{ fields: ['name'] }],
  subLists: {
    jobs: { resource: 'unified_jobs', where: (group) => eq(unifiedJobs.instanceGroupId, group.id) },
  },
  actions: {
    drain: drainAction,
    test: groupTestAction,
    preview: {
      GET: groupPreview,
      POST: groupPreview,
      permission: { POST: 'read' },
      link: (group) => group.isContainerGroup,
      fields: { POST: { pod_spec_override: { type: 'string', required: false, label: 'Pod spec override' } } },
    },
  },
  copy: {},
  summaries: lastTests,
  permissions: {
    writes: 'superuser',
    refuse: (action, group) =>
      action === 'delete' && group && protectedNames.includes(group.name)
        ? 'You do not have permission to perform this action.'
        : undefined,
  },
  hooks: {
    validate: checkGroup,
    prepare(values) {
      // Taking the credential away on purpose means the cluster Mayfly runs in; losing it by deletion does not.
      if ('credentialId' in values) return { ...values, credentialRequired: values.credentialId !== null }
      return values
    },
    async afterWrite(group, _before, context) {
      await notifyGroupChanged(context.db, group.id)
    },
    async beforeDelete(group, context) {
      const jobs = await jobsUsingGroup(context.db, group.id)
      if (jobs.length > 0) throw new InUseError(jobs)
    },
  },
})

function percentRemaining(capacity: number, consumed: number): number {
  if (capacity === 0) return 0
  return Math.round(((capacity - consumed) / capacity) * 10000) / 100
}

/** Rules over several fields; AWX's texts. Only fields of the body are judged, as AWX does. */
async function checkGroup(check: WriteCheck<Group>): Promise<void> {
  const { input, body, before, context } = check
  const errors: Record<string, string[]> = {}
  const refuse = (field: string, message: string) => {
    errors[field] ??= [message]
  }
  if (before && protectedNames.includes(before.name)) refuseProtectedChanges(input, before, refuse)

  if (before?.isContainerGroup) {
    for (const field of ['policy_instance_percentage', 'policy_instance_minimum', 'policy_instance_list']) {
      const value = input[field]
      const isSet = Array.isArray(value) ? value.length > 0 : Boolean(value)
      if (isSet) refuse(field, 'Containerized instances may not be managed via the API')
    }
  }
  checkInstanceList(input.policy_instance_list, context.deps.nodeName, refuse)

  if (input.credential) {
    const [row] = await context.db
      .select({ kind: credentialTypes.kind })
      .from(credentials)
      .innerJoin(credentialTypes, eq(credentialTypes.id, credentials.credentialTypeId))
      .where(eq(credentials.id, Number(input.credential)))
    if (row && row.kind !== 'kubernetes') {
      refuse('credential', 'Only Kubernetes credentials can be associated with an Instance Group')
    } else if (body.is_container_group !== true) {
      refuse('is_container_group', 'is_container_group must be True when associating a credential to an Instance Group')
    }
  }
  if (typeof input.pod_spec_override === 'string' && input.pod_spec_override.trim() !== '') {
    const remarks = validateOverride(input.pod_spec_override).errors
    if (remarks.length > 0) {
      errors.pod_spec_override = remarks.map(({ path, message }) => (path ? `${path}: ${message}` : message))
    }
  }
  if (Object.keys(errors).length > 0) throw new ValidationError(errors)
}

function refuseProtectedChanges(
  input: Record<string, unknown>,
  before: Group,
  refuse: (field: string, message: string) => void,
): void {
  const { name } = before
  if ('name' in input && input.name !== name) refuse('name', `${name} instance group name may not be changed.`)
  if ('is_container_group' in input && input.is_container_group !== before.isContainerGroup) {
    refuse('is_container_group', `${name} instance group is_container_group may not be changed.`)
  }
  if ('policy_instance_percentage' in input && input.policy_instance_percentage !== before.policyInstancePercentage) {
    refuse(
      'policy_instance_percentage',
      `${name} instance group policy_instance_percentage may not be changed from the initial value set by the installer.`,
    )
  }
  if (
    'policy_instance_list' in input &&
    JSON.stringify(input.policy_instance_list) !== JSON.stringify(before.policyInstanceList)
  ) {
    refuse('policy_instance_list', `${name} instance group policy_instance_list may not be changed.`)
  }
}

/** The one instance there is is this node. */
function checkInstanceList(list: unknown, node: string, refuse: (field: string, message: string) => void): void {
  if (!Array.isArray(list)) return
  const seen = new Set<unknown>()
  for (const host of list) {
    if (seen.has(host)) refuse('policy_instance_list', `Duplicate entry ${host}.`)
    if (host !== node) refuse('policy_instance_list', `${host} is not a valid hostname of an existing instance.`)
    seen.add(host)
  }
}
