import { notificationStatuses, notificationTypes } from '../../model/notifications/types.ts'
import { isMapping } from '../../model/variables.ts'
import { notifications } from '../../store/schema/notifications.ts'
import { defineResource } from '../resource.ts'

type NotificationRow = typeof notifications.$inferSelect

/** `/api/v2/notifications/`: what was told whom, and whether it arrived. */
export const notificationsResource = defineResource({
  name: 'notifications',
  type: 'notification',
  model: 'Notification',
  table: notifications,
  methods: { list: ['GET'], detail: ['GET'] },
  fields: {
    notification_template: { kind: 'id', to: 'notification_templates' },
    error: { kind: 'string' },
    status: {
      kind: 'choice',
      choices: notificationStatuses.map((status) => [status, status.charAt(0).toUpperCase() + status.slice(1)]),
    },
    notifications_sent: { kind: 'integer' },
    notification_type: { kind: 'choice', choices: notificationTypes.map(([value, label]) => [value, label]) },
    recipients: { kind: 'string' },
    subject: { kind: 'string' },
    body: { kind: 'json' },
  },
  order: ['id'],
  searchFields: ['subject', 'notification_type', 'body'],
  present: (wire, row) => shown(wire, row),
})

/** As AWX shows them: types that send a document have no line, types that send a line no body. */
function shown({ subject, body: _stored, ...wire }: Record<string, unknown>, row: NotificationRow) {
  const type = row.notificationType
  const hasLine = type !== 'webhook' && type !== 'awssns'
  const hasBody = ['email', 'webhook', 'pagerduty', 'awssns'].includes(type)
  return { ...wire, ...(hasLine ? { subject } : {}), ...(hasBody ? { body: bodyOf(row) } : {}) }
}

/** Documents are shown as what they are; a message that is not written yet is empty. */
function bodyOf({ body, notificationType }: NotificationRow): unknown {
  if (body === null) return {}
  if (notificationType === 'email') return body
  try {
    const parsed: unknown = JSON.parse(body)
    return isMapping(parsed) ? parsed : body
  } catch {
    return body
  }
}
