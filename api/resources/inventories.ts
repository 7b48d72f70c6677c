import { and, eq, sql } from 'drizzle-orm'
import { groupChildren, groups, inventories, inventoryInstanceGroups } from '../../store/schema/inventory.ts'
import { unifiedJobs } from '../../store/schema/jobs.ts'
import { inventoryLabels } from '../../store/schema/labels.ts'
import { inventoryInputs } from '../../store/schema/updates.ts'
import { ApiError, ValidationError } from '../errors.ts'
import { descriptionField, nameField } from '../field.ts'
import { copyMembers } from '../inventories/copy.ts'
import { inventoryCounts } from '../inventories/counts.ts'
import { countFields, kindChoices } from '../inventories/fields.ts'
import { scriptAction } from '../inventories/script.ts'
import { treeAction } from '../inventories/tree.ts'
import { variableDataAction } from '../inventories/variable-data.ts'
import { checkInput, copyConstructed, makeConstructedSource } from '../inventory-sources/constructed.ts'
import { updateAllSourcesAction } from '../inventory-sources/update.ts'
import { refuseWhileUsed } from '../jobs/active-jobs.ts'
import { labelSubList } from '../labels/attach.ts'
import { labelSummaries } from '../labels/summaries.ts'
import { defineResource, type WriteCheck } from '../resource.ts'

type Inventory = typeof inventories.$inferSelect

/** `/api/v2/inventories/`: hosts and groups that jobs run on. */
export const inventoriesResource = defineResource({
  name: 'inventory',
  path: 'inventories',
  type: 'inventory',
  model: 'Inventory',
  table: inventories,
  fields: {
    name: nameField(),
    description: descriptionField(),
    organization: { kind: 'id', to: 'organizations', required: true },
    kind: { kind: 'choice', choices: kindChoices, default: '' },
    host_filter: { kind: 'string', nullable: true, default: null },
    variables: { kind: 'json', holds: 'variables', default: '', unsearchable: true },
    ...countFields,
    pending_deletion: { kind: 'boolean', readOnly: true },
    prevent_instance_group_fallback: { kind: 'boolean', default: false },
  },
  relations: {
    hosts: { kind: 'many', to: 'hosts', column: 'inventoryId' },
    groups: { kind: 'many', to: 'groups', column: 'inventoryId' },
    jobtemplates: { kind: 'many', to: 'job_templates', column: 'inventoryId' },
    ad_hoc_commands: { kind: 'many', to: 'ad_hoc_commands', column: 'inventoryId' },
    inventory_sources: { kind: 'many', to: 'inventory_sources', column: 'inventoryId' },
    input_inventories: {
      kind: 'through',
      to: 'inventory',
      table: inventoryInputs,
      parent: 'inventoryId',
      child: 'inputInventoryId',
      position: 'position',
    },
    labels: { kind: 'through', to: 'labels', table: inventoryLabels, parent: 'inventoryId', child: 'labelId' },
    instance_groups: {
      kind: 'through',
      to: 'instance_groups',
      table: inventoryInstanceGroups,
      parent: 'inventoryId',
      child: 'instanceGroupId',
      position: 'position',
    },
  },
  order: ['name'],
  searchFields: ['description', 'name'],
  namedUrl: [['name'], ['organization__name']],
  summary: {
    fields: ['name', 'description'],
    async extra(rows, context) {
      const counts = await inventoryCounts(rows, context)
      return rows.map((inventory, index) => {
        const own = counts[index]
        return {
          has_active_failures: (own?.hosts_with_active_failures ?? 0) > 0,
          ...own,
          has_inventory_sources: (own?.total_inventory_sources ?? 0) > 0,
          organization_id: inventory.organizationId,
          kind: inventory.kind,
        }
      })
    },
  },
  capabilities: ['edit', 'delete', 'copy', 'adhoc'],
  objectRoles: ['admin_role', 'update_role', 'adhoc_role', 'use_role', 'read_role'],
  unique: [{ fields: ['name', 'organization'] }],
  subLists: {
    hosts: { relation: 'hosts', create: true, title: 'Inventory Hosts List' },
    groups: { relation: 'groups', create: true, title: 'Inventory Groups List' },
    root_groups: {
      resource: 'groups',
      where: (inventory) =>
        and(
          eq(groups.inventoryId, inventory.id),
          sql`NOT EXISTS (SELECT 1 FROM ${groupChildren} WHERE ${groupChildren.childId} = ${groups.id})`,
        ) ?? sql`false`,
      title: 'Inventory Root Groups List',
    },
    instance_groups: { relation: 'instance_groups', attach: true, title: 'Inventory Instance Groups List' },
    labels: labelSubList(inventoryLabels.inventoryId, 'inventory', 'Inventory Label List'),
    job_templates: { relation: 'jobtemplates', title: 'Inventory Job Template List' },
    ad_hoc_commands: { relation: 'ad_hoc_commands', create: true, title: 'Inventory Ad Hoc Commands List' },
    inventory_sources: { relation: 'inventory_sources', create: true, title: 'Inventory Source List' },
    input_inventories: {
      relation: 'input_inventories',
      attach: true,
      check: checkInput,
      title: 'Inventory Input Inventories List',
    },
  },
  actions: {
    script: scriptAction,
    tree: treeAction,
    variable_data: variableDataAction(inventories),
    update_inventory_sources: updateAllSourcesAction,
  },
  copy: {
    async after(source, copy, context) {
      await copyMembers(context.db, source.id, copy.id, context.actor.id)
      await copyConstructed(source, copy, context)
    },
  },
  hooks: {
    validate: checkInventory,
    async afterWrite(inventory, before, context) {
      if (!before && inventory.kind === 'constructed') await makeConstructedSource(inventory, context)
    },
    beforeDelete: (inventory, context) => refuseWhileUsed(context, eq(unifiedJobs.inventoryId, inventory.id)),
    // AWX deletes inventories later and says so by 202; here it is done when the answer arrives.
    async remove(inventory, context) {
      await context.db.delete(inventories).where(eq(inventories.id, inventory.id))
      return 202
    },
  },
  related: ({ id, kind }): Record<string, string | null> =>
    kind === 'constructed'
      ? { constructed_url: `/api/v2/constructed_inventories/${id}/` }
      : { input_inventories: null },
  async summaries(rows, context) {
    const ids = rows.map(({ id }) => id)
    const labels = await labelSummaries(inventoryLabels, inventoryLabels.inventoryId, ids, context)
    return ids.map((id) => ({ labels: labels.get(id) }))
  },
})

function checkInventory({ input, merged, before }: WriteCheck<Inventory>): void {
  if (before && before.kind === '' && input.kind !== undefined && input.kind !== '') {
    throw new ApiError(405, {
      error: 'You cannot turn a regular inventory into a "smart" or "constructed" inventory.',
    })
  }
  if (merged.kind === 'smart' && !merged.host_filter) {
    throw ValidationError.on('host_filter', 'Smart inventories must specify host_filter')
  }
}
