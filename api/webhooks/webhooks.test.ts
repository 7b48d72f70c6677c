import { createHmac } from 'node:crypto'
import { eq } from 'drizzle-orm'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { storedVariables } from '../../model/variables.ts'
import { unifiedJobs } from '../../store/schema/jobs.ts'
import { outbox } from '../../store/schema/runtime.ts'
import { webhookDeliveries } from '../../store/schema/workflows.ts'
import type { TestAnswer, TestApp } from '../testing.ts'
import { nobody } from '../testing-domain.ts'
import { openRecordedWorkflows } from '../testing-workflows.ts'

let app: TestApp
beforeAll(async () => {
  app = await openRecordedWorkflows()
})
afterAll(() => app.close())

/** Switches the web hook of a template on; returns its key. */
async function hook(path: string, service: string): Promise<string> {
  expect((await app.call('PATCH', path, { webhook_service: service })).status).toBe(200)
  const { status, body } = await app.call('GET', `${path}webhook_key/`)
  expect([status, body.webhook_key]).toEqual([200, expect.stringMatching(/^\w{50}$/)])
  return body.webhook_key
}

const jobOf = async (guid: string) => {
  const [job] = await app.store.db.select().from(unifiedJobs).where(eq(unifiedJobs.webhookGuid, guid))
  return job ?? expect.fail(`no job has the guid ${guid}`)
}

describe('the key', () => {
  const path = '/api/v2/job_templates/17/'

  test('comes with the service, is another after it was changed, and goes with the service', async () => {
    expect((await app.call('GET', `${path}webhook_key/`)).body).toEqual({ webhook_key: '' })
    const key = await hook(path, 'github')
    expect((await app.call('GET', path)).body.related.webhook_receiver).toBe(`${path}github/`)
    expect((await app.call('PATCH', path, { description: 'x' })).status).toBe(200)
    expect((await app.call('GET', `${path}webhook_key/`)).body).toEqual({ webhook_key: key })
    const rotated = await app.call('POST', `${path}webhook_key/`, {})
    expect([rotated.status, rotated.body.webhook_key === key]).toEqual([201, false])
    expect((await app.call('PATCH', path, { webhook_service: '' })).status).toBe(200)
    expect((await app.call('GET', `${path}webhook_key/`)).body).toEqual({ webhook_key: '' })
    expect((await app.call('GET', path)).body.related.webhook_receiver).toBe('')
  })

  test('is for those who may edit the template, and rests sealed', async () => {
    const key = await hook(path, 'gitlab')
    expect((await app.call('GET', `${path}webhook_key/`, undefined, { as: nobody })).status).toBe(403)
    const stored = await app.store.db.execute('SELECT webhook_key FROM job_templates WHERE id = 17')
    expect(JSON.stringify(stored.rows)).not.toContain(key)
  })

  test('a credential must be a token of that service', async () => {
    const set = (body: unknown) => app.call('PATCH', path, body)
    expect((await set({ webhook_service: 'github', webhook_credential: 7 })).body).toEqual({
      webhook_credential: ['Must be a Personal Access Token.'],
    })
    const types = await app.call('GET', '/api/v2/credential_types/?namespace=gitlab_token')
    const token = await app.call('POST', '/api/v2/credentials/', {
      ...{ name: 'gl', organization: 2, credential_type: types.body.results[0].id, inputs: { token: 't' } },
    })
    const webhook_credential = token.body.id
    expect((await set({ webhook_service: 'github', webhook_credential })).body).toEqual({
      webhook_credential: ['Must match the selected webhook service.'],
    })
    expect((await set({ webhook_service: 'gitlab', webhook_credential })).status).toBe(200)
    expect((await set({ webhook_credential: null })).status).toBe(200)
  })

  test('a copy has a key of its own', async () => {
    const key = await hook(path, 'github')
    const copy = await app.call('POST', `${path}copy/`, { name: 'copied' })
    const { body } = await app.call('GET', `${copy.body.url}webhook_key/`)
    expect(body.webhook_key).toMatch(/^\w{50}$/)
    expect(body.webhook_key).not.toBe(key)
  })
})

const sha = 'a'.repeat(40)
const payload = {
  pull_request: { head: { sha }, statuses_url: 'https://api.example.org/statuses/1' },
  umlaut: 'äöü',
}

describe.each([
  ['job template', '/api/v2/job_templates/16/'],
  ['workflow', '/api/v2/workflow_job_templates/33/'],
])('deliveries to a %s', (kind, path) => {
  let key: string
  beforeAll(async () => {
    key = await hook(path, 'github')
  })
  beforeEach(async () => {
    await app.store.db.delete(webhookDeliveries)
    await app.store.db.update(unifiedJobs).set({ webhookGuid: '' })
  })

  const deliver = async (
    body: unknown,
    headers: Record<string, string> = {},
    { algorithm = 'sha256', secret = key, as = null as string | null } = {},
  ): Promise<TestAnswer> => {
    const text = JSON.stringify(body)
    const digest = createHmac(algorithm, secret).update(text).digest('hex')
    const name = algorithm === 'sha1' ? 'X-Hub-Signature' : 'X-Hub-Signature-256'
    return await app.call('POST', `${path}github/`, undefined, {
      as,
      raw: { text, type: 'application/json' },
      headers: {
        ...{ 'X-GitHub-Event': 'pull_request', 'X-GitHub-Delivery': 'guid-1', [name]: `${algorithm}=${digest}` },
        ...headers,
      },
    })
  }

  test.each(['sha1', 'sha256'])(
    'one that is signed by %s launches, with variables under both names',
    async (algorithm) => {
      const answer = await deliver(payload, {}, { algorithm })
      expect([answer.status, answer.body]).toEqual([202, { message: 'Job queued.' }])
      const job = await jobOf('guid-1')
      expect(job).toMatchObject({
        launchType: 'webhook',
        webhookService: 'github',
        createdById: null,
        status: 'pending',
      })
      expect(storedVariables(job.extraVars)).toMatchObject({
        awx_webhook_event_type: 'pull_request',
        awx_webhook_event_guid: 'guid-1',
        awx_webhook_event_ref: sha,
        awx_webhook_status_api: 'https://api.example.org/statuses/1',
        awx_webhook_payload: payload,
        tower_webhook_event_ref: sha,
      })
      const list = kind === 'workflow' ? 'workflow_jobs' : 'jobs'
      const shown = await app.call('GET', `/api/v2/${list}/${job.id}/`)
      expect(shown.body).toMatchObject({ webhook_service: 'github', webhook_guid: 'guid-1', webhook_credential: null })
      expect(shown.body.launched_by).toMatchObject({
        type: kind === 'workflow' ? 'workflow_job_template' : 'job_template',
      })
    },
  )

  test('the same one again launches nothing, however many come at once', async () => {
    const answers = await Promise.all(Array.from({ length: 5 }, () => deliver(payload)))
    const said = answers.map(({ status, body }) => `${status} ${body.message}`).toSorted()
    expect(said).toEqual(['202 Job queued.', ...Array(4).fill('202 Webhook previously received, aborting.')])
  })

  test('a ping is answered and launches nothing', async () => {
    const answer = await deliver({ zen: 'x' }, { 'X-GitHub-Event': 'ping', 'X-GitHub-Delivery': 'hello' })
    expect([answer.status, answer.body]).toEqual([200, { message: 'Webhook ignored' }])
  })

  test.each([
    ['another key', {}, { secret: 'wrong' }],
    ['no signature', { 'X-Hub-Signature-256': '' }, {}],
    ['a signature by another algorithm', {}, { algorithm: 'md5' }],
    ['half a signature', { 'X-Hub-Signature-256': 'sha256=abc' }, {}],
  ])('%s is refused', async (_, headers, how) => {
    const answer = await deliver(payload, headers, how)
    expect([answer.status, answer.body]).toEqual([
      403,
      { detail: 'You do not have permission to perform this action.' },
    ])
  })

  test('a template that is not there answers as one that refuses', async () => {
    const missing = path.replace(/\d+\/$/, '99999/github/')
    expect((await app.call('POST', missing, {}, { as: null })).status).toBe(403)
    expect((await app.call('POST', missing.replace('99999', 'no-such'), {}, { as: null })).status).toBe(403)
  })

  test('the receiver of another service refuses, as does a body that is no JSON', async () => {
    expect(
      (await app.call('POST', `${path}gitlab/`, {}, { as: null, headers: { 'X-Gitlab-Token': key } })).status,
    ).toBe(403)
    const text = 'no json'
    const signature = `sha256=${createHmac('sha256', key).update(text).digest('hex')}`
    const answer = await app.call('POST', `${path}github/`, undefined, {
      ...{ as: null, raw: { text }, headers: { 'X-Hub-Signature-256': signature, 'X-GitHub-Event': 'push' } },
    })
    expect(answer.status).toBe(400)
  })
})

test('GitLab proves itself by the key, and its deliveries are told apart by what they say', async () => {
  const path = '/api/v2/job_templates/31/'
  const key = await hook(path, 'gitlab')
  const body = { checkout_sha: sha, project: { id: 7, web_url: 'https://gitlab.example.org/a/b' } }
  const deliver = (token: string, more = {}) =>
    app.call(
      'POST',
      `${path}gitlab/`,
      { ...body, ...more },
      {
        ...{ as: null, headers: { 'X-Gitlab-Token': token, 'X-Gitlab-Event': 'Push Hook' } },
      },
    )
  expect((await deliver(`${key}x`)).status).toBe(403)
  expect((await deliver(key)).body).toEqual({ message: 'Job queued.' })
  expect((await deliver(key)).body).toEqual({ message: 'Webhook previously received, aborting.' })
  expect((await deliver(key, { n: 2 })).body).toEqual({ message: 'Job queued.' })
  const [job] = await app.store.db.select().from(unifiedJobs).where(eq(unifiedJobs.webhookService, 'gitlab'))
  expect(storedVariables(job?.extraVars)).toMatchObject({
    awx_webhook_status_api: `https://gitlab.example.org/api/v4/projects/7/statuses/${sha}`,
  })
})

test('Bitbucket says hello without a signature, and only changes launch', async () => {
  const path = '/api/v2/job_templates/24/'
  const key = await hook(path, 'bitbucket_dc')
  const deliver = (event: string, body: unknown, signed: boolean) => {
    const text = JSON.stringify(body)
    const signature = { 'X-Hub-Signature': `sha256=${createHmac('sha256', key).update(text).digest('hex')}` }
    return app.call('POST', `${path}bitbucket_dc/`, undefined, {
      ...{ as: null, raw: { text, type: 'application/json' } },
      headers: { 'X-Event-Key': event, 'X-Request-Id': 'bb-1', ...(signed ? signature : {}) },
    })
  }
  expect((await deliver('diagnostics:ping', { test: true }, false)).body).toEqual({ message: 'Webhook ignored' })
  expect((await deliver('repo:comment', {}, true)).body).toEqual({ message: 'Webhook ignored' })
  const change = {
    changes: [{ toHash: sha }],
    actor: { links: { self: [{ href: 'https://bitbucket.example.org/users/a' }] } },
  }
  expect((await deliver('repo:refs_changed', change, false)).status).toBe(403)
  expect((await deliver('repo:refs_changed', change, true)).status).toBe(202)
  expect(storedVariables((await jobOf('bb-1')).extraVars)).toMatchObject({
    awx_webhook_event_ref: sha,
    awx_webhook_status_api: `https://bitbucket.example.org/rest/build-status/1.0/commits/${sha}`,
  })
})

test('a template that asks for answers cannot be launched by a web hook, and the delivery may come again', async () => {
  const path = '/api/v2/job_templates/22/'
  const key = await hook(path, 'gitlab')
  const headers = { 'X-Gitlab-Token': key, 'X-Gitlab-Event': 'Push Hook' }
  const answer = await app.call('POST', `${path}gitlab/`, {}, { as: null, headers })
  expect([answer.status, answer.body]).toEqual([
    400,
    {
      msg: 'Cannot start automatically, user input required!',
      errors: { variables_needed_to_start: ["'s_text' value missing"] },
    },
  ])
  expect(await app.store.db.select().from(webhookDeliveries).where(eq(webhookDeliveries.templateId, 22))).toEqual([])
})

test('a job whose service can be told is announced to it', async () => {
  const types = await app.call('GET', '/api/v2/credential_types/?namespace=github_token')
  const token = await app.call('POST', '/api/v2/credentials/', {
    ...{ name: 'gh', organization: 2, credential_type: types.body.results[0].id, inputs: { token: 't' } },
  })
  const path = '/api/v2/job_templates/16/'
  const key = await hook(path, 'github')
  expect((await app.call('PATCH', path, { webhook_credential: token.body.id })).status).toBe(200)
  const text = JSON.stringify(payload)
  const signature = `sha256=${createHmac('sha256', key).update(text).digest('hex')}`
  await app.call('POST', `${path}github/`, undefined, {
    ...{ as: null, raw: { text, type: 'application/json' } },
    headers: { 'X-GitHub-Event': 'pull_request', 'X-GitHub-Delivery': 'told', 'X-Hub-Signature-256': signature },
  })
  const job = await jobOf('told')
  expect(job.webhookCredentialId).toBe(token.body.id)
  const kinds = await app.store.db.select({ kind: outbox.kind }).from(outbox).where(eq(outbox.subjectId, job.id))
  expect(kinds.map(({ kind }) => kind).toSorted()).toEqual(['start', 'webhook_status'])
})
