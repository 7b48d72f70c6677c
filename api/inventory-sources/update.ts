import { asc, eq } from 'drizzle-orm'
import { canUpdateSource } from '../../model/inventory-source.ts'
import { createInventoryUpdate } from '../../store/launch/inventory-update.ts'
import { enqueue } from '../../store/outbox.ts'
import type { inventories } from '../../store/schema/inventory.ts'
import { inventorySources } from '../../store/schema/updates.ts'
import type { RequestContext } from '../context.ts'
import { ApiError, BadRequestError, MethodNotAllowedError } from '../errors.ts'
import { madeHeaders, makeOnce } from '../launch/idempotency.ts'
import { launchedBody } from '../launch/launch.ts'
import type { Action, ActionInput } from '../resource.ts'

type Source = typeof inventorySources.$inferSelect
type Inventory = typeof inventories.$inferSelect

const canUpdateField = { can_update: { type: 'boolean', label: 'Can update', filterable: false } }

/** `/inventory_sources/N/update/`. */
export const updateSourceAction: Action<Source> = {
  async GET({ object }) {
    return { status: 200, body: { can_update: canUpdateSource(object) } }
  },
  async POST({ object, body, context, render }) {
    if (!canUpdateSource(object)) throw new MethodNotAllowedError('POST')
    const made = await makeOnce(context, body, async (tx) => ({
      jobId: await startUpdate({ ...context, db: tx }, object),
      ignoredFields: {},
    }))
    return {
      status: 202,
      body: { inventory_update: made.jobId, ...(await startedBody(made.jobId, render)) },
      headers: madeHeaders('inventory_updates', made),
    }
  },
  fields: { GET: canUpdateField, POST: {} },
  ownTransaction: true,
  title: 'Inventory Source Update',
}

/** `/inventories/N/update_inventory_sources/`: all of them; says of each what became of it. */
export const updateAllSourcesAction: Action<Inventory> = {
  async GET({ object, context }) {
    const sources = await sourcesOf(object, context)
    const body = sources.map((source) => ({ inventory_source: source.id, can_update: canUpdateSource(source) }))
    return { status: 200, body }
  },
  async POST({ object, context, render }) {
    const sources = await sourcesOf(object, context)
    if (sources.length === 0) throw new BadRequestError('No inventory sources to update.')
    const answers: Record<string, unknown>[] = []
    for (const source of sources) {
      if (!canUpdateSource(source)) {
        const status = 'Could not start because `can_update` returned False'
        answers.push({ inventory_source: source.id, status })
        continue
      }
      const id = await startUpdate(context, source)
      const shown = await startedBody(id, render)
      answers.push({ inventory_source: source.id, ...shown, status: 'started', inventory_update: id })
    }
    if (!answers.some((answer) => 'inventory_update' in answer)) throw new ApiError(400, answers)
    return { status: 202, body: answers }
  },
  permission: { POST: 'update' },
  fields: { GET: canUpdateField, POST: {} },
  title: 'Inventory Sources Update',
}

/** The update as AWX answers its start. */
async function startedBody(id: number, render: ActionInput['render']): Promise<Record<string, unknown>> {
  const { custom_virtualenv, ...shown } = await render('inventory_updates', id)
  return { ...launchedBody(shown), custom_virtualenv }
}

async function sourcesOf({ id }: Inventory, { db }: RequestContext): Promise<Source[]> {
  return await db
    .select()
    .from(inventorySources)
    .where(eq(inventorySources.inventoryId, id))
    .orderBy(asc(inventorySources.id))
}

/** Makes an update of the source and the message that starts it, in the context's transaction. Returns its id. */
async function startUpdate(context: RequestContext, source: Source): Promise<number> {
  const id = await createInventoryUpdate(context.db, source, { launchType: 'manual', createdById: context.actor.id })
  await enqueue(context.db, 'start', id)
  return id
}
