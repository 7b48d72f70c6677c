import { eq } from 'drizzle-orm'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { JobStatus, LaunchType } from '../model/job.ts'
import { bootstrap } from './bootstrap.ts'
import type { Store } from './database.ts'
import { readGalaxyCredentials } from './galaxy-credentials.ts'
import { requestCancel, transitionJob } from './job-status.ts'
import {
  controlPlane,
  createProjectUpdate,
  missingProjects,
  newestUpdate,
  olderUpdate,
  recordProjectRevision,
} from './project-updates.ts'
import { credentials, credentialTypes, organizationGalaxyCredentials, organizations } from './schema/catalog.ts'
import { unifiedJobs } from './schema/jobs.ts'
import { outbox } from './schema/runtime.ts'
import { projects } from './schema/templates.ts'
import { storeKinds, testStore } from './testing.ts'

describe.each(storeKinds)('project updates on %s', (kind) => {
  let store: Store
  beforeAll(async () => {
    store = await testStore(kind)
    await bootstrap(store, { adminPassword: 'x', defaultImage: 'x/ee:1' })
  })
  afterAll(() => store.close())

  async function makeProject(name: string) {
    const values = { name, scmType: 'git', scmUrl: 'https://git.example.org/a.git', scmBranch: 'main' }
    const [project] = await store.db.insert(projects).values(values).returning()
    if (!project) throw new Error('no project')
    return project
  }
  type Project = Awaited<ReturnType<typeof makeProject>>
  const update = (project: Project, launchType: LaunchType = 'manual') =>
    createProjectUpdate(store.db, project, { launchType, createdById: null })
  const to = (jobId: number, status: JobStatus) => transitionJob(store.db, jobId, status)
  const read = async (project: Project) =>
    (await store.db.select().from(projects).where(eq(projects.id, project.id)))[0]

  test('wait for those before them; syncs and other projects are in nobody’s way', async () => {
    const [project, other] = [await makeProject('line'), await makeProject('other')]
    const first = await update(project)
    await update(other)
    const sync = await update(project, 'sync')
    const second = await update(project)
    const third = await update(project)
    expect(await olderUpdate(store.db, project.id, first)).toBeNull()
    expect(await olderUpdate(store.db, project.id, second)).toEqual({ id: first, ahead: 1 })
    expect(await olderUpdate(store.db, project.id, third)).toEqual({ id: first, ahead: 2 })
    await to(first, 'running')
    await to(first, 'successful')
    expect(await olderUpdate(store.db, project.id, second)).toBeNull()
    expect(await olderUpdate(store.db, project.id, third)).toEqual({ id: second, ahead: 1 })
    expect(sync).toBeGreaterThan(first)
  })

  test('the newest that is active counts, else the newest; never a sync', async () => {
    const project = await makeProject('newest')
    expect(await newestUpdate(store.db, project.id)).toBeUndefined()
    const [first, second, third] = [await update(project), await update(project), await update(project)]
    await update(project, 'sync')
    expect((await newestUpdate(store.db, project.id))?.id).toBe(third)
    // The newest is cancelled while it waits: those before it are at work still.
    await requestCancel(store.db, third)
    await to(third, 'canceled')
    expect((await read(project))?.currentJobId).toBeNull()
    expect((await newestUpdate(store.db, project.id))?.id).toBe(second)
    for (const id of [first, second]) {
      await to(id, 'running')
      await to(id, 'successful')
    }
    expect((await newestUpdate(store.db, project.id))?.id).toBe(third)
  })

  test('one that others wait for is started whoever made it; a sync by its job alone, and it changes nothing of the project', async () => {
    const project = await makeProject('started')
    const dependency = await update(project, 'dependency')
    const sync = await createProjectUpdate(store.db, project, {
      launchType: 'sync',
      createdById: null,
      scmBranch: 'own',
    })
    const started = (await store.db.select().from(outbox)).map((row) => row.subjectId)
    expect([started.includes(dependency), started.includes(sync)]).toEqual([true, false])
    const [row] = await store.db.select().from(unifiedJobs).where(eq(unifiedJobs.id, sync))
    expect(row).toMatchObject({ jobType: 'run', scmBranch: 'own', scmUrl: project.scmUrl })
    expect((await read(project))?.currentJobId).toBe(dependency)
    await to(sync, 'running')
    await to(sync, 'failed')
    expect(await read(project)).toMatchObject({ status: 'pending', lastJobId: null, lastJobFailed: false })
    await recordProjectRevision(store.db, project.id, { revision: 'abc', playbooks: ['a.yml'], inventoryFiles: ['h'] })
    expect(await read(project)).toMatchObject({ scmRevision: 'abc', playbookFiles: ['a.yml'], inventoryFiles: ['h'] })
    expect(await missingProjects(store.db, [project.id, 999_999])).toEqual([999_999])
  })

  test('they run in the group and the environment of the control plane', async () => {
    const { instanceGroupId, executionEnvironmentId } = await controlPlane(store.db)
    expect([instanceGroupId, executionEnvironmentId]).toEqual([expect.any(Number), expect.any(Number)])
  })

  test('an organization names its Galaxy servers in order', async () => {
    const [organization] = await store.db.insert(organizations).values({ name: 'galactic' }).returning()
    const organizationId = organization?.id ?? 0
    const [type] = await store.db
      .select()
      .from(credentialTypes)
      .where(eq(credentialTypes.namespace, 'galaxy_api_token'))
    const made = await store.db
      .insert(credentials)
      .values(['b', 'a', 'c'].map((name) => ({ name, organizationId, credentialTypeId: type?.id ?? 0 })))
      .returning()
    const positions = [2, 3, 1]
    await store.db
      .insert(organizationGalaxyCredentials)
      .values(made.map(({ id }, index) => ({ organizationId, credentialId: id, position: positions[index] ?? 0 })))
    const names = (await readGalaxyCredentials(store.db, organizationId)).map(({ credential }) => credential.name)
    expect(names).toEqual(['c', 'b', 'a'])
    expect(await readGalaxyCredentials(store.db, null)).toEqual([])
  })
})
