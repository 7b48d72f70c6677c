import { and, asc, eq, gt, sql } from 'drizzle-orm'
import type { Database } from './database.ts'
import { hosts } from './schema/inventory.ts'

/** Facts of one host. */
export interface HostFacts {
  hostId: number
  /** {} means that the play cleared them. */
  facts: Record<string, unknown>
}

/** Facts of a host may take 100 kB: few at a time. */
const hostsPerPage = 50

/** Stores the facts that a job gathered. A host that is gone meanwhile is passed over. */
export async function storeFacts(db: Database, gathered: Iterable<HostFacts>): Promise<void> {
  await db.transaction(async (tx) => {
    for (const { hostId, facts } of gathered)
      await tx.update(hosts).set({ ansibleFacts: facts, ansibleFactsModified: sql`now()` }).where(eq(hosts.id, hostId))
  })
}

/** Reads the facts of an inventory's hosts that have any, by host id, a page at a time in memory. `modified` is the store's text (UTC). */
export async function* readFacts(
  db: Database,
  inventoryId: number,
): AsyncGenerator<HostFacts & { hostName: string; modified: string | null }> {
  for (let lastId = 0; ; ) {
    const page = await db
      .select({
        hostId: hosts.id,
        hostName: hosts.name,
        facts: hosts.ansibleFacts,
        modified: hosts.ansibleFactsModified,
      })
      .from(hosts)
      .where(and(eq(hosts.inventoryId, inventoryId), gt(hosts.id, lastId), sql`${hosts.ansibleFacts}::text <> '{}'`))
      .orderBy(asc(hosts.id))
      .limit(hostsPerPage)
    yield* page
    const last = page.at(-1)
    if (!last) return
    lastId = last.hostId
  }
}
