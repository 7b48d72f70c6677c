import { eq } from 'drizzle-orm'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { instanceGroups, organizationInstanceGroups } from '../store/schema/catalog.ts'
import { unifiedJobs } from '../store/schema/jobs.ts'
import { maxBodyBytes } from './body.ts'
import { openTestApp, type TestApp } from './testing.ts'

let app: TestApp
beforeAll(async () => {
  app = await openTestApp()
})
afterAll(() => app.close())

const organizations = '/api/v2/organizations/'
let counter = 0
/** A new organization, as the API answers it. */
async function organization(more: Record<string, unknown> = {}) {
  counter += 1
  const { status, body } = await app.call('POST', organizations, { name: `org-${counter}`, ...more })
  expect(status).toBe(201)
  return body
}

describe('create', () => {
  test('answers 201, Location, the object, and names what it ignored', async () => {
    const { status, headers, body } = await app.call('POST', organizations, {
      name: 'made',
      nosuch: 1,
      'x y': 2,
      id: 77,
      created: 'x',
    })
    expect(status).toBe(201)
    expect(headers.get('location')).toBe(body.url)
    expect(headers.get('x-api-unknown-fields')).toBe('nosuch, x%20y')
    expect(body).toMatchObject({
      type: 'organization',
      name: 'made',
      description: '',
      max_hosts: 0,
      default_environment: null,
    })
    expect(body.summary_fields.created_by).toEqual({ id: 1, username: 'admin', first_name: '', last_name: '' })
    expect(body.related).toMatchObject({ named_url: `${organizations}made/`, created_by: '/api/v2/users/1/' })
    expect(body.created).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?Z$/)
  })

  test('complains about every field at once', async () => {
    const { status, body } = await app.call('POST', organizations, { max_hosts: 'x', default_environment: 'y' })
    expect(status).toBe(400)
    expect(Object.keys(body)).toEqual(['name', 'max_hosts', 'default_environment'])
  })

  test('reads numbers and texts of numbers alike, trims names, takes null as empty', async () => {
    const body = await organization({ name: '  padded  ', max_hosts: '7', description: null, default_environment: '' })
    expect(body).toMatchObject({ name: 'padded', max_hosts: 7, description: '', default_environment: null })
  })

  test.each([
    [2147483648, 'Ensure this value is less than or equal to 2147483647.'],
    [1.5, 'A valid integer is required.'],
    [true, 'A valid integer is required.'],
    [null, 'This field may not be null.'],
  ])('max_hosts %j is refused', async (value, message) => {
    const { status, body } = await app.call('POST', organizations, { name: 'bad', max_hosts: value })
    expect({ status, body }).toEqual({ status: 400, body: { max_hosts: [message] } })
  })

  test.each([
    [
      '/api/v2/organizations/',
      { name: 'bad', max_hosts: { toString: 1 } },
      { max_hosts: ['A valid integer is required.'] },
    ],
    [
      '/api/v2/groups/',
      { name: 'bad', inventory: { valueOf: 1, toString: 1 } },
      { inventory: ['Incorrect type. Expected pk value, received dict.'] },
    ],
    [
      '/api/v2/execution_environments/',
      { name: 'bad', image: 'registry.example.org/ee:2', pull: { toString: 1 } },
      { pull: [`"{'toString': 1}" is not a valid choice.`] },
    ],
  ])('%s: what converts to nothing is refused like any other mapping', async (path, value, complaints) => {
    const { status, body } = await app.call('POST', path, value)
    expect({ status, body }).toEqual({ status: 400, body: complaints })
  })

  test('a name with NUL is refused, not passed to the database', async () => {
    const { body } = await app.call('POST', organizations, { name: 'a\0b' })
    expect(body).toEqual({ name: ['Null characters are not allowed.'] })
  })

  test('two creations of one name at once: one wins, the other gets the usual answer', async () => {
    const answers = await Promise.all([1, 2].map(() => app.call('POST', organizations, { name: 'contested' })))
    expect(answers.map(({ status }) => status).toSorted()).toEqual([201, 400])
    expect(answers.find(({ status }) => status === 400)?.body).toEqual({
      name: ['Organization with this Name already exists.'],
    })
  })
})

describe('bodies', () => {
  test('too large: 413, also without Content-Length', async () => {
    const text = JSON.stringify({ name: 'x'.repeat(maxBodyBytes) })
    expect((await app.call('POST', organizations, undefined, { raw: { text, type: 'application/json' } })).status).toBe(
      413,
    )
    expect(
      (
        await app.call('POST', organizations, undefined, {
          raw: { text: '{}', type: 'application/json' },
          headers: { 'content-length': '99999999' },
        })
      ).status,
    ).toBe(413)
  })

  test.each([
    ['too deep', `{"name": ${'['.repeat(9000)}${']'.repeat(9000)}}`, 'nested deeper than 200 levels'],
    ['too many values', `{"name": [${'1,'.repeat(1_100_000)}1]}`, 'more than 1000000 values'],
  ])('%s: 400, whatever its fields', async (_what, text, words) => {
    const { status, body } = await app.call('POST', organizations, undefined, {
      raw: { text, type: 'application/json' },
    })
    expect({ status, body }).toEqual({ status: 400, body: { detail: `JSON parse error - ${words}` } })
  })

  test('a malformed one is not quoted in the answer', async () => {
    const { status, body } = await app.call('POST', organizations, undefined, {
      raw: { text: '{"password": hunter2', type: 'application/json; charset=utf-8' },
    })
    expect(status).toBe(400)
    expect(body.detail).toMatch(/^JSON parse error - /)
    expect(JSON.stringify(body)).not.toContain('hunter2')
  })
})

describe('change', () => {
  test('PATCH changes what it names; PUT needs what is required and resets the rest', async () => {
    const { url } = await organization({ description: 'd', max_hosts: 3 })
    expect((await app.call('PATCH', url, { max_hosts: 4 })).body).toMatchObject({ description: 'd', max_hosts: 4 })
    expect((await app.call('PUT', url, { description: 'e' })).body).toEqual({ name: ['This field is required.'] })
    expect((await app.call('PUT', url, { name: 'put' })).body).toMatchObject({
      name: 'put',
      description: '',
      max_hosts: 0,
    })
  })

  test('stamps who changed it and when', async () => {
    const { url, created } = await organization()
    const { body } = await app.call('PATCH', url, {})
    expect(body.modified >= created).toBe(true)
    expect(body.summary_fields.modified_by.username).toBe('admin')
  })

  test('keeping its own name is no duplicate, taking another’s is', async () => {
    const [one, other] = [await organization(), await organization()]
    expect((await app.call('PATCH', one.url, { name: one.name })).status).toBe(200)
    expect((await app.call('PATCH', one.url, { name: other.name })).body).toEqual({
      name: ['Organization with this Name already exists.'],
    })
  })
})

describe('delete', () => {
  test('204, then 404', async () => {
    const { url } = await organization()
    expect((await app.call('DELETE', url)).status).toBe(204)
    expect((await app.call('GET', url)).body).toEqual({ detail: 'No Organization matches the given query.' })
  })

  test('409 naming the jobs while it is in use', async () => {
    const { id, url } = await organization()
    const [job] = await app.store.db
      .insert(unifiedJobs)
      .values({ type: 'job', name: 'j', organizationId: id, status: 'running' })
      .returning()
    expect(await app.call('DELETE', url)).toMatchObject({
      status: 409,
      body: { error: 'Resource is being used by running jobs.', active_jobs: [{ id: job?.id, type: 'job' }] },
    })
    await app.store.db.delete(unifiedJobs)
  })

  test('what others still point to is refused, not broken', async () => {
    expect((await app.call('DELETE', '/api/v2/credential_types/1/')).status).toBe(403)
  })
})

describe('sub-lists', () => {
  test('create below a parent fills the parent in', async () => {
    const { id, url } = await organization()
    const { status, body } = await app.call('POST', `${url}credentials/`, { name: 'below', credential_type: 1 })
    expect({ status, organization: body.organization }).toEqual({ status: 201, organization: id })
    expect((await app.call('GET', `${url}credentials/?name=below`)).body.count).toBe(1)
    expect((await app.call('GET', `${organizations}1/credentials/?name=below`)).body.count).toBe(0)
  })

  test('a managed type cannot be changed, but credentials of it can be made below it', async () => {
    const { status } = await app.call('POST', '/api/v2/credential_types/1/credentials/', {
      name: 'typed',
      organization: 1,
    })
    expect(status).toBe(201)
  })

  test('attach and detach objects of a nullable reverse relation', async () => {
    const { url } = await organization()
    const environment = (await app.call('POST', '/api/v2/execution_environments/', { name: 'ee-a', image: 'a/b:1' }))
      .body
    const list = `${url}execution_environments/`
    expect((await app.call('POST', list, { id: environment.id })).status).toBe(204)
    expect((await app.call('GET', list)).body.results.map((one: { name: string }) => one.name)).toEqual(['ee-a'])
    expect((await app.call('POST', list, { id: environment.id, disassociate: true })).status).toBe(204)
    expect((await app.call('GET', list)).body.count).toBe(0)
  })

  test.each([
    [{ id: 99999 }, { detail: 'ExecutionEnvironment matching query does not exist.' }],
    [{ id: 'x' }, { msg: '"id" field must be an integer.' }],
    [{ disassociate: true }, { msg: '"id" is required to disassociate' }],
    [{}, { name: ['This field is required.'], image: ['This field is required.'] }],
  ])('attaching %j is refused', async (send, body) => {
    expect(await app.call('POST', `${organizations}1/execution_environments/`, send)).toMatchObject({
      status: 400,
      body,
    })
  })

  test('of a missing parent: 404, but OPTIONS answers', async () => {
    expect((await app.call('GET', `${organizations}9999/credentials/`)).status).toBe(404)
    const { status, body, headers } = await app.call('OPTIONS', `${organizations}9999/execution_environments/`)
    expect(status).toBe(200)
    expect(headers.get('allow')).toBe('GET, POST, HEAD, OPTIONS')
    expect(body.name).toBe('Organization Execution Environments List')
    expect(body.actions.POST.id).toEqual({
      type: 'integer',
      required: false,
      hidden: false,
      label: 'ID',
      filterable: true,
    })
  })

  test('ordered ones keep the order of attaching', async () => {
    const { db } = app.store
    const { id, url } = await organization()
    const groups = await db
      .insert(instanceGroups)
      .values(['z', 'a', 'm'].map((name) => ({ name })))
      .returning()
    const list = `${url}instance_groups/`
    for (const group of [...groups, groups[0]])
      expect((await app.call('POST', list, { id: group?.id })).status).toBe(204)
    const names = async () => (await app.call('GET', list)).body.results.map((one: { name: string }) => one.name)
    expect(await names()).toEqual(['z', 'a', 'm'])
    await app.call('POST', list, { id: groups[0]?.id, disassociate: true })
    await app.call('POST', list, { id: groups[0]?.id })
    expect(await names()).toEqual(['a', 'm', 'z'])
    await db.delete(organizationInstanceGroups).where(eq(organizationInstanceGroups.organizationId, id))
    expect((await app.call('OPTIONS', list)).body.actions.POST).toEqual({
      id: { type: 'integer', required: false, hidden: false, label: 'ID', filterable: true },
    })
    expect((await app.call('POST', list, { name: 'new' })).body).toEqual({
      msg: "Instance Group 'id' field is missing.",
    })
  })
})

test('managed environments: only pull changes, and nobody deletes them', async () => {
  const [managed] = (await app.call('GET', '/api/v2/execution_environments/?managed=true')).body.results
  expect((await app.call('PATCH', managed.url, { image: 'x/y:2' })).body).toEqual({
    detail: "Only the 'pull' field can be edited for managed execution environments.",
  })
  expect((await app.call('PATCH', managed.url, { pull: 'always', name: managed.name })).status).toBe(200)
  expect((await app.call('DELETE', managed.url)).status).toBe(403)
})
