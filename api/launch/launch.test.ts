import { eq, inArray } from 'drizzle-orm'
import { PgPreparedQuery } from 'drizzle-orm/pg-core'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { unifiedJobCredentials, unifiedJobs } from '../../store/schema/jobs.ts'
import { outbox } from '../../store/schema/runtime.ts'
import { jobTemplateInstanceGroups, jobTemplates } from '../../store/schema/templates.ts'
import { launchContext, open } from '../../store/secrets.ts'
import { storeKinds } from '../../store/testing.ts'
import type { TestApp } from '../testing.ts'
import { openRecordedApp } from '../testing-domain.ts'

describe.each(storeKinds)('launching on %s', (kind) => {
  let app: TestApp
  beforeAll(async () => {
    app = await openRecordedApp(kind)
  })
  afterAll(() => app.close())

  const launch = (template: number, body: unknown = {}, headers: Record<string, string> = {}) =>
    app.call('POST', `/api/v2/job_templates/${template}/launch/`, body, { headers })
  const rowOf = async (id: number) => {
    const [row] = await app.store.db.select().from(unifiedJobs).where(eq(unifiedJobs.id, id))
    if (!row) throw new Error(`no job ${id}`)
    return row
  }

  describe('one transaction makes the job and what starts it', () => {
    test('row, credentials, message to Temporal, template told', async () => {
      const { body } = await launch(16)
      const job = await rowOf(body.job)
      expect(job).toMatchObject({
        status: 'pending',
        launchType: 'manual',
        extraVars: '{}',
        eligibleGroups: [2],
        launchConfig: {},
        launchSecrets: null,
      })
      const credentials = await app.store.db
        .select()
        .from(unifiedJobCredentials)
        .where(eq(unifiedJobCredentials.jobId, job.id))
      expect(credentials.map(({ credentialId }) => credentialId).toSorted()).toEqual([17, 7])
      const messages = await app.store.db.select().from(outbox).where(eq(outbox.subjectId, job.id))
      expect(messages).toMatchObject([{ kind: 'start', tries: 0 }])
      const [template] = await app.store.db.select().from(jobTemplates).where(eq(jobTemplates.id, 16))
      expect(template).toMatchObject({ status: 'pending', currentJobId: job.id })
    })

    test('by five statements in all, because launches come in bursts', async () => {
      await launch(16)
      const statements = vi.spyOn(
        PgPreparedQuery.prototype as unknown as { queryWithCache(): unknown },
        'queryWithCache',
      )
      const transactions = vi.spyOn(app.store.db, 'transaction')
      try {
        expect((await launch(16)).status).toBe(201)
        expect(statements).toHaveBeenCalledTimes(5)
        expect(transactions).not.toHaveBeenCalled()
      } finally {
        statements.mockRestore()
        transactions.mockRestore()
      }
    })

    test('priority: of the template, of the launch where it asks, and kept for a relaunch', async () => {
      const failure = { retry_policy: { lost_before_start: 2 }, hold_on_failure_seconds: 60 }
      const path = '/api/v2/job_templates/16/'
      await app.call('PATCH', path, { allow_simultaneous: true })
      expect((await app.call('PATCH', path, { priority: 4, ...failure })).body).toMatchObject({
        priority: 4,
        ...failure,
      })
      const usual = await launch(16, { priority: 1 })
      expect(usual.body).toMatchObject({ priority: 4, ignored_fields: { priority: 1 }, ...failure })
      await app.call('PATCH', path, { ask_priority_on_launch: true })
      const urgent = await launch(16, { priority: 1 })
      expect(urgent.body).toMatchObject({ priority: 1, ignored_fields: {} })
      expect((await rowOf(urgent.body.job)).launchConfig).toEqual({ priority: 1 })
      const message = await app.store.db.select().from(outbox).where(eq(outbox.subjectId, urgent.body.job))
      expect(message).toMatchObject([{ kind: 'start', urgency: 1 }])
      const again = await app.call('POST', `/api/v2/jobs/${urgent.body.job}/relaunch/`, {})
      expect(again.body).toMatchObject({ priority: 1, ...failure })
      const wrong = await app.call('PATCH', path, { retry_policy: { always: 1 } })
      expect([wrong.status, Object.keys(wrong.body)]).toEqual([400, ['retry_policy']])
      const none = {
        ...{ priority: 3, ask_priority_on_launch: false, retry_policy: {}, hold_on_failure_seconds: 0 },
        allow_simultaneous: false,
      }
      expect((await app.call('PATCH', path, none)).body).toMatchObject(none)
    })

    test('prompts reach the job and are kept for a relaunch', async () => {
      const prompts = {
        ...{ limit: 'h2', verbosity: 2, extra_vars: 'y: [1, 2]', inventory: 4, job_type: 'check', forks: 7 },
        ...{ credentials: [7, 17], instance_groups: [5, 3], timeout: 60, diff_mode: true, job_tags: 'a,b' },
      }
      const { status, body } = await launch(32, prompts)
      expect([status, body.ignored_fields]).toEqual([201, {}])
      expect(body).toMatchObject({ limit: 'h2', verbosity: 2, inventory: 4, job_type: 'check', forks: 7, timeout: 60 })
      expect(body.extra_vars).toBe('{"x": 1, "y": [1, 2]}')
      const job = await rowOf(body.job)
      expect(job.eligibleGroups).toEqual([5, 3])
      expect(job.launchConfig).toMatchObject({ limit: 'h2', extra_vars: { y: [1, 2] }, instance_groups: [5, 3] })

      await app.store.db.update(unifiedJobs).set({ status: 'failed' }).where(eq(unifiedJobs.id, job.id))
      await app.store.db
        .update(unifiedJobs)
        .set({ projectId: 15 })
        .where(inArray(unifiedJobs.id, [job.id]))
      const again = await app.call('POST', `/api/v2/jobs/${job.id}/relaunch/`, {})
      expect(again.body).toMatchObject({ limit: 'h2', extra_vars: body.extra_vars, launch_type: 'relaunch' })
      expect((await rowOf(again.body.job)).eligibleGroups).toEqual([5, 3])
    })

    test('groups come from template, inventory and organization, frozen at launch', async () => {
      await app.call('POST', '/api/v2/job_templates/17/instance_groups/', { id: 5 })
      await app.call('POST', '/api/v2/inventories/3/instance_groups/', { id: 3 })
      await app.call('POST', '/api/v2/organizations/2/instance_groups/', { id: 2 })
      const { body } = await launch(17)
      expect((await rowOf(body.job)).eligibleGroups).toEqual([5, 3, 2])
      await app.store.db.delete(jobTemplateInstanceGroups)
      expect((await rowOf(body.job)).eligibleGroups).toEqual([5, 3, 2])
      await app.call('POST', '/api/v2/inventories/3/instance_groups/', { id: 3, disassociate: true })
      await app.call('POST', '/api/v2/organizations/2/instance_groups/', { id: 2, disassociate: true })
    })

    test('a refused launch leaves nothing', async () => {
      const before = await app.store.db.select().from(unifiedJobs)
      expect((await launch(25)).status).toBe(400)
      expect(await app.store.db.select().from(unifiedJobs)).toHaveLength(before.length)
    })
  })

  describe('secrets of a launch', () => {
    test('passwords are sealed for the job and never shown', async () => {
      const passwords = { ssh_password: 'pw-ssh', become_password: 'pw-become', 'vault_password.v2': 'pw-vault' }
      const { status, body } = await launch(25, { credential_passwords: passwords })
      expect(status).toBe(201)
      const row = await rowOf(body.job)
      expect(JSON.stringify([body, row])).not.toContain('pw-')
      expect(JSON.parse(open(app.deps.keyring, row.launchSecrets ?? '', launchContext(row.id)))).toEqual(passwords)
    })

    test('a default that looks sealed is refused: the launch could not open it', async () => {
      const question = { question_name: 't', type: 'text', variable: 's_text', required: false }
      const spec = [{ ...question, default: '$mayfly$v1$0000$AAAA$AAAA' }]
      const body = { name: 'n', description: '', spec }
      const answer = await app.call('POST', '/api/v2/job_templates/24/survey_spec/', body)
      expect([answer.status, answer.body]).toEqual([
        400,
        { error: 'Default of survey question s_text: A value may not begin with $mayfly$v1$.' },
      ])
    })

    test('answers to password questions are sealed, shown as $encrypted$, and kept for a relaunch', async () => {
      const spec = [
        { question_name: 'p', type: 'password', variable: 's_pw', required: false, default: 'pw-default' },
        { question_name: 't', type: 'text', variable: 's_text', required: false, default: 'plain' },
      ]
      await app.call('POST', '/api/v2/job_templates/24/survey_spec/', { name: 'n', description: '', spec })
      await app.call('PATCH', '/api/v2/job_templates/24/', { survey_enabled: true })
      const shown = await app.call('GET', '/api/v2/job_templates/24/survey_spec/')
      expect(shown.body.spec[0].default).toBe('$encrypted$')

      const byDefault = await rowOf((await launch(24)).body.job)
      expect(byDefault.extraVars).toBe('{"s_pw": "$encrypted$", "s_text": "plain"}')
      const secretsOf = (row: typeof byDefault) =>
        JSON.parse(open(app.deps.keyring, row.launchSecrets ?? '', launchContext(row.id)))
      expect(secretsOf(byDefault)).toEqual({ 'extra_vars.s_pw': 'pw-default' })

      const { body } = await launch(24, { extra_vars: { s_pw: 'pw-given' } })
      const given = await rowOf(body.job)
      expect(JSON.stringify([body, given])).not.toContain('pw-given')
      await app.store.db
        .update(unifiedJobs)
        .set({ status: 'failed', launchSecrets: null })
        .where(eq(unifiedJobs.id, given.id))
      const again = await app.call('POST', `/api/v2/jobs/${given.id}/relaunch/`, {})
      expect(secretsOf(await rowOf(again.body.job))).toEqual({ 'extra_vars.s_pw': 'pw-given' })

      const copied = await app.call('POST', '/api/v2/job_templates/24/copy/', { name: 'rec-callback copy' })
      const fromCopy = await launch(copied.body.id)
      expect(secretsOf(await rowOf(fromCopy.body.job))).toEqual({ 'extra_vars.s_pw': 'pw-default' })
    })
  })

  describe('Idempotency-Key', () => {
    test('same key and body: the same job; white space and order of keys do not matter', async () => {
      const headers = { 'Idempotency-Key': 'first' }
      const one = await launch(32, { limit: 'h2', forks: 3 }, headers)
      const two = await launch(32, { forks: 3, limit: 'h2' }, headers)
      expect([two.status, two.body.job]).toEqual([201, one.body.job])
      expect(one.headers.get('idempotency-replayed')).toBeNull()
      expect(two.headers.get('idempotency-replayed')).toBe('true')
      expect(two.headers.get('location')).toBe(one.headers.get('location'))
    })

    test('same key, other body or template: 422 names the key', async () => {
      const headers = { 'Idempotency-Key': 'second' }
      await launch(16, {}, headers)
      for (const answer of [await launch(16, { limit: 'x' }, headers), await launch(17, {}, headers)]) {
        expect([answer.status, answer.body.detail]).toEqual([422, expect.stringContaining('"second"')])
      }
    })

    test('what was ignored is answered again', async () => {
      const headers = { 'Idempotency-Key': 'third' }
      await launch(16, { limit: 'nosuch' }, headers)
      expect((await launch(16, { limit: 'nosuch' }, headers)).body.ignored_fields).toEqual({ limit: 'nosuch' })
    })

    test('twenty at once make one job', async () => {
      const before = (await app.store.db.select().from(unifiedJobs)).length
      const headers = { 'Idempotency-Key': 'crowd' }
      const answers = await Promise.all(Array.from({ length: 20 }, () => launch(16, {}, headers)))
      expect(new Set(answers.map((answer) => answer.status))).toEqual(new Set([201]))
      expect(new Set(answers.map((answer) => answer.body.job)).size).toBe(1)
      expect(await app.store.db.select().from(unifiedJobs)).toHaveLength(before + 1)
    })

    test('an unusable key is refused', async () => {
      expect((await launch(16, {}, { 'Idempotency-Key': 'x'.repeat(256) })).status).toBe(400)
    })
  })
})
