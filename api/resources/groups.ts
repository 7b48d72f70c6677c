import { and, eq, sql } from 'drizzle-orm'
import { groupChildren, groupHosts, groups, hosts } from '../../store/schema/inventory.ts'
import { jobEvents, jobHostSummaries } from '../../store/schema/jobs.ts'
import { inventorySourceGroups } from '../../store/schema/updates.ts'
import { adHocCommandsOfGroup, isOf } from '../adhoc/below.ts'
import { ApiError } from '../errors.ts'
import { descriptionField, nameField } from '../field.ts'
import { closesCircle, deleteGroup, hostsBelow, withAncestors, withDescendants } from '../inventories/group-tree.ts'
import { checkGroup } from '../inventories/member-rules.ts'
import { variableDataAction } from '../inventories/variable-data.ts'
import { defineResource } from '../resource.ts'
import { differentInventories } from './hosts.ts'

/** `/api/v2/groups/`: named sets of hosts within an inventory. */
export const groupsResource = defineResource({
  name: 'groups',
  type: 'group',
  model: 'Group',
  table: groups,
  fields: {
    name: nameField(),
    description: descriptionField(),
    inventory: { kind: 'id', to: 'inventory', required: true, createOnly: true },
    variables: { kind: 'json', holds: 'variables', default: '', unsearchable: true },
  },
  relations: {
    hosts: { kind: 'through', to: 'hosts', table: groupHosts, parent: 'groupId', child: 'hostId' },
    children: { kind: 'through', to: 'groups', table: groupChildren, parent: 'parentId', child: 'childId' },
    inventory_sources: {
      kind: 'through',
      to: 'inventory_sources',
      table: inventorySourceGroups,
      parent: 'groupId',
      child: 'inventorySourceId',
    },
    parents: { kind: 'through', to: 'groups', table: groupChildren, parent: 'childId', child: 'parentId' },
  },
  order: ['name'],
  searchFields: ['description', 'name'],
  namedUrl: [['name'], ['inventory__name'], ['inventory__organization__name']],
  summary: { fields: ['name', 'description'] },
  capabilities: ['edit', 'delete', 'copy'],
  unique: [{ fields: ['name', 'inventory'] }],
  subLists: {
    hosts: {
      relation: 'hosts',
      attach: true,
      create: true,
      async check(group, host) {
        if (host.inventoryId !== group.inventoryId) throw differentInventories()
      },
      title: 'Group Hosts List',
    },
    children: {
      relation: 'children',
      attach: true,
      create: true,
      async check(group, child, attaching, context) {
        if (child.inventoryId !== group.inventoryId) throw differentInventories()
        if (attaching && (await closesCircle(context.db, group.id, child.id))) {
          throw new ApiError(400, { error: 'Cyclical Group association.' })
        }
      },
      title: 'Group Children List',
    },
    potential_children: {
      resource: 'groups',
      where: (group) =>
        and(
          eq(groups.inventoryId, group.inventoryId),
          sql`${groups.id} NOT IN ${withAncestors(group.id)}`,
          sql`${groups.id} NOT IN ${withDescendants(group.id)}`,
        ) ?? sql`false`,
      title: 'Group Potential Children List',
    },
    all_hosts: { resource: 'hosts', where: (group) => hostsBelow(group.id), title: 'Group All Hosts List' },
    job_events: {
      resource: 'job_events',
      where: (group) =>
        sql`${jobEvents.hostId} IN (SELECT ${hosts.id} FROM ${hosts} WHERE ${hostsBelow(group.id)}) AND ${isOf('job', jobEvents.jobId)}`,
      title: 'Group Job Events List',
    },
    job_host_summaries: {
      resource: 'job_host_summaries',
      where: (group) =>
        sql`${jobHostSummaries.hostId} IN (SELECT ${hosts.id} FROM ${hosts} WHERE ${hostsBelow(group.id)}) AND ${isOf('job', jobHostSummaries.jobId)}`,
      title: 'Group Job Host Summaries List',
    },
    ad_hoc_commands: adHocCommandsOfGroup,
    inventory_sources: { relation: 'inventory_sources', title: 'Group Inventory Sources List' },
  },
  actions: { variable_data: variableDataAction(groups) },
  hooks: {
    validate: checkGroup,
    async remove(group, context) {
      await deleteGroup(context.db, group.id)
      return 204
    },
  },
})
