import { eq } from 'drizzle-orm'
import type { NotificationList } from '../../model/notifications/types.ts'
import { notificationAttachments, notifications } from '../../store/schema/notifications.ts'
import type { Relation, SubList } from '../resource.ts'

/** Columns of what templates are attached to. */
type OwnerColumn = Exclude<keyof typeof notificationAttachments.$inferSelect, 'id' | 'list' | 'notificationTemplateId'>

const lists: readonly NotificationList[] = ['started', 'success', 'error']

/**
 * What a resource needs to be told of: `/<resource>/N/notification_templates_started/`, `…_success/`, `…_error/` and, where it has approvals,
 * `…_approvals/`. `owner` is its column among the attachments, `title` its name in OPTIONS.
 */
export function notificationTemplateLists(
  owner: OwnerColumn,
  title: string,
  options: { approvals?: boolean } = {},
): { relations: Record<string, Relation>; subLists: Record<string, SubList> } {
  const all = options.approvals ? [...lists, 'approvals' as const] : lists
  const key = (list: NotificationList) => `notification_templates_${list}`
  return {
    relations: Object.fromEntries(
      all.map((list): [string, Relation] => [
        key(list),
        {
          kind: 'through',
          to: 'notification_templates',
          table: notificationAttachments,
          parent: owner,
          child: 'notificationTemplateId',
          fixed: { list },
        },
      ]),
    ),
    subLists: Object.fromEntries(
      all.map((list): [string, SubList] => [
        key(list),
        {
          relation: key(list),
          attach: true,
          create: true,
          order: ['name'],
          title: `${title} Notification Templates ${titles[list]} List`,
        },
      ]),
    ),
  }
}

const titles: Record<NotificationList, string> = {
  started: 'Started',
  success: 'Success',
  error: 'Error',
  approvals: 'Approval',
}

/** `/<jobs>/N/notifications/`: what was told of a job. `kind` is its name in OPTIONS. */
export function notificationsOfJob(kind: string): SubList {
  return {
    resource: 'notifications',
    where: (job) => eq(notifications.jobId, job.id),
    title: `${kind} Notifications List`,
  }
}
