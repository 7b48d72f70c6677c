/** Real jobs tell a real mail server and a real web hook; targets that hang, break or vanish; a worker that dies while it delivers. */
import { Client, Connection } from '@temporalio/client'
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { until } from '../../dev/wait.ts'
import { notificationAttachments } from '../../store/schema/notifications.ts'
import { decideApproval } from '../../store/workflow/approve.ts'
import { awxCommand } from '../setup/awx-command.ts'
import { type Catalog, launch, makeCatalog, makeTemplate } from '../setup/catalog.ts'
import { type Mayfly, startMayfly } from '../setup/mayfly.ts'
import { Workflows } from '../setup/workflows.ts'
import { MailTarget, WebhookTarget } from './targets.ts'

interface NotificationOnWire {
  id: number
  status: string
  error: string
  notifications_sent: number
  recipients: string
  subject?: string
}

const plays = {
  'ok.yml': '- hosts: all\n  gather_facts: false\n  tasks: [{ ansible.builtin.debug: { msg: fine } }]\n',
  'fail.yml': '- hosts: all\n  gather_facts: false\n  tasks: [{ ansible.builtin.fail: { msg: broken } }]\n',
}
const login = { username: 'herald', password: 'mail-secret-7d1' }
const hookPassword = 'hook-secret-9f2'

let mayfly: Mayfly
let catalog: Catalog
let hook: WebhookTarget
let mail: MailTarget
/** A notification whose target never answers; what becomes of it is looked at in the end. */
let never: number

beforeAll(async () => {
  hook = await new WebhookTarget().start()
  mail = await new MailTarget(login).start()
  mayfly = await startMayfly({ env: { MAYFLY_NOTIFICATION_TIMEOUT: '6', MAYFLY_LOG_LEVEL: 'debug' } })
  catalog = await makeCatalog(mayfly, { files: plays })
  hook.behave('/never', () => 'hang')
  never = await press(await webhook('/never'))
})
afterAll(async () => {
  await mayfly?.stop()
  await hook?.stop()
  await mail?.stop()
})

let made = 0
async function template(type: string, configuration: Record<string, unknown>, messages?: unknown): Promise<number> {
  const fields = { name: `target ${++made}`, organization: catalog.organization, notification_type: type }
  const more = messages === undefined ? {} : { messages }
  const { id } = await mayfly.post('/notification_templates/', {
    ...fields,
    notification_configuration: configuration,
    ...more,
  })
  return id
}
const webhook = (path: string, messages?: unknown) =>
  template('webhook', { url: hook.url(path), headers: {}, username: 'me', password: hookPassword }, messages)

/** Presses the test button; the id of the notification. */
async function press(id: number): Promise<number> {
  return (await mayfly.post<{ notification: number }>(`/notification_templates/${id}/test/`)).notification
}

function over(id: number): Promise<NotificationOnWire> {
  return until({ what: `notification ${id} to be over`, seconds: 180, everyMs: 100 }, async () => {
    const notification = await mayfly.get<NotificationOnWire & Record<string, unknown>>(`/notifications/${id}/`)
    return notification.status === 'pending' ? undefined : notification
  })
}

test('a job that runs and succeeds or fails is told by mail and by web hook, each in its words', async () => {
  const own = { error: { message: '{{ job.name }} broke', body: '{"job": {{ job.id }}, "why": "{{ job.status }}"}' } }
  const hooked = await webhook('/job', own)
  const mailed = await template('email', {
    ...{ host: '127.0.0.1', port: mail.port, ...login, use_tls: false, use_ssl: false, timeout: 60 },
    ...{ sender: 'mayfly@example.org', recipients: ['a@example.org', 'b@example.org'] },
  })
  const good = await makeTemplate(mayfly, catalog, 'ok.yml')
  const bad = await makeTemplate(mayfly, catalog, 'fail.yml')
  const attach = (where: string, list: string, id: number) =>
    mayfly.api('POST', `/${where}/notification_templates_${list}/`, { id })
  for (const job of [good, bad])
    for (const list of ['started', 'success', 'error']) await attach(`job_templates/${job}`, list, hooked)
  // What belongs to the project and to the organization is told as well.
  await attach(`projects/${catalog.project}`, 'success', mailed)
  await attach(`organizations/${catalog.organization}`, 'error', mailed)

  const [first, second] = [await launch(mayfly, good), await launch(mayfly, bad)]
  await Promise.all([mayfly.ended(`/jobs/${first}/`), mayfly.ended(`/jobs/${second}/`)])
  const told = async (job: number) =>
    (await mayfly.get<{ results: NotificationOnWire[] }>(`/jobs/${job}/notifications/`)).results
  for (const job of [first, second])
    for (const { id } of await told(job))
      expect(await over(id)).toMatchObject({ status: 'successful', error: '', notifications_sent: 1 })
  expect(await told(first)).toHaveLength(3)
  expect(await told(second)).toHaveLength(3)

  const documents = hook.at('/job')
  expect(documents).toHaveLength(4)
  const of = (job: number, status: string) =>
    documents.find(({ body }) => body.id === job && body.status === status) ?? expect.fail(`no ${status} of ${job}`)
  const url = `${mayfly.url}/#/jobs/playbook/${first}`
  expect(of(first, 'running').body).toMatchObject({
    url,
    created_by: 'admin',
    finished: null,
    playbook: 'ok.yml',
    hosts: {},
  })
  const { hosts, ...success } = of(first, 'successful').body
  expect(success).toMatchObject({
    url,
    finished: expect.stringMatching(/\+00:00$/),
    credential: null,
    extra_vars: '{}',
  })
  expect(hosts).toMatchObject({ localhost: { ok: 1, failures: 0, failed: false, processed: 1 } })
  expect(documents.find(({ body }) => body.job === second)?.body).toEqual({ job: second, why: 'failed' })
  expect(of(first, 'successful')).toMatchObject({
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'user-agent': 'AWX 24.6.1 (open)',
      authorization: `Basic ${Buffer.from(`me:${hookPassword}`).toString('base64')}`,
    },
  })

  expect(mail.letters).toHaveLength(2)
  const letter = mail.letters.find(({ source }) => source.includes(`Job #${first} `)) ?? expect.fail('no letter')
  expect(letter).toMatchObject({ from: 'mayfly@example.org', to: ['a@example.org', 'b@example.org'], user: 'herald' })
  expect(letter.source).toMatch(/^To: a@example.org, b@example.org\r?$/m)
  expect(letter.source.replace(/\r\n /g, ' ')).toContain(`Subject: Job #${first} 'ok.yml`)
  expect(mail.letters.some(({ source }) => source.includes(`Job #${second} had status failed`))).toBe(true)
})

test('a target that breaks or hangs is tried again, one that refuses is not; rows say what was wrong', async () => {
  hook.behave('/breaks', (_, count) => (count < 3 ? 500 : 200))
  hook.behave('/hangs', (_, count) => (count < 2 ? 'hang' : 200))
  hook.behave('/refuses', () => 404)
  let looked = false
  hook.behave('/late', () => (looked ? 200 : 'hang'))
  const [breaks, hangs, refuses, late, wrong] = await Promise.all(
    [
      ...['/breaks', '/hangs', '/refuses', '/late'].map((path) => webhook(path)),
      template('email', {
        ...{ host: '127.0.0.1', port: mail.port, ...login, password: 'not-it-4c5', use_tls: false, use_ssl: false },
        ...{ sender: 'mayfly@example.org', recipients: ['a@example.org'], timeout: 60 },
      }),
    ].map(async (id) => press(await id)),
  )
  const tried = await until({ what: 'a reason while it is tried', seconds: 180, everyMs: 100 }, async () => {
    const { status, error } = await mayfly.get<NotificationOnWire & Record<string, unknown>>(`/notifications/${late}/`)
    return error === '' ? undefined : { status, error }
  })
  expect(tried).toEqual({ status: 'pending', error: 'The target did not answer within 6 seconds.' })
  looked = true
  expect(await over(refuses ?? 0)).toMatchObject({
    status: 'failed',
    error: 'Error sending webhook notification: 404: not now, Basic $encrypted$',
  })
  expect(hook.at('/refuses')).toHaveLength(1)
  expect(await over(wrong ?? 0)).toMatchObject({
    status: 'failed',
    error: expect.stringMatching(/^Error sending notification email: .*535/),
  })
  expect(await over(breaks ?? 0)).toMatchObject({ status: 'successful', error: '', notifications_sent: 1 })
  expect(hook.at('/breaks')).toHaveLength(3)
  expect(await over(hangs ?? 0)).toMatchObject({ status: 'successful', error: '' })
  expect(hook.at('/hangs')).toHaveLength(2)
})

test('a workflow tells when it starts and ends, and an approval when it asks and how it was decided', async () => {
  const workflows = await Workflows.open(mayfly)
  try {
    const { db } = workflows.store
    const gate = await workflows.approvalTemplate('the gate')
    const nodes = { gate: { template: gate, type: 'workflow_approval_template' as const } }
    const flow = await workflows.template(nodes, [], { organizationId: catalog.organization })
    const target = await webhook('/flow')
    for (const list of ['started', 'error', 'approvals'] as const)
      await db
        .insert(notificationAttachments)
        .values({ notificationTemplateId: target, list, workflowJobTemplateId: flow })
    const run = await workflows.launch(flow)
    const approval = await workflows.jobOf(run, 'gate')
    expect(await decideApproval(db, approval, { decision: 'deny', userId: 1 })).toBe(true)
    await workflows.ended(run)
    const url = `${mayfly.url}/#/jobs/workflow/${run}`
    const sent = await until({ what: 'four messages', seconds: 180, everyMs: 100 }, async () =>
      hook.at('/flow').length === 4 ? hook.at('/flow').map(({ body }) => body) : undefined,
    )
    expect(sent).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ id: run, status: 'running', url }),
        expect.objectContaining({
          id: run,
          status: 'failed',
          body: expect.stringContaining(`spawns job #${approval}, "the gate"`),
        }),
        { body: `The approval node "the gate" needs review. This node can be viewed at: ${url}` },
        { body: `The approval node "the gate" was denied. ${url}` },
      ]),
    )
  } finally {
    await workflows.close()
  }
})

test('the awx command makes a template and attaches it', async () => {
  const awx = await awxCommand(mayfly)
  const json = async (...args: string[]) => {
    const { exitCode, stdout, stderr } = await awx(...args)
    expect(exitCode, stderr || stdout).toBe(0)
    return stdout === '' ? {} : JSON.parse(stdout)
  }
  const configuration = JSON.stringify({ url: hook.url('/awx'), headers: { 'X-From': 'awx' } })
  const created = await json(
    ...['notification_templates', 'create', '--name', 'from the command line', '--notification_type', 'webhook'],
    ...['--organization', String(catalog.organization), '--notification_configuration', configuration],
  )
  expect(created).toMatchObject({ type: 'notification_template', notification_configuration: { http_method: 'POST' } })
  const job = await makeTemplate(mayfly, catalog, 'ok.yml')
  await awx('job_templates', 'associate', String(job), '--success_notification', 'from the command line')
  const { results } = await mayfly.get<{ results: { id: number }[] }>(
    `/job_templates/${job}/notification_templates_success/`,
  )
  expect(results.map(({ id }) => id)).toEqual([created.id])
  const refused = await awx(
    ...[
      'notification_templates',
      'modify',
      'from the command line',
      '--messages',
      '{"error": {"message": "{{ job.token }}"}}',
    ],
  )
  expect(refused.exitCode).not.toBe(0)
  expect(refused.stdout + refused.stderr).toContain("Field 'token' unavailable")
  expect(await over(await press(created.id))).toMatchObject({ status: 'successful' })
  expect(hook.at('/awx')[0]).toMatchObject({
    headers: { 'x-from': 'awx' },
    body: { body: expect.stringMatching(/^Test Notification/) },
  })
})

test('a worker that dies while it delivers loses nothing and writes nothing twice; no secret is anywhere but at the target', async () => {
  // Before anything is killed: the last try of all, cut short, would be made once more.
  const given = { status: 'failed', error: 'The target did not answer within 6 seconds.' }
  expect(await over(never)).toMatchObject(given)
  expect(await triesOf(never)).toBe(5)
  expect(hook.at('/never').length).toBeLessThanOrEqual(5)

  hook.behave('/dies', (_, count) => (count < 2 ? 'hang' : 200))
  const target = await webhook('/dies')
  const id = await press(target)
  await until({ what: 'the delivery to begin', seconds: 180, everyMs: 50 }, async () => hook.at('/dies').length > 0)
  await mayfly.kill9('worker')
  // Written while nobody is there to send it.
  const waiting = await press(target)
  await mayfly.start('worker')
  expect(await over(waiting)).toMatchObject({ status: 'successful' })
  expect(await over(id)).toMatchObject({ status: 'successful', notifications_sent: 1 })
  const { count } = await mayfly.get<{ count: number }>(`/notification_templates/${target}/notifications/`)
  expect(count).toBe(2)

  // Every try counts, also one that a death cut short.
  expect(await triesOf(id)).toBeGreaterThanOrEqual(2)

  const everything = [...(await histories()), ...(await dump()), mayfly.logs('api'), mayfly.logs('worker')].join('\n')
  for (const secret of [login.password, hookPassword, 'not-it-4c5']) {
    expect(everything).not.toContain(secret)
    expect(everything).not.toContain(Buffer.from(secret).toString('base64').replace(/=+$/, '').slice(4))
  }
})

/** The histories of all workflows of notifications. */
async function histories(): Promise<string[]> {
  const connection = await Connection.connect({ address: mayfly.stack.temporalAddress })
  try {
    const client = new Client({ connection, namespace: mayfly.temporalNamespace })
    const found: string[] = []
    for await (const { workflowId } of client.workflow.list({ query: "WorkflowType = 'notification'" }))
      found.push(JSON.stringify(historyToJSON(await client.workflow.getHandle(workflowId).fetchHistory())))
    expect(found.length).toBeGreaterThan(8)
    return found
  } finally {
    await connection.close()
  }
}

async function triesOf(notification: number): Promise<number | undefined> {
  const database = new pg.Client({ connectionString: mayfly.databaseUrl })
  await database.connect()
  const select = 'SELECT tries FROM notifications WHERE id = $1'
  const { rows } = await database.query<{ tries: number }>(select, [notification]).finally(() => database.end())
  return rows[0]?.tries
}

/** What the database holds of notifications. */
async function dump(): Promise<string[]> {
  const database = new pg.Client({ connectionString: mayfly.databaseUrl })
  await database.connect()
  try {
    const tables = ['notifications', 'notification_templates', 'outbox']
    const rows: string[] = []
    for (const table of tables) rows.push(JSON.stringify((await database.query(`SELECT * FROM ${table}`)).rows))
    return rows
  } finally {
    await database.end()
  }
}
