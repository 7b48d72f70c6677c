import { eq } from 'drizzle-orm'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { outbox } from '../../store/schema/runtime.ts'
import { schedules } from '../../store/schema/schedules.ts'
import { projects } from '../../store/schema/templates.ts'
import type { TestApp } from '../testing.ts'
import { daily, list, SchedulesApp } from './testing.ts'

let made: SchedulesApp
let app: TestApp
let project: number
let inventory: number
let plain: number
let prompting: number
let workflow: number

beforeAll(async () => {
  made = await SchedulesApp.open()
  ;({ app, project, inventory, plain, prompting, workflow } = made)
})
beforeEach(async () => {
  await app.store.db.delete(outbox)
})
afterAll(() => app.close())

describe('what AWX shows', () => {
  test('of a schedule in a zone, with prompts', async () => {
    const body = await made.make({
      unified_job_template: prompting,
      rrule: 'DTSTART;TZID=Europe/Berlin:20300101T000000 RRULE:FREQ=WEEKLY;INTERVAL=1;BYDAY=MO,TU',
      limit: 'h3',
      extra_data: { z: 1 },
    })
    expect(body).toMatchObject({
      type: 'schedule',
      url: `${list}${body.id}/`,
      extra_data: { z: 1 },
      inventory: null,
      limit: 'h3',
      diff_mode: null,
      enabled: true,
      dtstart: '2029-12-31T23:00:00Z',
      dtend: null,
      next_run: '2029-12-31T23:00:00Z',
      timezone: 'Europe/Berlin',
      until: '',
    })
    expect(body.related).toMatchObject({
      created_by: '/api/v2/users/1/',
      labels: `${list}${body.id}/labels/`,
      credentials: `${list}${body.id}/credentials/`,
      instance_groups: `${list}${body.id}/instance_groups/`,
      unified_jobs: `${list}${body.id}/jobs/`,
      unified_job_template: `/api/v2/job_templates/${prompting}/`,
      project: `/api/v2/projects/${project}/`,
      inventory: `/api/v2/inventories/${inventory}/`,
    })
    expect(body.summary_fields).toMatchObject({
      unified_job_template: { id: prompting, name: 'prompting', description: '', unified_job_type: 'job' },
      user_capabilities: { edit: true, delete: true },
      inventory: { id: inventory, name: 'i' },
    })
  })

  test('of a disabled one with an end, of a workflow', async () => {
    const body = await made.make({
      unified_job_template: workflow,
      rrule: 'DTSTART:20300101T000000Z RRULE:FREQ=DAILY;INTERVAL=1;COUNT=3',
      enabled: false,
    })
    expect(body).toMatchObject({
      dtstart: '2030-01-01T00:00:00Z',
      dtend: '2030-01-03T00:00:00Z',
      next_run: null,
      timezone: 'UTC',
    })
    expect(body.related.unified_job_template).toBe(`/api/v2/workflow_job_templates/${workflow}/`)
    expect(body.summary_fields.unified_job_template).toEqual({
      id: workflow,
      name: 'wf',
      description: 'wf',
      unified_job_type: 'workflow_job',
    })
  })

  test('an UNTIL on the wall of its zone comes back as UTC, and is shown on the wall', async () => {
    const body = await made.make({
      rrule: 'DTSTART;TZID=America/New_York:20300502T150000 RRULE:FREQ=HOURLY;INTERVAL=1;UNTIL=20300502T180000',
    })
    expect(body.rrule).toContain('UNTIL=20300502T220000Z')
    expect(body).toMatchObject({ until: '2030-05-02T18:00:00', dtend: '2030-05-02T22:00:00Z' })
  })

  test('the template shows its next run', async () => {
    const { id } = (
      await app.call('POST', '/api/v2/job_templates/', { name: 'own', project, inventory, playbook: 'a.yml' })
    ).body
    const below = `/api/v2/job_templates/${id}/schedules/`
    expect((await app.call('POST', below, { name: 'x' })).body).toEqual({ rrule: ['This field is required.'] })
    const later = (await app.call('POST', below, { name: 'later', rrule: daily })).body
    const sooner = (await app.call('POST', below, { name: 'sooner', rrule: daily.replace('2030', '2029') })).body
    expect(later).toMatchObject({ unified_job_template: id })
    expect((await app.call('GET', below)).body.count).toBe(2)
    const template = async () => (await app.call('GET', `/api/v2/job_templates/${id}/`)).body
    expect(await template()).toMatchObject({
      next_job_run: '2029-01-01T00:00:00Z',
      related: { next_schedule: `${list}${sooner.id}/`, schedules: below },
    })
    const early = await app.call('GET', '/api/v2/job_templates/?next_job_run__lt=2029-06-01T00:00:00Z')
    expect(early.body.results.map((one: { id: number; next_job_run: string }) => [one.id, one.next_job_run])).toEqual([
      [id, '2029-01-01T00:00:00Z'],
    ])
    await app.call('PATCH', `${list}${sooner.id}/`, { enabled: false })
    expect(await template()).toMatchObject({ next_job_run: '2030-01-01T00:00:00Z' })
    await app.call('DELETE', `${list}${later.id}/`)
    expect((await template()).next_job_run).toBeNull()
    await app.store.db.delete(outbox)
    expect((await app.call('DELETE', `/api/v2/job_templates/${id}/`)).status).toBe(204)
    expect((await app.call('GET', `${list}${sooner.id}/`)).status).toBe(404)
    expect(await app.store.db.select().from(outbox)).toMatchObject([{ kind: 'plan_schedule', subjectId: sooner.id }])
  })

  test('of system jobs: their kind, and variables without a prompt', async () => {
    const [template] = (await app.call('GET', '/api/v2/system_job_templates/')).body.results
    const below = `/api/v2/system_job_templates/${template.id}/schedules/`
    const { status, body } = await app.call('POST', below, { name: 'clean', rrule: daily, extra_data: { days: '120' } })
    expect({ status, body }).toMatchObject({ status: 201, body: { extra_data: { days: '120' } } })
    expect(body.summary_fields.unified_job_template).toMatchObject({
      unified_job_type: 'system_job',
      job_type: template.job_type,
    })
    expect((await app.call('POST', below, { name: 'limited', rrule: daily, limit: 'x' })).body).toEqual({
      limit: ['Field is not allowed on launch.'],
    })
    expect((await app.call('GET', `/api/v2/system_job_templates/${template.id}/`)).body).toMatchObject({
      next_job_run: '2030-01-01T00:00:00Z',
      related: { schedules: below, next_schedule: body.url },
    })
  })

  test('lists are filtered as others are', async () => {
    const { body } = await app.call('GET', `${list}?unified_job_template__name=prompting`)
    expect(body.count).toBe(1)
    expect((await app.call('GET', `${list}?enabled=false&order_by=-next_run`)).body.count).toBeGreaterThan(0)
  })
})

describe('what is refused', () => {
  test.each([
    [{ rrule: 'nonsense' }, 'rrule', 'One or more rule required in rrule.'],
    [{ limit: 'z' }, 'limit', 'Field is not configured to prompt on launch.'],
    [{ unified_job_template: 99999 }, 'unified_job_template', 'Invalid pk "99999" - object does not exist.'],
    [
      { extra_data: { a: 1 } },
      'extra_data',
      'Variables a are not allowed on launch. Check the Prompt on Launch setting on the Job Template to include Extra Variables.',
    ],
    [{ overlap_policy: 'terminate_other' }, 'overlap_policy', '"terminate_other" is not a valid choice.'],
    [{ catchup_window: -1 }, 'catchup_window', 'Ensure this value is greater than or equal to 0.'],
    [
      { rrule: 'DTSTART:20300101T000000Z RRULE:FREQ=SECONDLY;INTERVAL=1' },
      'rrule',
      'SECONDLY is not supported: RULE:FREQ=SECONDLY;INTERVAL=1',
    ],
  ])('%j', async (more, field, message) => {
    const body = { name: 'bad', rrule: daily, unified_job_template: plain, ...more }
    const answer = await app.call('POST', list, body)
    expect(answer.status).toBe(400)
    expect(answer.body[field]).toContain(message)
  })

  test('a manual project, and a template that is missing', async () => {
    const [manual] = await app.store.db.insert(projects).values({ name: 'manual' }).returning()
    const { id } = manual ?? { id: 0 }
    expect((await app.call('POST', list, { name: 'm', rrule: daily, unified_job_template: id })).body).toEqual({
      unified_job_template: ['Manual Project cannot have a schedule set.'],
    })
    expect((await app.call('POST', list, { name: 'm', rrule: daily })).body).toEqual({
      unified_job_template: ['This field is required.'],
    })
  })

  test('a name that another schedule of the template has', async () => {
    await made.make({ name: 'twin' })
    expect(await app.call('POST', list, { name: 'twin', rrule: daily, unified_job_template: plain })).toMatchObject({
      status: 400,
      body: { __all__: ['Schedule with this Unified job template and Name already exists.'] },
    })
    await made.make({ name: 'twin', unified_job_template: prompting })
  })
})

describe('changes', () => {
  test('every one is told to Temporal', async () => {
    const { id, url } = await made.make()
    const told = async () => {
      const rows = await app.store.db.select().from(outbox).where(eq(outbox.subjectId, id))
      await app.store.db.delete(outbox)
      return rows.map((row) => row.kind)
    }
    expect(await told()).toEqual(['plan_schedule'])
    expect((await app.call('PATCH', url, { enabled: false })).body.next_run).toBeNull()
    expect(await told()).toEqual(['plan_schedule'])
    expect((await app.call('PATCH', url, { enabled: true, jitter: 5 })).body).toMatchObject({
      jitter: 5,
      next_run: '2030-01-01T00:00:00Z',
    })
    expect(await told()).toEqual(['plan_schedule'])
    expect((await app.call('DELETE', url)).status).toBe(204)
    expect(await told()).toEqual(['plan_schedule'])
  })

  test('an edit of the name leaves an overdue run the next one', async () => {
    const { id, url } = await made.make()
    await app.store.db.update(schedules).set({ nextRun: '2026-11-21T11:59:00Z' }).where(eq(schedules.id, id))
    expect((await app.call('PATCH', url, { name: `renamed ${id}` })).body.next_run).toBe('2026-11-21T11:59:00Z')
  })

  test('a schedule whose prompts the template does not take any more can be switched off', async () => {
    const { url } = await made.make({ unified_job_template: prompting, limit: 'web' })
    await app.call('PATCH', `/api/v2/job_templates/${prompting}/`, { ask_limit_on_launch: false })
    expect((await app.call('PATCH', url, { limit: 'db' })).body).toEqual({
      limit: ['Field is not configured to prompt on launch.'],
    })
    expect((await app.call('PATCH', url, { enabled: false })).status).toBe(200)
    await app.call('PATCH', `/api/v2/job_templates/${prompting}/`, { ask_limit_on_launch: true })
  })

  test('credentials, labels and instance groups are attached if the template asks for them', async () => {
    const credential = (
      await app.make('credentials', {
        name: 'c',
        organization: 1,
        credential_type: 1,
        inputs: { username: 'u' },
      })
    ).id
    const refusing = await made.make()
    expect((await app.call('POST', `${refusing.url}credentials/`, { id: credential })).body).toEqual({
      msg: 'Related template is not configured to accept credentials on launch.',
    })
    const { url } = await made.make({ unified_job_template: prompting })
    expect((await app.call('POST', `${url}credentials/`, { id: credential })).status).toBe(204)
    expect((await app.call('POST', `${url}labels/`, { name: 'nightly', organization: 1 })).status).toBe(201)
    expect((await app.call('POST', `${url}instance_groups/`, { id: 1 })).status).toBe(204)
    for (const below of ['credentials', 'labels', 'instance_groups']) {
      expect((await app.call('GET', `${url}${below}/`)).body.count).toBe(1)
    }
  })

  test('answers to password questions rest sealed and read $encrypted$', async () => {
    const template = (
      await app.make('job_templates', {
        name: 'asks',
        project,
        inventory,
        playbook: 'a.yml',
        survey_enabled: true,
      })
    ).id
    const question = { question_name: 'p', variable: 'secret', type: 'password', required: true, min: 0, max: 99 }
    await app.call('POST', `/api/v2/job_templates/${template}/survey_spec/`, {
      name: '',
      description: '',
      spec: [question],
    })
    const body = { name: 'sealed', rrule: daily, unified_job_template: template }
    expect((await app.call('POST', list, body)).body).toEqual({
      variables_needed_to_start: ["'secret' value missing"],
    })
    const { id, url, extra_data } = await app.make('schedules', { ...body, extra_data: { secret: 'hunter2' } })
    expect(extra_data).toEqual({ secret: '$encrypted$' })
    const [row] = await app.store.db.select().from(schedules).where(eq(schedules.id, id))
    expect(JSON.stringify(row)).not.toContain('hunter2')
    const again = await app.call('PATCH', url, { extra_data: { secret: '$encrypted$' } })
    expect(again).toMatchObject({ status: 200, body: { extra_data: { secret: '$encrypted$' } } })
  })
})
