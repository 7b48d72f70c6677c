import { sql } from 'drizzle-orm'
import type { Channel } from './channel.ts'
import type { Database } from './database.ts'

/** Notifies the channel's listeners when the transaction commits; equal notifications of one transaction arrive once. */
export async function notify(tx: Database, channel: Channel, payload: number | '' = ''): Promise<void> {
  await tx.execute(sql`SELECT pg_notify(${channel}, ${String(payload)})`)
}
