import { readFileSync } from 'node:fs'
import { eq } from 'drizzle-orm'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { notifications, notificationTemplates } from '../../store/schema/notifications.ts'
import { outbox } from '../../store/schema/runtime.ts'
import { isSealed, notificationContext, open } from '../../store/secrets.ts'
import type { TestApp } from '../testing.ts'
import { nobody, openRecordedApp } from '../testing-domain.ts'

const path = '/api/v2/notification_templates/'
const recorded = JSON.parse(
  readFileSync(new URL('../fixtures/recorded/options/notification_templates.json', import.meta.url), 'utf8'),
)

let app: TestApp
beforeAll(async () => {
  app = await openRecordedApp()
})
afterAll(() => app.close())

let made = 0
async function make(fields: Record<string, unknown> = {}) {
  const name = `template ${++made}`
  const answer = await app.call('POST', path, { name, organization: 2, ...webhook, ...fields })
  expect(answer.status, JSON.stringify(answer.body)).toBe(201)
  return answer.body
}
const webhook = {
  notification_type: 'webhook',
  notification_configuration: { url: 'http://127.0.0.1:8099/hook', headers: { 'X-A': '1' }, password: 'pw-1' },
}
const slack = {
  notification_type: 'slack',
  notification_configuration: { token: 'tok-1', channels: ['#c'], hex_color: '#ff0000' },
}
const stored = async (id: number) => {
  const [row] = await app.store.db.select().from(notificationTemplates).where(eq(notificationTemplates.id, id))
  return row ?? expect.fail('no such row')
}

test('OPTIONS say of every type what AWX says: fields and standard messages', async () => {
  const { body } = await app.call('OPTIONS', path)
  for (const verb of ['GET', 'POST'])
    for (const field of ['notification_configuration', 'messages'])
      for (const type of [
        'awssns',
        'email',
        'slack',
        'twilio',
        'pagerduty',
        'grafana',
        'webhook',
        'mattermost',
        'rocketchat',
        'irc',
      ])
        expect(body.actions[verb][field][type]).toEqual(recorded.actions[verb][field][type])
})

test('an object looks as recorded, with secrets masked and sealed', async () => {
  const body = await make({ ...slack, name: 'rec-slack' })
  expect(body).toMatchObject({
    type: 'notification_template',
    related: {
      named_url: `${path}rec-slack++rec-org1/`,
      test: `${path}${body.id}/test/`,
      notifications: `${path}${body.id}/notifications/`,
      copy: `${path}${body.id}/copy/`,
      organization: '/api/v2/organizations/2/',
    },
    summary_fields: {
      organization: { id: 2, name: 'rec-org1' },
      user_capabilities: { edit: true, delete: true, copy: true },
      recent_notifications: [],
    },
    notification_type: 'slack',
    notification_configuration: { token: '$encrypted$', channels: ['#c'], hex_color: '#ff0000' },
    messages: { error: null, started: null, success: null, workflow_approval: null },
  })
  const { token } = (await stored(body.id)).notificationConfiguration
  expect(isSealed(token)).toBe(true)
  expect(open(app.deps.keyring, String(token), notificationContext(body.id, 'token'))).toBe('tok-1')
})

test('what reads $encrypted$ is kept, a new secret replaces it, and a copy opens its own', async () => {
  const { id, url } = await make(slack)
  const before = (await stored(id)).notificationConfiguration.token
  const kept = await app.call('PATCH', url, { notification_configuration: { token: '$encrypted$', channels: ['#d'] } })
  expect(kept.body.notification_configuration).toEqual({ token: '$encrypted$', channels: ['#d'] })
  expect((await stored(id)).notificationConfiguration.token).toBe(before)
  await app.call('PATCH', url, { notification_configuration: { token: 'tok-2', channels: ['#d'] } })
  const copy = await app.call('POST', `${url}copy/`, { name: 'a copy' })
  expect(copy.status).toBe(201)
  expect(copy.body.notification_configuration).toEqual({ token: '$encrypted$', channels: ['#d'] })
  const { token } = (await stored(copy.body.id)).notificationConfiguration
  expect(open(app.deps.keyring, String(token), notificationContext(copy.body.id, 'token'))).toBe('tok-2')
  const taken = await app.call('POST', `${url}copy/`, { name: 'a copy' })
  expect(taken.status).toBe(400)
  expect(taken.body.detail).toMatch(/^duplicate key value violates unique constraint/)
})

test('PUT and PATCH leave alone what they do not mention', async () => {
  const { url, name } = await make({ messages: { error: { message: 'broken', body: '{}' } } })
  const put = await app.call('PUT', url, { name, organization: 2, notification_type: 'webhook', description: 'd' })
  expect(put.status).toBe(200)
  expect(put.body).toMatchObject({ description: 'd', notification_configuration: { password: '$encrypted$' } })
  const patched = await app.call('PATCH', url, { messages: { error: { message: 'very broken' }, success: null } })
  expect(patched.body.messages).toEqual({
    ...{ started: null, success: null, error: { message: 'very broken', body: '{}' }, workflow_approval: null },
  })
})

describe('what is refused', () => {
  const missing = "Missing required fields for Notification Configuration: ['url', 'headers']."
  test.each([
    [{ notification_configuration: {} }, { __all__: [missing] }],
    [{ notification_configuration: undefined }, { __all__: [missing] }],
    [
      { notification_configuration: [] },
      { notification_configuration: ['Expected a dictionary of items but got type "list".'] },
    ],
    [{ notification_type: 'pigeon' }, { notification_type: ['"pigeon" is not a valid choice.'] }],
    [{ messages: { error: { message: '{{ job.password }}' } } }, { messages: ["Field 'password' unavailable"] }],
    [{ messages: 5 }, { messages: ["Expected dict for 'messages' field, found <class 'int'>"] }],
    [{ organization: undefined }, { organization: ['This field is required.'] }],
    [
      { notification_configuration: { url: 'http://x/', headers: {}, password: '$encrypted$' } },
      { __all__: ['$encrypted$ is a reserved keyword, and cannot be used for password.'] },
    ],
    [
      { notification_configuration: { url: 'http://x/', headers: {}, password: '$mayfly$v1$x' } },
      { __all__: ['A value may not begin with $mayfly$v1$.'] },
    ],
    [
      { notification_configuration: { url: 'http://x/', headers: {}, username: '$mayfly$v1$x' } },
      { __all__: ['A value may not begin with $mayfly$v1$.'] },
    ],
    [
      { notification_configuration: { url: 'http://x/\0', headers: {} } },
      { __all__: [expect.stringContaining('Null characters')] },
    ],
  ])('%j', async (fields, error) => {
    const answer = await app.call('POST', path, { name: 'refused', organization: 2, ...webhook, ...fields })
    expect(answer.status).toBe(400)
    expect(answer.body).toEqual(error)
  })

  test('a filter on the configuration', async () => {
    const { status, body } = await app.call('GET', `${path}?notification_configuration=x`)
    expect({ status, body }).toEqual({
      status: 403,
      body: { detail: 'Filtering on notification_configuration is not allowed.' },
    })
  })

  test('a template by somebody without the right', async () => {
    const sent = { name: 'z', organization: 2, notification_type: 'webhook' }
    const { status, body } = await app.call('POST', path, sent, { as: nobody })
    expect({ status, body }).toEqual({
      status: 403,
      body: { detail: 'You do not have permission to perform this action.' },
    })
  })

  test('another type with the same configuration', async () => {
    const { url } = await make(slack)
    const { status, body } = await app.call('PATCH', url, { notification_type: 'grafana' })
    expect(status).toBe(400)
    expect(body.__all__[0]).toMatch(/^Missing required fields/)
  })
})

test('the test button writes a notification and asks for its delivery', async () => {
  const { id, url } = await make()
  const answer = await app.call('POST', `${url}test/`, {})
  expect(answer.status).toBe(202)
  const { notification } = answer.body
  expect(answer.headers.get('location')).toBe(`/api/v2/notifications/${notification}/`)
  expect(answer.body).toEqual({
    ...{ notification, id: notification, type: 'notification', url: `/api/v2/notifications/${notification}/` },
    related: { notification_template: url },
    summary_fields: { notification_template: { id, name: expect.any(String), description: '' } },
    ...{ created: expect.any(String), modified: expect.any(String), notification_template: id },
    ...{ error: '', status: 'pending', notifications_sent: 0, notification_type: 'webhook' },
    recipients: 'http://127.0.0.1:8099/hook',
    body: { body: `Test Notification ${id} https://towerhost` },
  })
  const [message] = await app.store.db.select().from(outbox).where(eq(outbox.subjectId, notification))
  expect(message?.kind).toBe('notify')
  const list = await app.call('GET', `${url}notifications/`)
  expect(list.body.results.map((row: { id: number }) => row.id)).toEqual([notification])
  const shown = await app.call('GET', url)
  expect(shown.body.summary_fields.recent_notifications).toEqual([
    { id: notification, status: 'pending', created: answer.body.created, error: '' },
  ])
  expect((await app.call('GET', `${url}test/`)).status).toBe(405)

  const refused = await app.call('DELETE', url)
  expect(refused.status).toBe(405)
  expect(refused.body).toEqual({ error: 'Delete not allowed while there are pending notifications' })
  await app.store.db.update(notifications).set({ status: 'successful' }).where(eq(notifications.id, notification))
  expect((await app.call('DELETE', url)).status).toBe(204)
})

test('types show what they send: a line, a text or a document', async () => {
  const letter = { host: 'h', port: 25, username: '', password: '', use_tls: false, use_ssl: false, sender: 's@x.org' }
  const email = await make({
    notification_type: 'email',
    notification_configuration: { ...letter, recipients: ['b@example.com'] },
  })
  const sent = await app.call('POST', `${email.url}test/`)
  expect(sent.body).toMatchObject({
    recipients: "['b@example.com']",
    subject: `Notification Test ${email.id} https://towerhost`,
    body: `Test Notification ${email.id} https://towerhost`,
  })
  const channel = await make(slack)
  const line = await app.call('POST', `${channel.url}test/`)
  expect(line.body).not.toHaveProperty('body')
  expect(line.body.subject).toBe(`Notification Test ${channel.id} https://towerhost`)
  const found = await app.call('GET', '/api/v2/notifications/?search=Notification&status=pending')
  expect(found.body.count).toBeGreaterThanOrEqual(2)
})

describe.each([
  ['organizations', 2, ['started', 'success', 'error', 'approvals']],
  ['job_templates', 16, ['started', 'success', 'error']],
  ['projects', 15, ['started', 'success', 'error']],
])('attachments of %s', (resource, id, lists) => {
  test.each(lists)('to the list %s', async (list) => {
    const template = await make()
    const url = `/api/v2/${resource}/${id}/notification_templates_${list}/`
    for (const _ of ['once', 'twice']) expect((await app.call('POST', url, { id: template.id })).status).toBe(204)
    expect((await app.call('GET', url)).body.results.map((row: { id: number }) => row.id)).toEqual([template.id])
    const unknown = await app.call('POST', url, { id: 99999 })
    expect({ status: unknown.status, body: unknown.body }).toEqual({
      status: 400,
      body: { detail: 'NotificationTemplate matching query does not exist.' },
    })
    expect((await app.call('POST', url, { id: template.id, disassociate: true })).status).toBe(204)
    expect((await app.call('GET', url)).body.count).toBe(0)
    const { body } = await app.call('GET', `/api/v2/${resource}/${id}/`)
    expect(body.related[`notification_templates_${list}`]).toBe(url)
  })

  test('one list does not hold what is attached to another', async () => {
    const template = await make()
    const url = (list: string) => `/api/v2/${resource}/${id}/notification_templates_${list}/`
    await app.call('POST', url('success'), { id: template.id })
    expect((await app.call('GET', url('error'))).body.count).toBe(0)
    expect((await app.call('GET', url('success'))).body.count).toBe(1)
    expect(
      (await app.call('GET', `/api/v2/${resource}/?notification_templates_success__id=${template.id}`)).body.count,
    ).toBe(1)
    expect(
      (await app.call('GET', `/api/v2/${resource}/?notification_templates_error__id=${template.id}`)).body.count,
    ).toBe(0)
    await app.call('POST', url('success'), { id: template.id, disassociate: true })
  })
})

test('the notifications of a job are listed below it', async () => {
  const { id } = await make()
  const row = { notificationTemplateId: id, jobId: 47, event: 'success' as const, notificationType: 'webhook' as const }
  await app.store.db.insert(notifications).values(row)
  const { body } = await app.call('GET', '/api/v2/jobs/47/notifications/')
  expect(body.count).toBe(1)
  expect(body.results[0]).toMatchObject({ notification_template: id, status: 'pending', body: {} })
  expect((await app.call('GET', '/api/v2/jobs/47/')).body.related.notifications).toBe('/api/v2/jobs/47/notifications/')
})
