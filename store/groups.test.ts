import { eq } from 'drizzle-orm'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { releaseAttempt } from './attempts.ts'
import { bootstrap } from './bootstrap.ts'
import type { Store } from './database.ts'
import { readContainerGroups, readGroupStates } from './groups.ts'
import { credentials, credentialTypes, instanceGroups } from './schema/catalog.ts'
import { storeKinds, testStore } from './testing.ts'
import { makeAttempt, makeGroup } from './testing-data.ts'

describe.each(storeKinds)('groups on %s', (kind) => {
  let store: Store
  beforeAll(async () => {
    store = await testStore(kind)
    await bootstrap(store, { adminPassword: 'password', defaultImage: 'ee:1' })
  })
  afterAll(() => store.close())

  test('are read together, each with its credential and what holds a place in it', async () => {
    const attempt = await makeAttempt(store.db)
    const busy = attempt.instanceGroupId ?? 0
    const over = await makeAttempt(store.db)
    await releaseAttempt(store.db, { attemptId: over.id, runId: over.runId })
    const free = over.instanceGroupId ?? 0
    const unasked = await makeGroup(store.db, 1)
    const [type] = await store.db
      .select()
      .from(credentialTypes)
      .where(eq(credentialTypes.namespace, 'kubernetes_bearer_token'))
    const [token] = await store.db
      .insert(credentials)
      .values({ name: 'token', credentialTypeId: type?.id ?? 0 })
      .returning()
    await store.db.update(instanceGroups).set({ credentialId: token?.id }).where(eq(instanceGroups.id, free))

    const states = await readGroupStates(store.db, [busy, free, 999_999])
    expect([...states.keys()].sort()).toEqual([busy, free].sort())
    expect(states.has(unasked)).toBe(false)
    expect(states.get(busy)).toMatchObject({ group: { id: busy }, credential: null })
    expect([...(states.get(busy)?.claims ?? [])]).toEqual([
      [`automation-job-${attempt.jobId}-${attempt.number}`, attempt.impact],
    ])
    expect(states.get(free)).toMatchObject({
      credential: { credential: { name: 'token' }, type: { namespace: 'kubernetes_bearer_token' } },
    })
    expect(states.get(free)?.claims.size).toBe(0)
    expect(await readGroupStates(store.db, [])).toEqual(new Map())

    const all = await readContainerGroups(store.db)
    const ours = all.filter(({ group: { id } }) => states.has(id))
    expect(ours.map(({ group, credential }) => [group.id, credential?.credential.name])).toEqual([
      [busy, undefined],
      [free, 'token'],
    ])
    expect(all.every(({ group }) => group.isContainerGroup)).toBe(true)
  })
})
