import { and, inArray, sql } from 'drizzle-orm'
import type { Database } from './database.ts'
import { webhookDeliveries } from './schema/workflows.ts'

/** So many at once at most: each pass of whoever calls it stays short, and the next one goes on. */
const atOnce = 10_000

/** Forgets deliveries of web hooks that are older than 30 days; gives their number. Services repeat a delivery for days, not for weeks. */
export async function forgetOldDeliveries(db: Database): Promise<number> {
  const { templateId, guid, created } = webhookDeliveries
  const old = db
    .select({ guid })
    .from(webhookDeliveries)
    .where(sql`${created} < now() - interval '30 days'`)
    .limit(atOnce)
  const forgotten = await db
    .delete(webhookDeliveries)
    .where(and(inArray(guid, old), sql`${created} < now() - interval '30 days'`))
    .returning({ templateId })
  return forgotten.length
}
