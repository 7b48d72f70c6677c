import { typeDescriptions } from './fields.ts'
import type { ApprovalNotificationEvent, JobNotificationEvent, NotificationType } from './types.ts'

/** What is said of one event: a line, and a text; null where a type has none. */
export interface Message {
  message?: string | null
  body?: string | null
}

/** What a type says where the user wrote nothing. */
export type DefaultMessages = Record<JobNotificationEvent, Message> & {
  workflow_approval: Record<ApprovalNotificationEvent, Message>
}

const line = "{{ job_friendly_name }} #{{ job.id }} '{{ job.name }}' {{ job.status }}: {{ url }}"
const text =
  '{{ job_friendly_name }} #{{ job.id }} had status {{ job.status }}, view details at {{ url }}\n\n{{ job_metadata }}'
const metadata = '{{ job_metadata }}'
const node = 'The approval node "{{ approval_node_name }}"'
const approvals: Record<ApprovalNotificationEvent, string> = {
  running: `${node} needs review. This node can be viewed at: {{ workflow_url }}`,
  approved: `${node} was approved. {{ workflow_url }}`,
  timed_out: `${node} has timed out. {{ workflow_url }}`,
  denied: `${node} was denied. {{ workflow_url }}`,
}

/** AWX's default messages (recorded: OPTIONS of notification_templates). */
export const defaultMessages: Record<NotificationType, DefaultMessages> = {
  awssns: documents(),
  email: letters(text),
  slack: lines(),
  twilio: lines(),
  pagerduty: letters(metadata),
  grafana: letters(metadata),
  webhook: documents(),
  mattermost: lines(),
  rocketchat: lines(),
  irc: lines(),
}

/** One line, and nothing else. */
function lines(): DefaultMessages {
  return build({ message: line, body: null }, (event) => ({ message: approvals[event], body: null }))
}

/** A line, and a text. */
function letters(body: string): DefaultMessages {
  return build({ message: line, body }, (event) => ({
    message: approvals[event],
    body: `${longer(event)}\n\n${metadata}`,
  }))
}

/** A JSON document. */
function documents(): DefaultMessages {
  return build({ body: metadata }, (event) => ({ body: `{"body": "${approvals[event].replaceAll('"', '\\"')}"}` }))
}

/** AWX words the invitation to review a little differently in texts. */
function longer(event: ApprovalNotificationEvent): string {
  return event === 'running' ? approvals.running.replace('This node', 'This approval node') : approvals[event]
}

function build(job: Message, approval: (event: ApprovalNotificationEvent) => Message): DefaultMessages {
  return {
    started: job,
    success: job,
    error: job,
    workflow_approval: {
      running: approval('running'),
      approved: approval('approved'),
      timed_out: approval('timed_out'),
      denied: approval('denied'),
    },
  }
}

/** Types in the order in which AWX's OPTIONS describe them. */
export const describedTypes = Object.keys(typeDescriptions) as NotificationType[]
