import { eq } from 'drizzle-orm'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openAnswers } from '../../store/launch/saved-answers.ts'
import { schedules } from '../../store/schema/schedules.ts'
import type { TestApp } from '../testing.ts'
import { SchedulesApp } from './testing.ts'

let app: TestApp
let prompting: number
beforeAll(async () => {
  ;({ app, prompting } = await SchedulesApp.open())
})
afterAll(() => app.close())

describe('a schedule from a job', () => {
  test('has its prompts, sealed answers too, and is disabled', async () => {
    const survey = [{ question_name: 'p', variable: 'secret', type: 'password', required: true, min: 0, max: 99 }]
    await app.call('POST', `/api/v2/job_templates/${prompting}/survey_spec/`, {
      name: '',
      description: '',
      spec: survey,
    })
    await app.call('PATCH', `/api/v2/job_templates/${prompting}/`, { survey_enabled: true })
    const launch = { limit: 'web', extra_vars: { a: 1, secret: 'hunter2' }, instance_groups: [1] }
    const { job } = (await app.call('POST', `/api/v2/job_templates/${prompting}/launch/`, launch)).body
    const path = `/api/v2/jobs/${job}/create_schedule/`
    expect((await app.call('GET', path)).body).toMatchObject({
      can_schedule: true,
      prompts: { limit: 'web', extra_vars: { a: 1, secret: '$encrypted$' }, instance_groups: [{ id: 1 }] },
    })
    const { status, body, headers } = await app.call('POST', path)
    expect(status).toBe(201)
    expect(headers.get('location')).toBe(body.url)
    expect(body).toMatchObject({
      name: `Auto-generated schedule from job ${job}`,
      enabled: false,
      next_run: null,
      rrule: 'DTSTART:20261121T120000Z RRULE:FREQ=MONTHLY;INTERVAL=1',
      unified_job_template: prompting,
      limit: 'web',
      extra_data: { a: 1, secret: '$encrypted$' },
    })
    expect((await app.call('GET', `${body.url}instance_groups/`)).body.count).toBe(1)
    const [row] = await app.store.db.select().from(schedules).where(eq(schedules.id, body.id))
    expect(openAnswers(app.deps.keyring, prompting, row?.extraData ?? {})).toEqual({ a: 1, secret: 'hunter2' })
    expect((await app.call('POST', path)).body.name).toBe(`Auto-generated schedule from job ${job} - number 1`)
    await app.call('PATCH', `/api/v2/job_templates/${prompting}/`, { survey_enabled: false })
  })
})
