import { inventories } from '../../store/schema/inventory.ts'
import { descriptionField, type Field, nameField } from '../field.ts'
import { countFields, kindChoices } from '../inventories/fields.ts'
import {
  changeConstructedSource,
  constructedSources,
  knownSource,
  makeConstructedSource,
  sourceColumns,
} from '../inventory-sources/constructed.ts'
import { defineResource } from '../resource.ts'
import { inventoriesResource } from './inventories.ts'

/** A field that is its source's. */
const ofSource = (field: Field): Field =>
  ({ ...field, column: null, default: null, nullable: true, filterable: false }) as Field

/** `/api/v2/constructed_inventories/`: inventories that are made from others by the plugin `constructed`, with the fields of the source that does it. */
export const constructedInventoriesResource = defineResource({
  name: 'constructed_inventory',
  path: 'constructed_inventories',
  type: 'inventory',
  model: 'Inventory',
  label: 'inventory',
  titles: { list: 'Constructed Inventory List', detail: 'Constructed Inventory Detail' },
  table: inventories,
  scope: { kind: 'constructed' },
  fields: {
    name: nameField(),
    description: descriptionField(),
    organization: { kind: 'id', to: 'organizations', required: true },
    kind: { kind: 'choice', choices: kindChoices, readOnly: true },
    variables: { kind: 'json', holds: 'variables', default: '', unsearchable: true },
    ...countFields,
    pending_deletion: { kind: 'boolean', readOnly: true },
    prevent_instance_group_fallback: { kind: 'boolean', default: false },
    source_vars: ofSource({ kind: 'json', holds: 'variables', options: { type: 'string' } }),
    update_cache_timeout: ofSource({ kind: 'integer', min: 0 }),
    limit: ofSource({ kind: 'string' }),
    verbosity: ofSource({ kind: 'integer', min: 0, max: 2 }),
  },
  order: ['name'],
  searchFields: ['description', 'name'],
  namedUrl: [['name'], ['organization__name']],
  capabilities: ['edit', 'delete', 'copy', 'adhoc'],
  objectRoles: inventoriesResource.objectRoles,
  unique: [{ fields: ['name', 'organization'] }],
  hooks: {
    async afterWrite(inventory, before, context, input) {
      if (before) await changeConstructedSource(inventory, context, input)
      else await makeConstructedSource(inventory, context, input)
    },
    beforeDelete: inventoriesResource.hooks?.beforeDelete,
    remove: inventoriesResource.hooks?.remove,
  },
  related: ({ id }) => ({
    ...Object.fromEntries(belowInventories().map((key) => [key, `/api/v2/inventories/${id}/${key}/`])),
    constructed_url: `/api/v2/constructed_inventories/${id}/`,
  }),
  async summaries(rows, context) {
    await constructedSources(rows, context)
    return (await inventoriesResource.summaries?.(rows, context)) ?? []
  },
  present(wire, inventory, context) {
    const source = knownSource(inventory.id, context)
    const values = Object.entries(sourceColumns).map(([name, column]) => [name, source?.[column] ?? null])
    return { ...wire, ...Object.fromEntries(values) }
  },
})

/** Whatever lies below an inventory lies below it at its other address. */
function belowInventories(): string[] {
  const { subLists = {}, actions = {} } = inventoriesResource
  return [...Object.keys(subLists), ...Object.keys(actions), 'copy']
}
