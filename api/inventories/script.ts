import { and, eq } from 'drizzle-orm'
import { hostVariables, inventoryData, readSlice } from '../../model/inventory-script.ts'
import { readInventory } from '../../store/inventory.ts'
import { hosts, type inventories } from '../../store/schema/inventory.ts'
import { BadRequestError, NotFoundError } from '../errors.ts'
import type { Action } from '../resource.ts'

type Inventory = typeof inventories.$inferSelect

/** `/inventories/N/script/`: the inventory as Ansible's script JSON, or with `?host=NAME` the variables of one host. */
export const scriptAction: Action<Inventory> = {
  async GET({ object, query, context }) {
    const flag = (name: string) => /^(1|true|yes)$/i.test(query.get(name) ?? '')
    const options = { hostvars: flag('hostvars'), towervars: flag('towervars'), all: flag('all') }
    const name = query.get('host')
    if (name) {
      const [host] = await context.db
        .select()
        .from(hosts)
        .where(and(eq(hosts.inventoryId, object.id), eq(hosts.name, name)))
      if (!host) throw NotFoundError.of('Host')
      return { status: 200, body: hostVariables(host, options) }
    }
    const subset = query.get('subset')
    const slice = subset ? readSlice(subset) : undefined
    if (slice === null) throw new BadRequestError('subset must read slice<number>of<count>.')
    const inventory = await readInventory(context.db, object.id)
    if (!inventory) throw NotFoundError.of('Inventory')
    return { status: 200, body: inventoryData(inventory, { ...options, slice }) }
  },
}
