import { lookup, reverse } from 'node:dns/promises'
import { type CallbackHost, effectiveHostName, matchDirectly } from '../../model/callback.ts'
import { eachConcurrently } from '../../model/concurrently.ts'

/** Look-ups of names that matching needs; tests give their own. */
export interface NameLookup {
  /** Names of an address; empty where there are none. */
  namesOf(address: string): Promise<string[]>
  /** Addresses of a name; empty where there are none. */
  addressesOf(name: string): Promise<string[]>
}

/** The system's resolver. What cannot be resolved has no names. */
export const systemLookup: NameLookup = {
  namesOf: (address) => reverse(address).catch(() => []),
  addressesOf: async (name) => {
    const found = await lookup(name, { all: true }).catch(() => [])
    return found.map(({ address }) => address)
  },
}

/** Names in flight at once, and the milliseconds after which those that are left count as unknown. */
const atOnce = 16
const patienceMs = 10_000

/**
 * The hosts that whoever calls from an address may be: by address and by its names; where that finds not exactly one, by the addresses of all hosts
 * too, as AWX does.
 */
export async function matchCaller<H extends CallbackHost>(
  address: string,
  hosts: readonly H[],
  names: NameLookup = systemLookup,
): Promise<H[]> {
  const plain = plainAddress(address)
  if (plain === '') return []
  const callers = new Set([plain, ...(await names.namesOf(plain)).filter((name) => !name.endsWith('.arpa'))])
  const direct = matchDirectly(hosts, callers)
  if (direct.length === 1) return direct
  const matches = new Set(direct)
  const giveUpAt = Date.now() + patienceMs
  await eachConcurrently(hosts, atOnce, async (host) => {
    if (Date.now() >= giveUpAt) return
    const name = effectiveHostName(host)
    const addresses = (await names.addressesOf(name)).filter((one) => one !== name)
    if (addresses.some((one) => callers.has(plainAddress(one)))) matches.add(host)
  })
  return hosts.filter((host) => matches.has(host))
}

/** An IPv4 address that came over an IPv6 socket is an IPv4 address. */
function plainAddress(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/i, '')
}
