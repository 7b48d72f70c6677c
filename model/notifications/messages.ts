import { TemplateError } from '../jinja/errors.ts'
import { renderTemplate } from '../jinja/render.ts'
import { isMapping, pythonTypeName } from '../variables.ts'
import { sampleVariables } from './sample.ts'
import { approvalEvents, jobEvents, type NotificationType } from './types.ts'

type Messages = Record<string, unknown>

/** What is wrong with a template's `messages`, in AWX's words; nothing for null, which means AWX's defaults. */
export function messageErrors(messages: unknown, type: NotificationType): string[] {
  if (messages === null) return []
  if (!isMapping(messages)) return [`Expected dict for 'messages' field, found ${className(messages)}`]
  const errors: string[] = []
  const texts: string[] = []
  for (const [event, said] of Object.entries(messages)) {
    if (event !== 'workflow_approval' && !(jobEvents as readonly string[]).includes(event))
      errors.push(`Event '${event}' invalid, must be one of 'started', 'success', 'error', or 'workflow_approval'`)
    else if (said === null) continue
    else if (!isMapping(said)) errors.push(`Expected dict for event '${event}', found ${className(said)}`)
    else if (event === 'workflow_approval') collectApprovals(said, errors, texts)
    else collect(said, event, errors, texts)
  }
  return [...errors, ...texts.flatMap(renderErrors), ...(type === 'webhook' ? bodyErrors(messages) : [])]
}

function collectApprovals(said: Messages, errors: string[], texts: string[]): void {
  for (const [event, inner] of Object.entries(said)) {
    if (!(approvalEvents as readonly string[]).includes(event))
      errors.push(
        `Workflow Approval event '${event}' invalid, must be one of 'running', 'approved', 'timed_out', or 'denied'`,
      )
    else if (inner === null) continue
    else if (!isMapping(inner))
      errors.push(`Expected dict for workflow approval event '${event}', found ${className(inner)}`)
    else collect(inner, 'workflow_approval', errors, texts)
  }
}

function collect(said: Messages, event: string, errors: string[], texts: string[]): void {
  for (const [kind, text] of Object.entries(said)) {
    if (kind !== 'message' && kind !== 'body')
      errors.push(`Message type '${kind}' invalid, must be either 'message' or 'body'`)
    else if (text === null) continue
    else if (typeof text !== 'string') errors.push(`Expected string for '${kind}', found ${className(text)}, `)
    else if (kind === 'message' && text.includes('\n'))
      errors.push(`Messages cannot contain newlines (found newline in ${event} event)`)
    else texts.push(text)
  }
}

/** As AWX does, every text is rendered once over a sample of all that a message may use. */
function renderErrors(text: string): string[] {
  const error = tryToRender(text)
  if (!error) return []
  if (error.kind === 'undefined') return [`Field '${error.message}' unavailable`]
  if (error.kind === 'security') return [`Security error due to field '${error.message}'`]
  return [`Unable to render message '${text.slice(0, 1000)}': ${error.message}`]
}

/** AWX says it once more of the body of a web hook. */
function bodyErrors(messages: Messages): string[] {
  return Object.entries(messages).flatMap(([event, said]) => {
    const body = isMapping(said) ? said.body : undefined
    const error = typeof body === 'string' ? tryToRender(body) : undefined
    return error ? [`Webhook body for '${event}' is not valid. The following gave an error (${error.message}).`] : []
  })
}

function tryToRender(text: string): TemplateError | undefined {
  try {
    renderTemplate(text, sampleVariables, { strict: true })
    return undefined
  } catch (error) {
    if (error instanceof TemplateError) return error
    throw error
  }
}

/** `<class 'str'>`: how Python shows a type. */
function className(value: unknown): string {
  return `<class '${pythonTypeName(value)}'>`
}

/**
 * What is stored when a template's messages are changed: as AWX has it, a message that the change does not mention or leaves empty keeps its
 * words, and events that nobody mentioned are null. Null takes all back to the defaults.
 */
export function mergeMessages(stored: Messages | null, fresh: Messages | null): Messages | null {
  if (!fresh) return fresh
  const merged: Messages = { ...fresh }
  for (const event of [...jobEvents, 'workflow_approval'])
    merged[event] = mergeEvent(stored?.[event], fresh[event], event)
  return merged
}

function mergeEvent(stored: unknown, fresh: unknown, event: string): unknown {
  if (!isMapping(stored) || isEmpty(stored)) return fresh ?? null
  if (!isMapping(fresh) || isEmpty(fresh)) return stored
  if (event !== 'workflow_approval') return mergeTexts(stored, fresh)
  const merged: Messages = { ...fresh }
  for (const inner of approvalEvents) {
    const value = mergeEvent(stored[inner], fresh[inner], inner)
    if (value !== null) merged[inner] = value
  }
  return merged
}

function mergeTexts(stored: Messages, fresh: Messages): Messages {
  const merged = { ...fresh }
  for (const kind of ['message', 'body']) if (!(kind in fresh) && stored[kind]) merged[kind] = stored[kind]
  return merged
}

function isEmpty(mapping: Messages): boolean {
  return Object.keys(mapping).length === 0
}
