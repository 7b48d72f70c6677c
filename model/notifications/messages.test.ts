import { expect, test } from 'vitest'
import { checkConfiguration } from './configuration.ts'
import { defaultMessages } from './defaults.ts'
import { mergeMessages, messageErrors } from './messages.ts'
import { notificationTypes } from './types.ts'

test.each(notificationTypes.map(([type]) => type))('the standard messages of %s are good messages', (type) => {
  expect(messageErrors(defaultMessages[type], type)).toEqual([])
})

test.each([
  ['x', "Expected dict for 'messages' field, found <class 'str'>"],
  [{ began: {} }, "Event 'began' invalid, must be one of 'started', 'success', 'error', or 'workflow_approval'"],
  [{ started: 'x' }, "Expected dict for event 'started', found <class 'str'>"],
  [{ started: { text: 'x' } }, "Message type 'text' invalid, must be either 'message' or 'body'"],
  [{ started: { message: 5 } }, "Expected string for 'message', found <class 'int'>, "],
  [{ error: { message: 'a\nb' } }, 'Messages cannot contain newlines (found newline in error event)'],
  [{ error: { message: '{{ job.nothing }}' } }, "Field 'nothing' unavailable"],
  [{ error: { message: '{{ secret }}' } }, "Field 'secret' unavailable"],
  [{ error: { message: '{{ job.id' } }, /^Unable to render message '\{\{ job.id': ./],
  [{ error: { body: '{{ job.__class__ }}' } }, /^Security error due to field '.*__class__/],
  [{ error: { body: '{% for i in range(10**9) %}x{% endfor %}' } }, /^Unable to render message .*too many/],
  [
    { workflow_approval: { maybe: {} } },
    "Workflow Approval event 'maybe' invalid, must be one of 'running', 'approved', 'timed_out', or 'denied'",
  ],
  [{ workflow_approval: { denied: [] } }, "Expected dict for workflow approval event 'denied', found <class 'list'>"],
])('%j is refused', (messages, error) => {
  const [first, ...others] = messageErrors(messages, 'email')
  if (typeof error === 'string') expect(first).toBe(error)
  else expect(first).toMatch(error)
  expect(others).toEqual([])
})

test('the body of a web hook is complained of twice, as in AWX', () => {
  expect(messageErrors({ error: { body: '{{ nope }}' } }, 'webhook')).toEqual([
    "Field 'nope' unavailable",
    "Webhook body for 'error' is not valid. The following gave an error (nope).",
  ])
})

test('what a change does not mention keeps its words', () => {
  const stored = {
    started: { message: 'a', body: 'b' },
    success: null,
    workflow_approval: { denied: { message: 'no' } },
  }
  expect(mergeMessages(stored, { started: { message: 'c' }, error: { body: 'd' } })).toEqual({
    started: { message: 'c', body: 'b' },
    success: null,
    error: { body: 'd' },
    workflow_approval: { denied: { message: 'no' } },
  })
  expect(mergeMessages(stored, { workflow_approval: { approved: { message: 'yes' } } })?.workflow_approval).toEqual({
    approved: { message: 'yes' },
    denied: { message: 'no' },
  })
  expect(mergeMessages(stored, null)).toBe(null)
  expect(mergeMessages(null, {})).toEqual({ started: null, success: null, error: null, workflow_approval: null })
})

test.each([
  ['webhook', {}, "Missing required fields for Notification Configuration: ['url', 'headers']."],
  ['webhook', { url: 'http://x', headers: [] }, "Configuration field 'headers' incorrect type, expected object."],
  ['webhook', { url: 'http://x', headers: {}, http_method: 'GET' }, "HTTP method must be either 'POST' or 'PUT'."],
  ['webhook', { url: 'ftp://x', headers: {} }, /'url' must be a URL that begins with http/],
  ['webhook', { url: 'http://x', headers: { 'a\nb': 'c' } }, /'headers' must hold names and values/],
  ['slack', { token: 'x', channels: [] }, "No values specified for field 'channels'"],
  ['slack', { token: 'x', channels: [5] }, /'channels' must hold texts/],
  ['slack', { token: 1, channels: ['#x'] }, "Configuration field 'token' incorrect type, expected password."],
  [
    'irc',
    { server: 's', port: '6667', nickname: 'n', password: '', use_ssl: false, targets: ['#x'] },
    "Configuration field 'port' incorrect type, expected int.",
  ],
] as const)('%s with %j is refused', (type, given, error) => {
  const { errors } = checkConfiguration(type, given)
  expect(errors).toHaveLength(1)
  if (typeof error === 'string') expect(errors[0]).toBe(error)
  else expect(errors[0]).toMatch(error)
})

test('defaults are filled in, and what AWX does not know is kept', () => {
  expect(checkConfiguration('webhook', { url: 'http://x/', headers: {}, more: 1 })).toEqual({
    configuration: {
      ...{ url: 'http://x/', headers: {}, more: 1, http_method: 'POST' },
      ...{ disable_ssl_verification: false, username: '', password: '' },
    },
    errors: [],
  })
})
