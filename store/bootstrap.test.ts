import { asc, eq } from 'drizzle-orm'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { bootstrap, controlPlaneEnvironment, readInstallUuid } from './bootstrap.ts'
import type { Store } from './database.ts'
import { verifyPassword } from './passwords.ts'
import { credentialTypes, executionEnvironments, instanceGroups, organizations } from './schema/catalog.ts'
import { users } from './schema/identity.ts'
import { storeKinds, testStore } from './testing.ts'

describe.each(storeKinds)('bootstrap on %s', (kind) => {
  let store: Store
  beforeEach(async () => {
    store = await testStore(kind)
  })
  afterEach(() => store.close())

  test('two at once make everything once, and only one learns the password', async () => {
    const answers = await Promise.all([
      bootstrap(store, { defaultImage: 'ee:1' }),
      bootstrap(store, { defaultImage: 'ee:1' }),
    ])
    const passwords = answers.flatMap((answer) => answer.generatedPassword ?? [])
    expect(passwords).toHaveLength(1)
    const [admin, ...others] = await store.db.select().from(users)
    expect(others).toEqual([])
    expect(admin).toMatchObject({ username: 'admin', isSuperuser: true })
    expect(await verifyPassword(admin?.passwordHash ?? null, passwords[0] ?? '')).toBe(true)
    expect(await store.db.select().from(organizations)).toMatchObject([{ name: 'Default' }])
    const groups = await store.db.select().from(instanceGroups).orderBy(asc(instanceGroups.id))
    expect(groups).toMatchObject([
      { id: 1, name: 'controlplane', isContainerGroup: false },
      { id: 2, name: 'default', isContainerGroup: true, credentialId: null },
    ])
    const types = await store.db.select().from(credentialTypes).orderBy(asc(credentialTypes.id))
    expect(types.map((type) => type.namespace)).toEqual([
      'ssh',
      'scm',
      'vault',
      'kubernetes_bearer_token',
      'registry',
      'github_token',
      'gitlab_token',
      'bitbucket_dc_token',
      'galaxy_api_token',
    ])
    expect(types[0]).toMatchObject({ id: 1, name: 'Machine', managed: true })
    expect(await readInstallUuid(store.db)).toMatch(/^[0-9a-f-]{36}$/)
  })

  test('a later start changes no password, forgets no rename, and moves only what still has the old image', async () => {
    expect(await bootstrap(store, { adminPassword: 'first', defaultImage: 'ee:1' })).toEqual({})
    const uuid = await readInstallUuid(store.db)
    await store.db
      .update(executionEnvironments)
      .set({ image: 'mine:1' })
      .where(eq(executionEnvironments.managed, false))
    await store.db.update(organizations).set({ name: 'Renamed' })
    await store.db.update(credentialTypes).set({ inputs: {} }).where(eq(credentialTypes.namespace, 'vault'))

    expect(await bootstrap(store, { adminPassword: 'second', defaultImage: 'ee:2' })).toEqual({})

    expect(await readInstallUuid(store.db)).toBe(uuid)
    const [admin] = await store.db.select().from(users)
    expect(await verifyPassword(admin?.passwordHash ?? null, 'first')).toBe(true)
    expect(await store.db.select().from(organizations)).toMatchObject([{ name: 'Renamed' }])
    const environments = await store.db.select().from(executionEnvironments).orderBy(asc(executionEnvironments.id))
    expect(environments).toMatchObject([{ image: 'mine:1' }, { name: controlPlaneEnvironment, image: 'ee:2' }])
    const [vault] = await store.db.select().from(credentialTypes).where(eq(credentialTypes.namespace, 'vault'))
    expect(vault?.inputs).toMatchObject({ required: ['vault_password'] })
  })
})
