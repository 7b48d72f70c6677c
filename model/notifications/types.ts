/** AWX's notification types with their labels, in the order in which AWX offers them. */
export const notificationTypes = [
  ['awssns', 'AWS SNS'],
  ['email', 'Email'],
  ['grafana', 'Grafana'],
  ['irc', 'IRC'],
  ['mattermost', 'Mattermost'],
  ['pagerduty', 'Pagerduty'],
  ['rocketchat', 'Rocket.Chat'],
  ['slack', 'Slack'],
  ['twilio', 'Twilio'],
  ['webhook', 'Webhook'],
] as const
/** One of them. */
export type NotificationType = (typeof notificationTypes)[number][0]

/** States of a notification, in AWX's words. */
export const notificationStatuses = ['pending', 'successful', 'failed'] as const
/** One of them. */
export type NotificationStatus = (typeof notificationStatuses)[number]

/** Lists that a template is attached to: `notification_templates_<list>`. Approvals are those of workflow job templates and organizations. */
export type NotificationList = 'started' | 'success' | 'error' | 'approvals'

/** What happens to a job that a message is sent for. */
export type JobNotificationEvent = 'started' | 'success' | 'error'

/** What happens to an approval that a message is sent for. */
export type ApprovalNotificationEvent = 'running' | 'approved' | 'timed_out' | 'denied'

/** What a notification tells: of a job, of an approval, or that somebody pressed the test button. */
export type NotificationEvent = JobNotificationEvent | ApprovalNotificationEvent | 'test'

/** Whether an event is one of an approval. */
export function isApprovalEvent(event: NotificationEvent): event is ApprovalNotificationEvent {
  return (approvalEvents as readonly NotificationEvent[]).includes(event)
}

/** Events of jobs that messages can be written for. */
export const jobEvents = ['started', 'success', 'error'] as const satisfies readonly JobNotificationEvent[]
/** Events of approvals that messages can be written for. */
export const approvalEvents = [
  'running',
  'approved',
  'timed_out',
  'denied',
] as const satisfies readonly ApprovalNotificationEvent[]
