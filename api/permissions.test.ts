import { sql } from 'drizzle-orm'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { hashPassword } from '../store/passwords.ts'
import { credentials, organizations } from '../store/schema/catalog.ts'
import { users } from '../store/schema/identity.ts'
import { allResources } from './all-resources.ts'
import type { RoleLookup } from './permissions.ts'
import { openTestApp, type TestApp } from './testing.ts'

const readOrganizationTwo: RoleLookup = {
  allows: async (_, action, model, row) => model.name === 'organizations' && row?.id === 2 && action === 'edit',
  readable: (_, model) => (model.name === 'organizations' ? sql`${organizations.id} = 2` : undefined),
}

let app: TestApp
let withRoles: TestApp
beforeAll(async () => {
  app = await openTestApp()
  withRoles = await openTestApp({ deps: { roles: readOrganizationTwo } })
  for (const { store } of [app, withRoles]) {
    const passwordHash = await hashPassword('x')
    await store.db.insert(users).values([
      { username: 'ada', passwordHash },
      { username: 'auditor', passwordHash, isSystemAuditor: true },
    ])
    await store.db.insert(organizations).values({ name: 'two' })
    await store.db.insert(credentials).values([
      { name: 'hers', credentialTypeId: 1, userId: 2 },
      { name: 'not hers', credentialTypeId: 1, organizationId: 1 },
    ])
  }
})
afterAll(async () => {
  await app.close()
  await withRoles.close()
})

const ada = { as: 'ada:x' }
const auditor = { as: 'auditor:x' }

describe('a normal user without roles', () => {
  const lists = allResources.filter((resource) => !resource.detailsOnly)

  test.each(lists.map((resource) => resource.name))('sees of %s only what is everybody’s or the own', async (name) => {
    const { status, body } = await app.call(
      'GET',
      `/api/v2/${lists.find((one) => one.name === name)?.path ?? name}/`,
      undefined,
      ada,
    )
    // As in AWX these lists are for superusers and auditors.
    if (['system_job_templates', 'system_jobs'].includes(name)) return expect(status).toBe(403)
    expect(status).toBe(200)
    const names = body.results.map((one: Record<string, unknown>) => one.username ?? one.name)
    if (name === 'users') expect(names).toEqual(['ada'])
    else if (name === 'credentials') expect(names).toEqual(['hers'])
    else if (!['credential_types', 'execution_environments'].includes(name)) expect(names).toEqual([])
  })

  test.each(lists.map((resource) => resource.name))(
    'may not create in %s, and is told so before the body is judged',
    async (name) => {
      const path = `/api/v2/${lists.find((one) => one.name === name)?.path ?? name}/`
      const { status } = await app.call('POST', path, {}, ada)
      expect(status).toBe(name === 'tokens' ? 201 : (await app.call('OPTIONS', path)).body.actions.POST ? 403 : 405)
      expect((await app.call('OPTIONS', path, undefined, ada)).body.actions.POST !== undefined).toBe(name === 'tokens')
    },
  )

  test('gets 403 for details, whatever the method', async () => {
    for (const method of ['GET', 'PATCH', 'PUT', 'DELETE']) {
      const { status, body } = await app.call(
        method,
        '/api/v2/organizations/2/',
        method === 'GET' ? undefined : {},
        ada,
      )
      expect({ status, body }).toEqual({
        status: 403,
        body: { detail: 'You do not have permission to perform this action.' },
      })
    }
    expect((await app.call('GET', '/api/v2/organizations/2/credentials/', undefined, ada)).status).toBe(403)
  })

  test('cannot probe names: a forbidden named URL is 404', async () => {
    expect((await app.call('GET', '/api/v2/organizations/two/', undefined, ada)).status).toBe(404)
  })

  test('changes the own account, but not its rank, and no other', async () => {
    expect((await app.call('PATCH', '/api/v2/users/ada/', { first_name: 'Ada' }, ada)).body.first_name).toBe('Ada')
    expect((await app.call('PATCH', '/api/v2/users/2/', { is_superuser: true }, ada)).status).toBe(403)
    expect((await app.call('PATCH', '/api/v2/users/2/', { is_system_auditor: true }, ada)).status).toBe(403)
    expect((await app.call('PATCH', '/api/v2/users/1/', { first_name: 'x' }, ada)).status).toBe(403)
  })
})

describe('a system auditor', () => {
  test('reads everything and changes nothing', async () => {
    expect((await app.call('GET', '/api/v2/organizations/', undefined, auditor)).body.count).toBe(2)
    const { body } = await app.call('GET', '/api/v2/organizations/2/', undefined, auditor)
    expect(body.summary_fields.user_capabilities).toEqual({ edit: false, delete: false })
    expect((await app.call('PATCH', '/api/v2/organizations/2/', {}, auditor)).status).toBe(403)
    expect((await app.call('POST', '/api/v2/organizations/', {}, auditor)).status).toBe(403)
  })
})

describe('roles', () => {
  test('widen what is read and done, object by object', async () => {
    const { body } = await withRoles.call('GET', '/api/v2/organizations/', undefined, ada)
    expect(body.results.map((one: { id: number }) => one.id)).toEqual([2])
    expect(body.results[0].summary_fields.user_capabilities).toEqual({ edit: true, delete: false })
    expect((await withRoles.call('PATCH', '/api/v2/organizations/2/', { description: 'd' }, ada)).status).toBe(200)
    expect((await withRoles.call('DELETE', '/api/v2/organizations/2/', undefined, ada)).status).toBe(403)
    expect((await withRoles.call('GET', '/api/v2/organizations/1/', undefined, ada)).status).toBe(403)
  })
})
