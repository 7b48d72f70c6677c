import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { TestApp } from './testing.ts'
import { awxKeys } from './testing-additions.ts'
import { openRecordedApp } from './testing-domain.ts'

/** Keys of one object as AWX 24.6.1 answered it: its own, those of `related`, and those inside every entry of `summary_fields`. */
interface Shape {
  keys: string[]
  related: string[]
  summary_fields: Record<string, string[] | null>
  /** Of launch views: keys of `defaults`. */
  defaults?: string[]
}

const shapes: Record<string, Shape> = JSON.parse(
  readFileSync(new URL('./fixtures/recorded/domain-shapes.json', import.meta.url), 'utf8'),
)

/** Links to what does not exist here yet; they come with those resources. */
const later = new Set([
  ...['access_list', 'activity_stream', 'instances'],
  ...['object_roles', 'smart_inventories', 'teams'],
])
/** What we offer beyond AWX. */
const extra: Record<string, string[]> = { instance_group: ['copy', 'preview', 'test'] }

let app: TestApp
beforeAll(async () => {
  app = await openRecordedApp()
})
afterAll(() => app.close())

function expectShape(name: string, body: Record<string, Record<string, unknown>>): void {
  const shape = shapes[name]
  expect(awxKeys(body).toSorted()).toEqual(shape?.keys)
  const links = [...(shape?.related ?? []).filter((link) => !later.has(link)), ...(extra[name] ?? [])]
  expect(awxKeys(body.related ?? {}).toSorted()).toEqual(links.toSorted())
  for (const [key, keys] of Object.entries(shape?.summary_fields ?? {})) {
    if (key === 'object_roles') continue
    const value = body.summary_fields?.[key]
    const entry = Array.isArray(value) ? value[0] : value
    if (keys) expect([key, Object.keys(entry ?? {}).toSorted()]).toEqual([key, keys])
    else expect(body.summary_fields).toHaveProperty(key)
  }
  const known = Object.keys(shape?.summary_fields ?? {})
  expect(Object.keys(body.summary_fields ?? {}).filter((key) => !known.includes(key))).toEqual([])
}

describe('objects have the keys AWX gives them', () => {
  test.each([
    ['job', '/api/v2/jobs/47/'],
    ['job_template', '/api/v2/job_templates/16/'],
    ['project', '/api/v2/projects/12/'],
    ['project_update', '/api/v2/project_updates/70/'],
    ['inventory', '/api/v2/inventories/3/'],
    ['host', '/api/v2/hosts/3/'],
    ['group', '/api/v2/groups/3/'],
    ['instance_group', '/api/v2/instance_groups/5/'],
  ])('%s at %s', async (name, path) => {
    expectShape(name, (await app.call('GET', path)).body)
  })

  test.each([
    ['job in a list', '/api/v2/jobs/?id=47'],
    ['project update in a list', '/api/v2/project_updates/'],
    ['job in a list', '/api/v2/unified_jobs/?id=47'],
    ['project update in a list', '/api/v2/unified_jobs/?type=project_update'],
    ['job_event', '/api/v2/jobs/47/job_events/?event=runner_on_ok'],
    ['project_update_event', '/api/v2/project_updates/70/events/?event=runner_on_ok'],
    ['job_host_summary', '/api/v2/jobs/47/job_host_summaries/?host_name=h1'],
  ])('%s at %s', async (name, path) => {
    const { body } = await app.call('GET', path)
    expectShape(name, body.results[0])
  })
})

describe('answers of launches have the keys AWX gives them', () => {
  test('launch', async () => {
    const { status, body, headers } = await app.call('POST', '/api/v2/job_templates/16/launch/', {})
    expect(status).toBe(201)
    expect(headers.get('location')).toBe(`/api/v2/jobs/${body.job}/`)
    expectShape('launch', body)
  })

  test('relaunch', async () => {
    const { status, body } = await app.call('POST', '/api/v2/jobs/48/relaunch/', { hosts: 'failed' })
    expect(status).toBe(201)
    expect(body).toMatchObject({ limit: 'h1,h2,h3,h4', launch_type: 'relaunch', status: 'pending' })
    expectShape('relaunch', body)
  })

  test('update of a project', async () => {
    const { status, body } = await app.call('POST', '/api/v2/projects/12/update/', {})
    expect([status, body.job_tags]).toEqual([202, 'update_git,install_roles,install_collections'])
    expectShape('update', body)
  })

  test.each([
    ['jt_launch_plain', 16],
    ['jt_launch_prompt', 32],
    ['jt_launch_passwords', 25],
  ])('launch view %s', async (name, template) => {
    const { body } = await app.call('GET', `/api/v2/job_templates/${template}/launch/`)
    expect(awxKeys(body).toSorted()).toEqual(shapes[name]?.keys)
    const defaults = shapes[name]?.defaults?.filter((key) => key !== 'labels')
    expect(awxKeys(body.defaults).toSorted()).toEqual(defaults)
  })
})
