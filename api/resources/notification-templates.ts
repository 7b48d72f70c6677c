import { and, desc, eq, inArray, sql } from 'drizzle-orm'
import { defaultMessages, describedTypes } from '../../model/notifications/defaults.ts'
import { typeDescriptions } from '../../model/notifications/fields.ts'
import { mergeMessages, messageErrors } from '../../model/notifications/messages.ts'
import { type NotificationType, notificationTypes } from '../../model/notifications/types.ts'
import { toWireTime } from '../../store/instant.ts'
import { notifications, notificationTemplates } from '../../store/schema/notifications.ts'
import type { RequestContext } from '../context.ts'
import { ApiError, ValidationError } from '../errors.ts'
import { descriptionField, nameField } from '../field.ts'
import {
  maskConfiguration,
  readConfiguration,
  resealConfiguration,
  sealConfiguration,
} from '../notifications/configuration.ts'
import { testAction } from '../notifications/test-action.ts'
import { defineResource, type WriteCheck } from '../resource.ts'

type TemplateRow = typeof notificationTemplates.$inferSelect

/** `/api/v2/notification_templates/`: whom to tell, and in which words. What is secret is sealed in the store and never shown. */
export const notificationTemplatesResource = defineResource({
  name: 'notification_templates',
  type: 'notification_template',
  model: 'NotificationTemplate',
  table: notificationTemplates,
  fields: {
    name: nameField(),
    description: descriptionField(),
    organization: { kind: 'id', to: 'organizations', required: true },
    notification_type: {
      kind: 'choice',
      choices: notificationTypes.map(([value, label]) => [value, label]),
      required: true,
    },
    notification_configuration: {
      kind: 'json',
      default: {},
      unsearchable: true,
      options: Object.fromEntries(describedTypes.map((type) => [type, typeDescriptions[type].fields])),
    },
    messages: {
      kind: 'json',
      holds: 'any',
      nullable: true,
      default: { started: null, success: null, error: null, workflow_approval: null },
      options: Object.fromEntries(describedTypes.map((type) => [type, defaultMessages[type]])),
    },
  },
  relations: {
    notifications: { kind: 'many', to: 'notifications', column: 'notificationTemplateId' },
  },
  order: ['name'],
  searchFields: ['description', 'name'],
  namedUrl: [['name'], ['organization__name']],
  capabilities: ['edit', 'delete', 'copy'],
  unique: [{ fields: ['organization', 'name'] }],
  subLists: {
    notifications: { relation: 'notifications', title: 'Notification Template Notification List' },
  },
  actions: { test: testAction },
  copy: {
    omit: ['notification_configuration'],
    async after(source, copy, { db, deps }) {
      const { keyring } = deps
      const sealed = resealConfiguration(keyring, source.id, copy.id, source.notificationConfiguration)
      await db
        .update(notificationTemplates)
        .set({ notificationConfiguration: sealed })
        .where(eq(notificationTemplates.id, copy.id))
      copy.notificationConfiguration = sealed
    },
  },
  hooks: {
    validate,
    prepare({ notificationConfiguration: _sealedLater, ...values }, { input, before }) {
      if (!before || !('messages' in input)) return values
      const fresh = input.messages as TemplateRow['messages']
      return { ...values, messages: mergeMessages(before.messages, fresh) }
    },
    async afterWrite(row, before, { db, deps }, input) {
      if (!('notification_configuration' in input)) return
      const notificationConfiguration = sealConfiguration(
        deps.keyring,
        row.id,
        row.notificationType,
        input.notification_configuration as Record<string, unknown>,
        before?.notificationConfiguration ?? {},
      )
      await db
        .update(notificationTemplates)
        .set({ notificationConfiguration })
        .where(eq(notificationTemplates.id, row.id))
    },
    beforeDelete: refuseWhilePending,
  },
  present: (wire, row) => ({
    ...wire,
    notification_configuration: maskConfiguration(row.notificationConfiguration),
  }),
  async summaries(rows, context) {
    const recent = await recentNotifications(
      rows.map((row) => row.id),
      context,
    )
    return rows.map((row) => ({ recent_notifications: recent.get(row.id) ?? [] }))
  },
})

/** What a body does not mention stays as it is, by PUT as well. */
function validate({ input, merged, before, body }: WriteCheck<TemplateRow>): void {
  if (before) for (const field of ['notification_configuration', 'messages']) if (!(field in body)) delete input[field]
  const type = merged.notification_type as NotificationType
  if ('messages' in input) {
    const errors = messageErrors(input.messages, type)
    if (errors.length > 0) throw new ValidationError({ messages: errors })
  }
  const stored = before?.notificationConfiguration
  const given = 'notification_configuration' in input ? input.notification_configuration : stored
  const configuration = readConfiguration(type, given as Record<string, unknown>, stored)
  if ('notification_configuration' in input) input.notification_configuration = configuration
}

/** As in AWX, unless they have been pending for longer than any delivery takes. */
async function refuseWhilePending({ id }: TemplateRow, { db }: RequestContext): Promise<void> {
  const pending = and(
    eq(notifications.notificationTemplateId, id),
    eq(notifications.status, 'pending'),
    sql`${notifications.created} > now() - interval '8 hours'`,
  )
  if ((await db.$count(notifications, pending)) > 0)
    throw new ApiError(405, { error: 'Delete not allowed while there are pending notifications' })
}

/** The five newest notifications of each template, by template id. */
async function recentNotifications(
  ids: readonly number[],
  { db }: RequestContext,
): Promise<Map<number, Record<string, unknown>[]>> {
  const recent = new Map<number, Record<string, unknown>[]>()
  if (ids.length === 0) return recent
  const place = sql<number>`row_number() over (partition by ${notifications.notificationTemplateId} order by ${notifications.id} desc)`
  const ranked = db
    .select({
      id: notifications.id,
      templateId: notifications.notificationTemplateId,
      status: notifications.status,
      created: notifications.created,
      error: notifications.error,
      place: place.as('place'),
    })
    .from(notifications)
    .where(inArray(notifications.notificationTemplateId, [...ids]))
    .as('ranked')
  const rows = await db.select().from(ranked).where(sql`${ranked.place} <= 5`).orderBy(desc(ranked.id))
  for (const { templateId, id, status, created, error } of rows)
    recent.set(templateId, [...(recent.get(templateId) ?? []), { id, status, created: toWireTime(created), error }])
  return recent
}
