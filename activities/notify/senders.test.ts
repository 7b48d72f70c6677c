import { createServer, type IncomingMessage, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterEach, describe, expect, test } from 'vitest'
import { awsSnsSender } from './aws-sns.ts'
import { pagerdutySender } from './pagerduty.ts'
import { DeliveryError, type Sender } from './sender.ts'
import { senders } from './senders.ts'
import { slackSender } from './slack.ts'
import { twilioSender } from './twilio.ts'

interface Received {
  method: string
  url: string
  headers: IncomingMessage['headers']
  body: string
}

const stops: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop()
})

/** A target on loopback that keeps what it gets. */
async function target(answer: { status?: number; body?: string; location?: string } = {}, host = '127.0.0.1') {
  const received: Received[] = []
  const listener: RequestListener = async (request, response) => {
    const { method = '', url = '', headers } = request
    received.push({ method, url, headers, body: await text(request) })
    const redirect = answer.location && received.length < 2 ? { location: answer.location } : undefined
    response.writeHead(redirect ? 307 : (answer.status ?? 200), redirect).end(answer.body ?? '{}')
  }
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, host, resolve))
  stops.push(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  return { url: `http://${host}:${(server.address() as AddressInfo).port}`, received }
}

const line = "Job #47 'rec-ok' successful: https://towerhost/#/jobs/playbook/47"
const document = {
  id: 47,
  started: '2026-11-21T13:17:15.881572+00:00',
  finished: '2026-11-21T13:17:25.728340+00:00',
  status: 'successful',
}
const body = JSON.stringify(document)
const send = (sender: Sender, configuration: Record<string, unknown>, said = body) =>
  sender({ configuration, subject: line, body: said }, AbortSignal.timeout(60_000))
const json = ({ body: sent }: Received) => JSON.parse(sent)

async function failure(sent: Promise<number>): Promise<DeliveryError> {
  try {
    throw new Error(`it sent ${await sent}`)
  } catch (error) {
    if (error instanceof DeliveryError) return error
    throw error
  }
}

describe('what each type sends is what AWX sends', () => {
  test('webhook: the document, with the headers of the user and with Basic authentication', async () => {
    const { url, received } = await target()
    const configuration = {
      url: `${url}/hook`,
      http_method: 'PUT',
      headers: { 'X-A': '1' },
      username: 'u',
      password: 'p',
    }
    expect(await send(senders.webhook, configuration)).toBe(1)
    expect(received).toHaveLength(1)
    expect(received[0]).toMatchObject({
      method: 'PUT',
      url: '/hook',
      headers: {
        'content-type': 'application/json',
        'user-agent': 'AWX 24.6.1 (open)',
        'x-a': '1',
        authorization: 'Basic dTpw',
      },
      body,
    })
  })

  test('webhook: a body that is no JSON becomes an empty document, one that is no mapping a text', async () => {
    const { url, received } = await target()
    await send(senders.webhook, { url, http_method: 'POST', headers: {} }, 'no JSON')
    await send(senders.webhook, { url, http_method: 'POST', headers: {} }, '5')
    expect(received.map(json)).toEqual([{}, '5'])
    expect(received[0]?.headers).not.toHaveProperty('authorization')
  })

  test('mattermost', async () => {
    const { url, received } = await target()
    await send(senders.mattermost, { mattermost_url: `${url}/hooks/x`, mattermost_no_verify_ssl: true })
    const more = { mattermost_channel: ' town ', mattermost_username: 'mayfly', mattermost_icon_url: 'http://i' }
    await send(senders.mattermost, { mattermost_url: `${url}/hooks/x`, ...more })
    expect(received.map(({ url: path }) => path)).toEqual(['/hooks/x', '/hooks/x'])
    expect(received.map(json)).toEqual([
      { text: line },
      { icon_url: 'http://i', channel: 'town', username: 'mayfly', text: line },
    ])
  })

  test('rocketchat', async () => {
    const { url, received } = await target()
    await send(senders.rocketchat, { rocketchat_url: url, rocketchat_username: 'mayfly', rocketchat_icon_url: null })
    expect(received.map(json)).toEqual([{ text: line, username: 'mayfly' }])
    expect(received[0]?.headers['user-agent']).toBe('AWX 24.6.1 (open)')
  })

  test('grafana: an annotation from start to end', async () => {
    const { url, received } = await target()
    const configuration = {
      grafana_url: `${url}/`,
      grafana_key: 'key',
      dashboardId: '3',
      panelId: 4,
      annotation_tags: ['a'],
    }
    await send(senders.grafana, configuration)
    await send(senders.grafana, { grafana_url: url, grafana_key: 'key', isRegion: false }, '{"body": "Test"}')
    expect(received.map(({ url: path }) => path)).toEqual(['/api/annotations', '/api/annotations'])
    expect(received[0]?.headers.authorization).toBe('Bearer key')
    expect(received.map(json)).toEqual([
      {
        ...{ time: 1795267035881, timeEnd: 1795267045728, isRegion: true, dashboardId: 3, panelId: 4, tags: ['a'] },
        text: line,
      },
      { isRegion: false, text: line },
    ])
  })

  test('slack: one message a channel, in a thread where it says so', async () => {
    const { url, received } = await target({ body: '{"ok": true, "ts": "1"}' })
    const configuration = { token: 'xoxb', channels: ['#ops', 'dev,1401383885.000061'] }
    expect(await send(slackSender(url), configuration)).toBe(2)
    expect(received.map(json)).toEqual([
      { channel: 'ops', as_user: true, text: line },
      { channel: 'dev', thread_ts: '1401383885.000061', as_user: true, text: line },
    ])
    expect(received[0]).toMatchObject({ url: '/api/chat.postMessage', headers: { authorization: 'Bearer xoxb' } })
    await send(slackSender(url), { token: 'x', channels: ['c'], hex_color: '#ff0000' })
    expect(json(received[2] ?? expect.fail('nothing'))).toEqual({
      ...{ channel: 'c', as_user: true, attachments: [{ color: '#ff0000', text: line }] },
    })
  })

  test('twilio: one text message a number', async () => {
    const { url, received } = await target({ status: 201 })
    const configuration = { account_sid: 'AC1', account_token: 't', from_number: '+1', to_numbers: ['+2', '+3'] }
    expect(await send(twilioSender(url), configuration)).toBe(2)
    expect(received.map((one) => Object.fromEntries(new URLSearchParams(one.body)))).toEqual([
      { To: '+2', From: '+1', Body: line },
      { To: '+3', From: '+1', Body: line },
    ])
    expect(received[0]).toMatchObject({
      url: '/2010-04-01/Accounts/AC1/Messages.json',
      headers: { 'content-type': 'application/x-www-form-urlencoded', authorization: 'Basic QUMxOnQ=' },
    })
  })

  test('pagerduty: an incident with the document as details, or the text', async () => {
    const { url, received } = await target({ body: '{"status": "success", "incident_key": "1"}' })
    const configuration = { subdomain: 's', token: 't', service_key: 'key', client_name: 'mayfly' }
    await send(pagerdutySender(url), configuration)
    await send(pagerdutySender(url), configuration, 'Test Notification')
    const incident = { service_key: 'key', event_type: 'trigger', description: line, client: 'mayfly' }
    expect(received.map(json)).toEqual([
      { ...incident, details: document },
      { ...incident, details: 'Test Notification' },
    ])
    expect(received[0]?.url).toBe('/generic/2010-04-15/create_event.json')
  })

  test('awssns: a signed Publish', async () => {
    const { url, received } = await target()
    const configuration = {
      ...{ sns_topic_arn: 'arn:aws:sns:eu-west-1:1:topic', aws_region: '' },
      ...{ aws_access_key_id: 'AKID', aws_secret_access_key: 'secret', aws_session_token: 'session' },
    }
    expect(
      await send(
        awsSnsSender((region) => url.replace('127.0.0.1', `127.0.0.1`) + (region === 'eu-west-1' ? '' : '/x')),
        configuration,
      ),
    ).toBe(1)
    const [sent = expect.fail('nothing')] = received
    expect(Object.fromEntries(new URLSearchParams(sent.body))).toEqual({
      ...{ Action: 'Publish', Version: '2010-03-31', TopicArn: configuration.sns_topic_arn, Message: body },
    })
    expect(sent.headers.authorization).toMatch(
      /^AWS4-HMAC-SHA256 Credential=AKID\/\d{8}\/eu-west-1\/sns\/aws4_request, SignedHeaders=.*, Signature=[0-9a-f]{64}$/,
    )
    expect(sent.headers['x-amz-security-token']).toBe('session')
    expect(await failure(send(senders.awssns, { aws_region: 'x' }))).toMatchObject({
      permanent: true,
      message: 'Error sending notification awssns: sns_topic_arn is not set',
    })
  })
})

describe('what a target may answer', () => {
  test.each([
    [500, false],
    [503, false],
    [429, false],
    [400, true],
    [401, true],
    [404, true],
    [304, true],
  ])('%i is final: %j', async (status, permanent) => {
    const { url } = await target({ status, body: status === 304 ? '' : 'go away' })
    const error = await failure(send(senders.webhook, { url, http_method: 'POST', headers: {} }))
    expect(error.permanent).toBe(permanent)
    expect(error.message).toBe(`Error sending webhook notification: ${status}${status === 304 ? '' : ': go away'}`)
  })

  test('a redirect, which is followed with the same method; what authenticates us goes to no other host', async () => {
    const home = await target()
    const other = await target({}, '127.0.0.2')
    const [near, far] = [
      await target({ location: `${home.url}/here` }),
      await target({ location: `${other.url}/there` }),
    ]
    const configuration = { http_method: 'PUT', headers: { 'X-Token': 't' }, username: 'u', password: 'p' }
    await send(senders.webhook, { ...configuration, url: near.url })
    await send(senders.webhook, { ...configuration, url: far.url })
    expect(home.received[0]).toMatchObject({ method: 'PUT', url: '/here', body, headers: { 'x-token': 't' } })
    expect(home.received[0]?.headers.authorization).toBe('Basic dTpw')
    expect(other.received[0]).toMatchObject({ method: 'PUT', url: '/there', body })
    expect(other.received[0]?.headers).not.toHaveProperty('authorization')
    expect(other.received[0]?.headers).not.toHaveProperty('x-token')
  })

  test('Basic authentication that stands in the address', async () => {
    const { url, received } = await target()
    await send(senders.mattermost, { mattermost_url: `${url.replace('//', '//u:p%40@')}/x` })
    expect(received[0]).toMatchObject({ url: '/x', headers: { authorization: 'Basic dTpwQA==' } })
  })

  test('nothing, because it is not there', async () => {
    const error = await failure(send(senders.mattermost, { mattermost_url: 'http://127.0.0.1:9/' }))
    expect(error.permanent).toBe(false)
    expect(error.message).toMatch(/^Error sending notification mattermost: .*(ECONNREFUSED|bad port)/)
  })

  test('a refusal of Slack’s or PagerDuty’s that looks like success', async () => {
    const slack = await target({ body: '{"ok": false, "error": "channel_not_found"}' })
    expect(await failure(send(slackSender(slack.url), { token: 'x', channels: ['#gone'] }))).toMatchObject({
      permanent: true,
      message: 'Slack Notification unable to send gone: channel_not_found',
    })
    const pagerduty = await target({ body: '{"status": "invalid event", "message": "Service key is wrong"}' })
    expect(await failure(send(pagerdutySender(pagerduty.url), { service_key: 'x' }))).toMatchObject({
      permanent: true,
      message: 'Error sending notification pagerduty: Service key is wrong',
    })
  })

  test('nothing at all: whoever waits may stop waiting', async () => {
    const server = createServer(() => {})
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    stops.push(async () => {
      server.closeAllConnections()
      server.close()
    })
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const outgoing = { configuration: { url, http_method: 'POST', headers: {} }, subject: line, body }
    await expect(senders.webhook(outgoing, AbortSignal.timeout(100))).rejects.toThrow()
  })
})
