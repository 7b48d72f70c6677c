import { and, eq, inArray, sql } from 'drizzle-orm'
import type { inventories } from '../../store/schema/inventory.ts'
import { inventoryInputs, inventorySources } from '../../store/schema/updates.ts'
import type { RequestContext, Row } from '../context.ts'
import { BadRequestError } from '../errors.ts'

type Inventory = typeof inventories.$inferSelect
type Source = typeof inventorySources.$inferSelect

/** Fields of a constructed inventory that are those of its one source, by wire name and column. */
export const sourceColumns = {
  source_vars: 'sourceVars',
  update_cache_timeout: 'updateCacheTimeout',
  limit: 'limit',
  verbosity: 'verbosity',
} as const

/**
 * Makes the source that fills a constructed inventory, as AWX does: before every job that runs on it. `input` may hold the source's fields by
 * their wire names.
 */
export async function makeConstructedSource(
  inventory: Inventory,
  context: RequestContext,
  input: Record<string, unknown> = {},
): Promise<void> {
  await context.db.insert(inventorySources).values({
    name: `Auto-created source for: ${inventory.name}`.slice(0, 512),
    inventoryId: inventory.id,
    source: 'constructed',
    overwrite: true,
    overwriteVars: true,
    updateOnLaunch: true,
    createdById: context.actor.id,
    modifiedById: context.actor.id,
    ...sourceValues(input),
  })
}

/** Changes what the input names of a constructed inventory's source. */
export async function changeConstructedSource(
  inventory: Inventory,
  context: RequestContext,
  input: Record<string, unknown>,
): Promise<void> {
  const values = sourceValues(input)
  if (Object.keys(values).length === 0) return
  await context.db
    .update(inventorySources)
    .set(values)
    .where(and(eq(inventorySources.inventoryId, inventory.id), eq(inventorySources.source, 'constructed')))
}

function sourceValues(input: Record<string, unknown>): Partial<Source> {
  return Object.fromEntries(
    Object.entries(sourceColumns).flatMap(([name, column]) =>
      input[name] === undefined || input[name] === null ? [] : [[column, input[name]]],
    ),
  )
}

/** Gives the copy of a constructed inventory the same inputs, and its source the same words. */
export async function copyConstructed(source: Inventory, copy: Inventory, context: RequestContext): Promise<void> {
  if (source.kind !== 'constructed') return
  await context.db.execute(sql`
    INSERT INTO ${inventoryInputs} (inventory_id, input_inventory_id, position)
    SELECT ${copy.id}, input_inventory_id, position FROM ${inventoryInputs} WHERE inventory_id = ${source.id}`)
  const [original] = await context.db
    .select()
    .from(inventorySources)
    .where(and(eq(inventorySources.inventoryId, source.id), eq(inventorySources.source, 'constructed')))
  if (!original) return
  const input = Object.entries(sourceColumns).map(([name, column]) => [name, original[column]])
  await changeConstructedSource(copy, context, Object.fromEntries(input))
}

const cacheKey = 'sources of constructed inventories'

/** Reads the sources of constructed inventories, for `knownSource` later in the request. */
export async function constructedSources(rows: readonly Row[], context: RequestContext): Promise<void> {
  const ids = rows.map(({ id }) => id)
  if (ids.length === 0) return
  const found = await context.db
    .select()
    .from(inventorySources)
    .where(and(inArray(inventorySources.inventoryId, ids), eq(inventorySources.source, 'constructed')))
  const known = (context.cache.get(cacheKey) as Map<number, Source> | undefined) ?? new Map()
  for (const source of found) known.set(source.inventoryId, source)
  context.cache.set(cacheKey, known)
}

/** The source of a constructed inventory, once it was read in this request. */
export function knownSource(inventoryId: number, context: RequestContext): Source | undefined {
  return (context.cache.get(cacheKey) as Map<number, Source> | undefined)?.get(inventoryId)
}

/** An input may be neither constructed itself nor the inventory that it is to be put into. */
export async function checkInput(parent: { id: number }, child: Row, attaching: boolean): Promise<void> {
  if (!attaching) return
  if (child.kind === 'constructed')
    throw new BadRequestError('You cannot add a constructed inventory to another constructed inventory.')
  if (child.id === parent.id) throw new BadRequestError('An inventory cannot be an input of itself.')
}
