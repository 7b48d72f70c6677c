import { unifiedJobCredentials, unifiedJobs } from '../../store/schema/jobs.ts'
import type { Field } from '../field.ts'
import { attachedCredentials } from '../inventory-sources/credentials.ts'
import { sourceFields } from '../inventory-sources/fields.ts'
import { cancelAction } from '../jobs/cancel.ts'
import { eventStreamAction } from '../jobs/event-stream.ts'
import { elapsedSeconds, unifiedJobFields } from '../jobs/fields.ts'
import { passedOverField } from '../jobs/passed-over.ts'
import { postMortemAction } from '../jobs/post-mortem.ts'
import { refuseDelete } from '../jobs/removal.ts'
import { stdoutAction } from '../jobs/stdout.ts'
import { waitingAction } from '../jobs/waiting-action.ts'
import { notificationsOfJob } from '../notifications/attachments.ts'
import { defineResource } from '../resource.ts'
import { shellAction } from '../shell/action.ts'
import { summariesOf, summaryEntry } from '../summary.ts'

const ofUpdates = {
  table: unifiedJobCredentials,
  owner: unifiedJobCredentials.jobId,
  credential: unifiedJobCredentials.credentialId,
}

/** `/api/v2/inventory_updates/`: one filling of an inventory from a source. Made by updating the source. */
export const inventoryUpdatesResource = defineResource({
  name: 'inventory_updates',
  type: 'inventory_update',
  model: 'InventoryUpdate',
  label: 'inventory sync',
  titles: { list: 'Inventory Update List', detail: 'Inventory Update Detail' },
  table: unifiedJobs,
  scope: { type: 'inventory_update' },
  methods: { list: ['GET'], detail: ['GET', 'DELETE'] },
  fields: {
    ...unifiedJobFields('inventory_sources'),
    controller_node: { kind: 'string' },
    ...sourceFields(),
    inventory: { kind: 'id', to: 'inventory' },
    inventory_source: { kind: 'id', to: 'inventory_sources' },
    license_error: { kind: 'boolean' },
    org_host_limit_error: { kind: 'boolean' },
    source_project_update: { kind: 'id', to: 'project_updates', column: 'projectUpdateId' },
    instance_group: { kind: 'id', to: 'instance_groups' },
    passed_over: passedOverField,
    scm_revision: { kind: 'string', label: 'SCM Revision' },
  } satisfies Record<string, Field>,
  relations: {
    inventory_update_events: { kind: 'many', to: 'inventory_update_events', column: 'jobId' },
    organization: { kind: 'one', to: 'organizations', column: 'organizationId' },
    source_project: { kind: 'one', to: 'projects', column: 'projectId' },
    credentials: {
      kind: 'through',
      to: 'credentials',
      table: unifiedJobCredentials,
      parent: 'jobId',
      child: 'credentialId',
    },
  },
  searchFields: ['description', 'name'],
  summary: { fields: ['name', 'description', 'status', 'failed'] },
  capabilities: ['delete', 'start'],
  subLists: {
    events: {
      relation: 'inventory_update_events',
      order: ['start_line', 'counter'],
      title: 'Inventory Update Events List',
    },
    credentials: { relation: 'credentials', order: ['name'], title: 'Inventory Update Credentials List' },
    notifications: notificationsOfJob('Inventory Update'),
  },
  actions: {
    cancel: cancelAction(),
    waiting: waitingAction,
    stdout: stdoutAction('inventory_update'),
    'events/stream': eventStreamAction,
    post_mortem: postMortemAction,
    shell: shellAction,
  },
  hooks: { beforeDelete: refuseDelete },
  related: (update) => ({
    // Its summary is enough for AWX's clients.
    instance_group: null,
    source_project: update.projectId === null ? null : `/api/v2/projects/${update.projectId}/`,
  }),
  async summaries(updates, context) {
    const organizations = await summariesOf(
      'organizations',
      updates.map((update) => update.organizationId),
      context,
    )
    const sources = await summariesOf(
      'inventory_sources',
      updates.map((update) => update.inventorySourceId),
      context,
    )
    const projects = await summariesOf(
      'projects',
      updates.map((update) => update.projectId),
      context,
    )
    const credentials = await attachedCredentials(
      ofUpdates,
      updates.map(({ id }) => id),
      context,
    )
    const descriptions = await summariesOf(
      'inventory_sources',
      updates.map((update) => update.unifiedJobTemplateId),
      context,
    )
    return updates.map((update) => {
      const source = descriptions.get(update.unifiedJobTemplateId ?? 0)
      const unified = source && { id: source.id, name: source.name, description: update.description }
      return {
        ...summaryEntry('organization', organizations.get(update.organizationId ?? 0)),
        ...summaryEntry('unified_job_template', unified && { ...unified, unified_job_type: 'inventory_update' }),
        ...summaryEntry('inventory_source', sources.get(update.inventorySourceId ?? 0)),
        ...summaryEntry('source_project', projects.get(update.projectId ?? 0)),
        credentials: credentials.get(update.id) ?? [],
      }
    })
  },
  present(wire, update, context, view) {
    const { source_project_update: _update, ...summary } = wire.summary_fields as Record<string, unknown>
    const [first] = summary.credentials as { id: number }[]
    return {
      ...wire,
      summary_fields: summary,
      credential: first?.id ?? null,
      elapsed: elapsedSeconds(update, new Date(context.now).getTime()),
      ...(view === 'detail' ? { source_project: update.projectId } : {}),
    }
  },
})
