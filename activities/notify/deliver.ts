import { Context } from '@temporalio/activity'
import { ApplicationFailure } from '@temporalio/common'
import { secretFields } from '../../model/notifications/fields.ts'
import type { NotificationType } from '../../model/notifications/types.ts'
import {
  beginTry,
  type Delivery,
  notificationFailed,
  notificationSent,
  readDelivery,
  writeMessage,
} from '../../store/notifications/deliveries.ts'
import { type Keyring, notificationContext, open } from '../../store/secrets.ts'
import type { ActivityDeps } from '../deps.ts'
import { throwIfAsked } from '../failures.ts'
import { Heart } from '../heart.ts'
import { activityFailures, type JobActivities } from '../types.ts'
import { DeliveryError, type Outgoing, type Sender } from './sender.ts'
import { senders as publicSenders } from './senders.ts'

/** How often a target is tried that does not answer, or answers that it cannot for now. */
const mostTries = 5

/**
 * Delivers one notification. Its message is written once, whatever happens, and delivered at least once; the row says how that went. A target
 * that does not answer in time has failed this time.
 */
export function createDeliverActivity(
  deps: Pick<ActivityDeps, 'store' | 'keyring' | 'settings'>,
  senders: Record<NotificationType, Sender> = publicSenders,
): JobActivities['deliver'] {
  const { db } = deps.store
  return async ({ notificationId }) => {
    const found = await readDelivery(db, notificationId)
    if (found?.notification.status !== 'pending') return { sent: found?.notification.notificationsSent ?? 0 }
    const heart = new Heart(Context.current())
    try {
      const written = await writeMessage(db, found, deps.settings.publicUrl)
      if (!written) throw new DeliveryError('The job was deleted before its message was written.', true)
      const patience = patienceOf(written.template, deps.settings.notificationSeconds)
      const signal = AbortSignal.any([heart.stop, heart.cancel, AbortSignal.timeout(patience * 1000)])
      const tries = await beginTry(db, notificationId)
      const sent = await attempt(written, { tries, patience, senders, signal, keyring: deps.keyring })
      await notificationSent(db, notificationId, sent)
      return { sent }
    } catch (error) {
      // Another worker goes on, and counts its own try.
      if (heart.stop.aborted) throwIfAsked()
      if (!(error instanceof DeliveryError)) throw error
      const reason = heart.cancel.aborted ? 'It was cancelled in Temporal.' : error.message
      const final = error.permanent || heart.cancel.aborted
      await notificationFailed(db, notificationId, reason, final)
      throw ApplicationFailure.create({
        type: activityFailures.undelivered,
        message: reason,
        nonRetryable: final,
      })
    } finally {
      heart.end()
    }
  }
}

/** Seconds that one try may take. Letters may be given longer by their template. */
function patienceOf({ notificationType, notificationConfiguration }: Delivery['template'], byDefault: number): number {
  const own = notificationType === 'email' ? Number(notificationConfiguration.timeout) : Number.NaN
  return Number.isFinite(own) ? Math.max(own, byDefault) : byDefault
}

/** One try; whatever goes wrong is a DeliveryError without secrets. */
async function attempt(
  { notification, template }: Delivery,
  way: {
    tries: number
    patience: number
    senders: Record<NotificationType, Sender>
    signal: AbortSignal
    keyring: Keyring
  },
): Promise<number> {
  const { tries, patience, senders, signal, keyring } = way
  // The template may have become one of another type since; then its configuration is that type's.
  const type = template.notificationType
  const { configuration, hide } = opened(keyring, template)
  const { subject, body } = notification
  const outgoing: Outgoing = { configuration, subject, body: body ?? '' }
  try {
    return await senders[type](outgoing, signal)
  } catch (error) {
    const reason = signal.aborted
      ? `The target did not answer within ${patience} seconds.`
      : error instanceof Error
        ? error.message
        : String(error)
    const permanent = (error instanceof DeliveryError && error.permanent) || tries >= mostTries
    throw new DeliveryError(hide(reason), permanent)
  }
}

/** The configuration in the clear, and what takes its secrets out of a text. */
function opened(keyring: Keyring, template: Delivery['template']) {
  const configuration = { ...template.notificationConfiguration }
  const secrets: string[] = []
  for (const field of secretFields(template.notificationType)) {
    const value = configuration[field]
    if (typeof value !== 'string' || value === '') continue
    const secret = open(keyring, value, notificationContext(template.id, field))
    configuration[field] = secret
    const named = `${configuration.username ?? configuration.account_sid ?? ''}:${secret}`
    secrets.push(Buffer.from(named).toString('base64'), encodeURIComponent(secret), secret)
  }
  const hide = (text: string) =>
    secrets.reduce((shown, secret) => shown.replaceAll(secret, '$encrypted$'), text).slice(0, 2_000)
  return { configuration, hide }
}
