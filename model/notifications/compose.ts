import { TemplateError } from '../jinja/errors.ts'
import { renderTemplate } from '../jinja/render.ts'
import { isMapping } from '../variables.ts'
import { defaultMessages, type Message } from './defaults.ts'
import { approvalVariables, type JobFacts, jobVariables } from './job.ts'
import { isApprovalEvent, type NotificationEvent, type NotificationType } from './types.ts'

/** What is sent: a line, and a text, which for some types is a JSON document. */
export interface ComposedMessage {
  subject: string
  body: string
}

/** Writes the message of an event: in the template's own words, where it has any, else in AWX's. */
export function composeMessage(
  template: { type: NotificationType; messages: unknown },
  event: Exclude<NotificationEvent, 'test'>,
  job: JobFacts,
  publicUrl: string,
): ComposedMessage {
  const approval = isApprovalEvent(event)
  const defaults = defaultMessages[template.type]
  const standard = approval ? defaults.workflow_approval[event] : defaults[event]
  const own = ownMessage(template.messages, event)
  const variables = approval ? approvalVariables(job, event, publicUrl) : jobVariables(job, publicUrl)
  const subject = render(own.message || standard.message, variables)
  const body = render(own.body || standard.body, variables)
  return { subject: oneLine(subject), body: approval || body.trim() !== '' ? body.replaceAll('\0', '') : blankBody }
}

/** Some mail clients cannot show a letter without a text. */
const blankBody = 'The body of this message is blank: please check the messages of the notification template.'

function ownMessage(messages: unknown, event: NotificationEvent): Message {
  const within = isMapping(messages) && isApprovalEvent(event) ? messages.workflow_approval : messages
  const said = isMapping(within) ? within[event] : undefined
  return isMapping(said) ? said : {}
}

/** What cannot be rendered says so where it is read, as in AWX. */
function render(template: string | null | undefined, variables: Record<string, unknown>): string {
  if (!template) return ''
  try {
    return renderTemplate(template, variables)
  } catch (error) {
    if (error instanceof TemplateError) return `This message cannot be rendered: ${error.message}`
    throw error
  }
}

/** Neither the store's texts nor the header of a letter takes these. */
function oneLine(text: string): string {
  return text.replaceAll('\0', '').replace(/\s*[\r\n]+\s*/g, ' ')
}

/** What the test button sends. */
export function testMessage(type: NotificationType, templateId: number, publicUrl: string): ComposedMessage {
  const said = `${templateId} ${publicUrl}`
  const text = `Test Notification ${said}`
  const subject = `Notification Test ${said}`
  return { subject, body: type === 'email' || type === 'pagerduty' ? text : JSON.stringify({ body: text }) }
}

/** A body that is a JSON mapping, as that mapping; `otherwise` says what stands for a text that is no JSON at all. */
export function bodyDocument(body: string, otherwise: 'text' | 'nothing'): unknown {
  try {
    const parsed: unknown = JSON.parse(body)
    return isMapping(parsed) ? parsed : body
  } catch {
    return otherwise === 'text' ? body : {}
  }
}
