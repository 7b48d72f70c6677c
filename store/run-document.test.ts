import { eq } from 'drizzle-orm'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bootstrap } from './bootstrap.ts'
import type { Store } from './database.ts'
import { readGroup } from './groups.ts'
import { readInventory } from './inventory.ts'
import { groupNames, readStartLine } from './prepare.ts'
import { readJobForRun } from './run-document.ts'
import * as catalog from './schema/catalog.ts'
import { users } from './schema/identity.ts'
import * as inventorySchema from './schema/inventory.ts'
import { unifiedJobCredentials, unifiedJobs } from './schema/jobs.ts'
import * as templates from './schema/templates.ts'
import { storeKinds, testStore } from './testing.ts'
import { makeGroup, makeJob } from './testing-data.ts'

describe.each(storeKinds)('what a worker reads on %s', (kind) => {
  let store: Store
  beforeAll(async () => {
    store = await testStore(kind)
    await bootstrap(store, { adminPassword: 'password', defaultImage: 'ee:1' })
  })
  afterAll(() => store.close())

  const one = async <Row>(rows: Promise<Row[]>): Promise<Row> => {
    const [row] = await rows
    if (!row) throw new Error('no row')
    return row
  }
  const makeCredential = (name: string, credentialTypeId: number) =>
    one(
      store.db
        .insert(catalog.credentials)
        .values({ name, credentialTypeId, inputs: { username: name } })
        .returning(),
    )

  test('an inventory as plain data', async () => {
    const inventory = await one(
      store.db
        .insert(inventorySchema.inventories)
        .values({ name: 'prod', organizationId: 1, variables: 'a: 1' })
        .returning(),
    )
    const inventoryId = inventory.id
    const [web1, web2, db1] = await store.db
      .insert(inventorySchema.hosts)
      .values([
        { name: 'web1', inventoryId, variables: 'port: 1' },
        { name: 'web2', inventoryId, enabled: false },
        { name: 'db1', inventoryId },
      ])
      .returning()
    const [web, all] = await store.db
      .insert(inventorySchema.groups)
      .values([
        { name: 'web', inventoryId, variables: 'b: 2' },
        { name: 'servers', inventoryId },
      ])
      .returning()
    const ids = { web: web?.id ?? 0, all: all?.id ?? 0 }
    await store.db.insert(inventorySchema.groupHosts).values([
      { groupId: ids.web, hostId: web2?.id ?? 0 },
      { groupId: ids.web, hostId: web1?.id ?? 0 },
      { groupId: ids.all, hostId: db1?.id ?? 0 },
    ])
    await store.db.insert(inventorySchema.groupChildren).values({ parentId: ids.all, childId: ids.web })
    expect(await readInventory(store.db, inventoryId)).toEqual({
      name: 'prod',
      variables: 'a: 1',
      hosts: [
        { id: web1?.id, name: 'web1', enabled: true, variables: 'port: 1' },
        { id: web2?.id, name: 'web2', enabled: false, variables: '' },
        { id: db1?.id, name: 'db1', enabled: true, variables: '' },
      ],
      groups: [
        { name: 'web', variables: 'b: 2', hostIds: [web1?.id, web2?.id], childNames: [] },
        { name: 'servers', variables: '', hostIds: [db1?.id], childNames: ['web'] },
      ],
    })
    expect(await readInventory(store.db, 999_999)).toBeUndefined()
    const inside = await store.db.transaction((tx) => readInventory(tx, inventoryId))
    expect(inside?.hosts).toHaveLength(3)
  })

  test('a job with all that it refers to', async () => {
    const machine = await makeCredential('machine', 1)
    const vault = await makeCredential('vault', 3)
    const registry = await makeCredential('registry', 5)
    const scm = await makeCredential('scm', 2)
    const project = await one(
      store.db.insert(templates.projects).values({ name: 'site', organizationId: 1, credentialId: scm.id }).returning(),
    )
    const template = await one(
      store.db.insert(templates.jobTemplates).values({ name: 'deploy', projectId: project.id }).returning(),
    )
    const environment = await one(
      store.db
        .insert(catalog.executionEnvironments)
        .values({ name: 'mine', image: 'mine:1', pull: 'always', credentialId: registry.id, organizationId: 1 })
        .returning(),
    )
    const admin = await one(store.db.select().from(users))
    const job = await makeJob(store.db, {
      organizationId: 1,
      projectId: project.id,
      jobTemplateId: template.id,
      unifiedJobTemplateId: template.id,
      executionEnvironmentId: environment.id,
      createdById: admin.id,
    })
    await store.db.insert(unifiedJobCredentials).values([
      { jobId: job.id, credentialId: vault.id },
      { jobId: job.id, credentialId: machine.id },
    ])
    const document = await readJobForRun(store.db, job.id)
    expect(document).toMatchObject({
      job: { id: job.id },
      template: { id: template.id, name: 'deploy', extraVars: '' },
      project: { id: project.id },
      inventory: null,
      executionEnvironment: { image: 'mine:1', pull: 'always' },
      user: { username: 'admin' },
      credentials: [
        { credential: { id: machine.id }, type: { kind: 'ssh' } },
        { credential: { id: vault.id }, type: { kind: 'vault' } },
      ],
      registryCredential: { credential: { id: registry.id }, type: { kind: 'registry' } },
      scmCredential: { credential: { id: scm.id }, type: { kind: 'scm' } },
    })
    expect(document?.credentials).toHaveLength(2)
    const bare = await readJobForRun(store.db, (await makeJob(store.db)).id)
    expect(bare).toMatchObject({
      template: null,
      project: null,
      inventory: null,
      executionEnvironment: null,
      user: null,
    })
    expect(bare).toMatchObject({ credentials: [], registryCredential: null })
    expect(await readJobForRun(store.db, 999_999)).toBeUndefined()
  })

  test('a group with its credential', async () => {
    const token = await makeCredential('token', 4)
    const id = await makeGroup(store.db, 2)
    expect(await readGroup(store.db, id)).toMatchObject({ group: { maxConcurrentJobs: 2 }, credential: null })
    await store.db
      .update(catalog.instanceGroups)
      .set({ credentialId: token.id })
      .where(eq(catalog.instanceGroups.id, id))
    expect(await readGroup(store.db, id)).toMatchObject({
      credential: { credential: { name: 'token' }, type: { namespace: 'kubernetes_bearer_token' } },
    })
    expect(await readGroup(store.db, 999_999)).toBeUndefined()
  })

  test('the container groups of a job that still exist, in the order of its preference', async () => {
    const [first, second] = [
      await makeGroup(store.db, 0, { name: 'first' }),
      await makeGroup(store.db, 0, { name: 'second' }),
    ]
    const ordinary = await makeGroup(store.db, 0, { isContainerGroup: false })
    const eligibleGroups = [second, ordinary, 999_999, first]
    const job = await makeJob(store.db, { eligibleGroups })
    const expected = [
      { id: second, name: 'second' },
      { id: first, name: 'first' },
    ]
    expect((await readStartLine(store.db, job.id)).groups).toEqual(expected)
    expect(await groupNames(store.db, eligibleGroups)).toEqual(expected)
    expect((await readStartLine(store.db, (await makeJob(store.db)).id)).groups).toEqual([])
    expect(await groupNames(store.db, [ordinary])).toEqual([])
  })

  test('the execution environment by order of precedence', async () => {
    const make = async (name: string) =>
      (await one(store.db.insert(catalog.executionEnvironments).values({ name, image: name }).returning())).id
    const [ofInventory, ofOrganization, ofProject, ofTemplate, ofJob] = [
      await make('of inventory'),
      await make('of organization'),
      await make('of project'),
      await make('of template'),
      await make('of job'),
    ]
    const makeOrganization = (name: string) => one(store.db.insert(catalog.organizations).values({ name }).returning())
    const [organization, owner] = [await makeOrganization('jobs'), await makeOrganization('inventories')]
    const inventory = await one(
      store.db.insert(inventorySchema.inventories).values({ name: 'i', organizationId: owner.id }).returning(),
    )
    const project = await one(store.db.insert(templates.projects).values({ name: 'p' }).returning())
    const template = await one(store.db.insert(templates.jobTemplates).values({ name: 't' }).returning())
    const job = await makeJob(store.db, {
      organizationId: organization.id,
      inventoryId: inventory.id,
      projectId: project.id,
      jobTemplateId: template.id,
    })
    const resolved = async () => (await readStartLine(store.db, job.id)).executionEnvironmentId
    expect(await resolved()).toBe(1)
    const steps: [() => Promise<unknown>, number][] = [
      [() => setDefault(owner.id, ofInventory), ofInventory],
      [() => setDefault(organization.id, ofOrganization), ofOrganization],
      [() => store.db.update(templates.projects).set({ defaultEnvironmentId: ofProject }), ofProject],
      [() => store.db.update(templates.jobTemplates).set({ executionEnvironmentId: ofTemplate }), ofTemplate],
      [() => store.db.update(unifiedJobs).set({ executionEnvironmentId: ofJob }), ofJob],
    ]
    for (const [set, expected] of steps) {
      await set()
      expect(await resolved()).toBe(expected)
    }
    async function setDefault(organizationId: number, defaultEnvironmentId: number) {
      await store.db
        .update(catalog.organizations)
        .set({ defaultEnvironmentId })
        .where(eq(catalog.organizations.id, organizationId))
    }
  })
})
