import { eq, sql } from 'drizzle-orm'
import { composeMessage } from '../../model/notifications/compose.ts'
import type { Database } from '../database.ts'
import { MissingRowError } from '../errors.ts'
import { notifications, notificationTemplates } from '../schema/notifications.ts'
import { outbox } from '../schema/runtime.ts'
import { readJobFacts } from './job-facts.ts'

/** A notification with the template that says where it goes; secrets of its configuration are still sealed. */
export interface Delivery {
  notification: typeof notifications.$inferSelect
  template: typeof notificationTemplates.$inferSelect
}

/** Reads a notification that is to be delivered; undefined when it was deleted, with its template or by somebody's clean-up. */
export async function readDelivery(db: Database, id: number): Promise<Delivery | undefined> {
  const [row] = await db
    .select()
    .from(notifications)
    .innerJoin(notificationTemplates, eq(notificationTemplates.id, notifications.notificationTemplateId))
    .where(eq(notifications.id, id))
  return row && { notification: row.notifications, template: row.notification_templates }
}

/**
 * Writes what a notification says, once: a later try sends the same words. False when there is nothing left to tell of, because the job was
 * deleted before its message was written.
 */
export async function writeMessage(db: Database, delivery: Delivery, publicUrl: string): Promise<Delivery | undefined> {
  const { notification, template } = delivery
  if (notification.body !== null || notification.event === 'test') return delivery
  const { jobId, snapshot, event } = notification
  const job = jobId !== null && snapshot ? await readJobFacts(db, jobId, snapshot) : undefined
  if (!job) return undefined
  const words = { type: template.notificationType, messages: template.messages }
  const said = composeMessage(words, event, job, publicUrl)
  const [written] = await db.update(notifications).set(said).where(eq(notifications.id, notification.id)).returning()
  if (!written) throw new MissingRowError(`notification ${notification.id} does not exist`)
  return { notification: written, template }
}

/** Counts a try that is about to be made, so that one that kills the worker counts as well; how many there were, with this one. */
export async function beginTry(db: Database, id: number): Promise<number> {
  const [row] = await db
    .update(notifications)
    .set({ tries: sql`${notifications.tries} + 1`, modified: sql`now()` })
    .where(eq(notifications.id, id))
    .returning({ tries: notifications.tries })
  return row?.tries ?? 0
}

/** The target took it: `sent` messages were delivered. */
export async function notificationSent(db: Database, id: number, sent: number): Promise<void> {
  await db
    .update(notifications)
    .set({ status: 'successful', notificationsSent: sent, error: '', modified: sql`now()` })
    .where(eq(notifications.id, id))
}

/** A try has failed; `final`: there will be no other. What was delivered stays delivered. */
export async function notificationFailed(db: Database, id: number, error: string, final: boolean): Promise<void> {
  await db
    .update(notifications)
    .set({ error: error.replaceAll('\0', ''), modified: sql`now()`, ...(final ? { status: 'failed' as const } : {}) })
    .where(sql`${notifications.id} = ${id} AND ${notifications.status} = 'pending'`)
}

/** No try is left: what the last one said stays as the reason. */
export async function notificationGivenUp(db: Database, id: number, otherwise: string): Promise<void> {
  await db
    .update(notifications)
    .set({
      status: 'failed',
      error: sql`CASE WHEN ${notifications.error} = '' THEN ${otherwise} ELSE ${notifications.error} END`,
      modified: sql`now()`,
    })
    .where(sql`${notifications.id} = ${id} AND ${notifications.status} = 'pending'`)
}

/**
 * Gives up notifications that nobody delivers any more, because their workflow was terminated: long after any workflow would have done so itself, and
 * not while the message that starts it is still to be sent. Gives their number.
 */
export async function giveUpAbandoned(db: Database): Promise<number> {
  const { id, status, tries, modified } = notifications
  const given = await db
    .update(notifications)
    .set({
      status: 'failed',
      error: sql`CASE WHEN ${notifications.error} = '' THEN 'Its workflow was terminated in Temporal.' ELSE ${notifications.error} END`,
      modified: sql`now()`,
    })
    .where(
      sql`${status} = 'pending' AND ${modified} < now() - CASE WHEN ${tries} > 0 THEN interval '2 hours' ELSE interval '24 hours' END
        AND NOT EXISTS (SELECT 1 FROM ${outbox} WHERE ${outbox.kind} = 'notify' AND ${outbox.subjectId} = ${id})`,
    )
    .returning({ id })
  return given.length
}
