import { and, eq } from 'drizzle-orm'
import { parseVariables } from '../../model/variables.ts'
import { groups, hosts, inventories } from '../../store/schema/inventory.ts'
import type { RequestContext } from '../context.ts'
import { ValidationError } from '../errors.ts'
import type { WriteCheck } from '../resource.ts'

type Member = { id: number; inventoryId: number }

/** Hosts and groups belong to a plain inventory; they stay in it, later writes ignore the field. */
async function checkInventory({ merged, context }: WriteCheck<Member>, kind: 'Host' | 'Group'): Promise<void> {
  const [inventory] = await context.db
    .select({ kind: inventories.kind })
    .from(inventories)
    .where(eq(inventories.id, Number(merged.inventory)))
  if (inventory && inventory.kind !== '') {
    throw new ValidationError({ inventory: { detail: `Cannot create ${kind} for Smart or Constructed Inventories` } })
  }
}

/** Rules of a host. `name:port` becomes the name and a variable with the port, as in AWX. */
export async function checkHost(check: WriteCheck<Member>): Promise<void> {
  await checkInventory(check, 'Host')
  const { input, merged, context } = check
  if (typeof input.name !== 'string') return
  const [name = '', port, ...more] = input.name.split(':')
  // More than one colon is an IPv6 address.
  if (port !== undefined && more.length === 0) {
    const number = /^\d+$/.test(port) ? Number(port) : 0
    if (number < 1 || number > 65535) throw ValidationError.on('name', `Invalid port specification: ${port}`)
    const variables = parseVariables(merged.variables)
    input.name = name
    input.variables = JSON.stringify({ ...(variables.ok ? variables.value : {}), ansible_ssh_port: number })
    Object.assign(merged, { name, variables: input.variables })
  }
  await refuseTwin(groups, 'A Group with that name already exists.', check, context)
}

/** Rules of a group. */
export async function checkGroup(check: WriteCheck<Member>): Promise<void> {
  const { name } = check.input
  if (name === 'all' || name === '_meta') throw ValidationError.on('name', 'Invalid group name.')
  await checkInventory(check, 'Group')
  if (typeof name === 'string') await refuseTwin(hosts, 'A Host with that name already exists.', check, check.context)
}

/** Ansible knows hosts and groups by one name space. */
async function refuseTwin(
  table: typeof hosts | typeof groups,
  message: string,
  { merged }: WriteCheck<Member>,
  context: RequestContext,
): Promise<void> {
  const [twin] = await context.db
    .select({ id: table.id })
    .from(table)
    .where(and(eq(table.inventoryId, Number(merged.inventory)), eq(table.name, String(merged.name))))
    .limit(1)
  if (twin) throw ValidationError.on('__all__', message)
}
