import { index, integer, json, pgTable, text, unique } from 'drizzle-orm/pg-core'
import type { JobSnapshot } from '../../model/notifications/snapshot.ts'
import type {
  NotificationEvent,
  NotificationList,
  NotificationStatus,
  NotificationType,
} from '../../model/notifications/types.ts'
import { organizations } from './catalog.ts'
import { authors, stamps } from './identity.ts'
import { unifiedJobs } from './jobs.ts'
import { jobTemplates, projects } from './templates.ts'
import { inventorySources, systemJobTemplates } from './updates.ts'
import { workflowJobTemplates } from './workflows.ts'

/** Where news of jobs are sent, and in which words. */
export const notificationTemplates = pgTable(
  'notification_templates',
  {
    id: integer().primaryKey().generatedAlwaysAsIdentity(),
    name: text().notNull(),
    description: text().notNull().default(''),
    organizationId: integer()
      .notNull()
      .references(() => organizations.id, { onDelete: 'cascade' }),
    notificationType: text().$type<NotificationType>().notNull(),
    /** By AWX's field names; values of password fields are sealed by store/secrets.ts, never plain. */
    notificationConfiguration: json().$type<Record<string, unknown>>().notNull().default({}),
    /** Messages of the user's own by event; null where AWX's defaults are used. */
    messages: json().$type<Record<string, unknown>>(),
    ...authors(),
    ...stamps(),
  },
  (table) => [unique().on(table.organizationId, table.name)],
)

/** What tells whom of which event. Exactly one of the columns behind `list` is set: what the template is attached to. */
export const notificationAttachments = pgTable(
  'notification_attachments',
  {
    id: integer().primaryKey().generatedAlwaysAsIdentity(),
    notificationTemplateId: integer()
      .notNull()
      .references(() => notificationTemplates.id, { onDelete: 'cascade' }),
    list: text().$type<NotificationList>().notNull(),
    organizationId: integer().references(() => organizations.id, { onDelete: 'cascade' }),
    projectId: integer().references(() => projects.id, { onDelete: 'cascade' }),
    jobTemplateId: integer().references(() => jobTemplates.id, { onDelete: 'cascade' }),
    workflowJobTemplateId: integer().references(() => workflowJobTemplates.id, { onDelete: 'cascade' }),
    inventorySourceId: integer().references(() => inventorySources.id, { onDelete: 'cascade' }),
    systemJobTemplateId: integer().references(() => systemJobTemplates.id, { onDelete: 'cascade' }),
  },
  (table) => [
    unique('notification_attachments_unique')
      .on(
        table.notificationTemplateId,
        table.list,
        table.organizationId,
        table.projectId,
        table.jobTemplateId,
        table.workflowJobTemplateId,
        table.inventorySourceId,
        table.systemJobTemplateId,
      )
      .nullsNotDistinct(),
    index().on(table.organizationId),
    index().on(table.projectId),
    index().on(table.jobTemplateId),
    index().on(table.workflowJobTemplateId),
    index().on(table.inventorySourceId),
    index().on(table.systemJobTemplateId),
  ],
)

/** One message to the recipients of a template; written in the transaction of what it tells of, delivered by a workflow of its own. */
export const notifications = pgTable(
  'notifications',
  {
    id: integer().primaryKey().generatedAlwaysAsIdentity(),
    notificationTemplateId: integer()
      .notNull()
      .references(() => notificationTemplates.id, { onDelete: 'cascade' }),
    /** The job or approval it tells of; null for a test, and when the job was deleted. */
    jobId: integer().references(() => unifiedJobs.id, { onDelete: 'set null' }),
    event: text().$type<NotificationEvent>().notNull(),
    /** The job as it was at the event: when the message is written it may have gone on. */
    snapshot: json().$type<JobSnapshot>(),
    status: text().$type<NotificationStatus>().notNull().default('pending'),
    /** Why it failed, or, while it is pending, why the last try did. */
    error: text().notNull().default(''),
    notificationsSent: integer().notNull().default(0),
    /** How often it was tried. */
    tries: integer().notNull().default(0),
    notificationType: text().$type<NotificationType>().notNull(),
    recipients: text().notNull().default(''),
    subject: text().notNull().default(''),
    /** As rendered; null while the message is not written yet. */
    body: text(),
    ...stamps(),
  },
  (table) => [index().on(table.notificationTemplateId), index().on(table.jobId)],
)
