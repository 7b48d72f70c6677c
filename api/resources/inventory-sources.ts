import { eq, inArray } from 'drizzle-orm'
import { forgetTemplate } from '../../store/forget-template.ts'
import { toWireTime } from '../../store/instant.ts'
import { inventories } from '../../store/schema/inventory.ts'
import { unifiedJobs } from '../../store/schema/jobs.ts'
import {
  inventorySourceCredentials,
  inventorySourceGroups,
  inventorySourceHosts,
  inventorySources,
} from '../../store/schema/updates.ts'
import { globalEnvironment, resolvedEnvironment } from '../environments.ts'
import { type Choice, derived, descriptionField, nameField } from '../field.ts'
import {
  attachedCredentials,
  checkSourceCredential,
  ofSources,
  replaceCredential,
} from '../inventory-sources/credentials.ts'
import { sourceFields } from '../inventory-sources/fields.ts'
import { checkInventorySource } from '../inventory-sources/rules.ts'
import { updateSourceAction } from '../inventory-sources/update.ts'
import { refuseWhileUsed } from '../jobs/active-jobs.ts'
import { statusChoices } from '../jobs/fields.ts'
import { parentLinks, parentSummaries } from '../jobs/job-summaries.ts'
import { notificationTemplateLists } from '../notifications/attachments.ts'
import { defineResource } from '../resource.ts'
import { nextJobRun, scheduleSubList } from '../schedules/below.ts'
import { loadSummaries } from '../summary.ts'

type Source = typeof inventorySources.$inferSelect

const sourceStatusChoices: readonly Choice[] = [
  ...statusChoices,
  ['never updated', 'Never Updated'],
  ['none', 'No External Source'],
]
const largest = 2147483647
const notificationLists = notificationTemplateLists('inventorySourceId', 'Inventory Source')

/** `/api/v2/inventory_sources/`: what fills inventories: files and scripts of projects, and inventory plugins. */
export const inventorySourcesResource = defineResource({
  name: 'inventory_sources',
  type: 'inventory_source',
  model: 'InventorySource',
  table: inventorySources,
  fields: {
    name: nameField(),
    description: descriptionField(),
    ...sourceFields(),
    last_job_run: { kind: 'datetime', readOnly: true },
    last_job_failed: { kind: 'boolean', readOnly: true },
    next_job_run: nextJobRun,
    status: { kind: 'choice', choices: sourceStatusChoices, readOnly: true },
    execution_environment: { kind: 'id', to: 'execution_environments' },
    inventory: { kind: 'id', to: 'inventory', required: true, createOnly: true },
    update_on_launch: { kind: 'boolean', default: false },
    update_cache_timeout: { kind: 'integer', min: 0, max: largest, default: 0 },
    source_project: { kind: 'id', to: 'projects' },
    last_update_failed: derived('boolean', (row) => (row as unknown as Source).lastJobFailed),
    last_updated: derived('datetime', (row) => toWireTime((row as unknown as Source).lastJobRun)),
  },
  relations: {
    inventory_updates: { kind: 'many', to: 'inventory_updates', column: 'inventorySourceId' },
    credentials: {
      kind: 'through',
      to: 'credentials',
      table: inventorySourceCredentials,
      parent: 'inventorySourceId',
      child: 'credentialId',
    },
    hosts: {
      kind: 'through',
      to: 'hosts',
      table: inventorySourceHosts,
      parent: 'inventorySourceId',
      child: 'hostId',
    },
    groups: {
      kind: 'through',
      to: 'groups',
      table: inventorySourceGroups,
      parent: 'inventorySourceId',
      child: 'groupId',
    },
    ...notificationLists.relations,
  },
  order: ['inventory', 'name'],
  searchFields: ['description', 'name'],
  namedUrl: [['name'], ['inventory__name'], ['inventory__organization__name']],
  summary: {
    fields: ['name', 'source', 'status'],
    extra: (rows) => rows.map(({ lastJobRun }) => (lastJobRun ? { last_updated: toWireTime(lastJobRun) } : {})),
  },
  capabilities: ['edit', 'delete', 'start', 'schedule'],
  unique: [{ fields: ['name', 'inventory'], soft: true }],
  subLists: {
    schedules: scheduleSubList('Inventory Source Schedules'),
    inventory_updates: { relation: 'inventory_updates', title: 'Inventory Source Updates List' },
    credentials: {
      relation: 'credentials',
      attach: true,
      check: checkSourceCredential,
      order: ['name'],
      title: 'Inventory Source Credentials List',
    },
    hosts: { relation: 'hosts', order: ['name'], title: 'Inventory Source Hosts List' },
    groups: { relation: 'groups', order: ['name'], title: 'Inventory Source Groups List' },
    ...notificationLists.subLists,
  },
  actions: { update: updateSourceAction },
  hooks: {
    validate: checkInventorySource,
    async afterWrite(source, before, context, input) {
      const { credential } = input
      if (typeof credential === 'number' || (credential === null && before))
        await replaceCredential(context, source.id, credential)
    },
    async beforeDelete(source, context) {
      await refuseWhileUsed(context, eq(unifiedJobs.inventorySourceId, source.id))
      await forgetTemplate(context.db, source.id)
    },
  },
  related: (source) => parentLinks(source, 'inventory_updates'),
  async summaries(sources, context) {
    const ids = sources.map(({ id }) => id)
    const credentials = await attachedCredentials(ofSources, ids, context)
    const jobs = await parentSummaries(sources, context)
    const environment = await globalEnvironment(context)
    const organizations = await organizationsOf(sources, context)
    return sources.map((source, index) => ({
      ...organizations[index],
      ...jobs[index],
      credentials: credentials.get(source.id) ?? [],
      ...resolvedEnvironment(environment),
    }))
  },
  present: (wire) => ({ ...wire, credential: firstCredential(wire) }),
})

async function organizationsOf(
  sources: readonly Source[],
  context: Parameters<typeof globalEnvironment>[0],
): Promise<Record<string, unknown>[]> {
  const rows = await context.db
    .select({ id: inventories.id, organizationId: inventories.organizationId })
    .from(inventories)
    .where(
      inArray(
        inventories.id,
        sources.map((source) => source.inventoryId),
      ),
    )
  const organizationOf = new Map(rows.map((row) => [row.id, row.organizationId]))
  const summaries = await loadSummaries(context.registry.get('organizations'), [...organizationOf.values()], context)
  return sources.map(({ inventoryId }) => {
    const organization = summaries.get(organizationOf.get(inventoryId) ?? 0)
    return organization ? { organization } : {}
  })
}

/** The one credential that AWX's older clients know. */
function firstCredential(wire: Record<string, unknown>): number | null {
  const { credentials } = wire.summary_fields as { credentials?: { id: number }[] }
  return credentials?.[0]?.id ?? null
}
