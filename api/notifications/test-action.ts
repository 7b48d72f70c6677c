import { testMessage } from '../../model/notifications/compose.ts'
import { tell } from '../../store/notifications/announce.ts'
import type { notificationTemplates } from '../../store/schema/notifications.ts'
import type { Row } from '../context.ts'
import type { Action } from '../resource.ts'

/** POST …/test/ sends a notification that says no more than where it comes from; how that went is on its row. */
export const testAction: Action<typeof notificationTemplates.$inferSelect & Row> = {
  title: 'Notification Template Test',
  async POST({ object: template, context, render }) {
    const publicUrl = context.deps.publicUrl.replace(/\/+$/, '')
    const said = testMessage(template.notificationType, template.id, publicUrl)
    const id = await tell(context.db, template, 'test', null, said)
    const wire = await render('notifications', id)
    return { status: 202, body: { notification: id, ...wire }, headers: { Location: String(wire.url) } }
  },
}
