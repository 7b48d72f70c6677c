import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { eq, sql } from 'drizzle-orm'
import type { PgTable } from 'drizzle-orm/pg-core'
import { promptFlags } from '../model/prompts.ts'
import { camelCase } from '../store/camel-case.ts'
import { hashPassword } from '../store/passwords.ts'
import {
  credentials,
  credentialTypes,
  executionEnvironments,
  instanceGroups,
  organizations,
} from '../store/schema/catalog.ts'
import { users } from '../store/schema/identity.ts'
import { groupChildren, groupHosts, groups, hosts, inventories } from '../store/schema/inventory.ts'
import { jobEvents, jobHostSummaries, unifiedJobCredentials, unifiedJobs } from '../store/schema/jobs.ts'
import { jobTemplateCredentials, jobTemplates, projects } from '../store/schema/templates.ts'
import { type StoreKind, testStore } from '../store/testing.ts'
import { openTestApp, type TestApp } from './testing.ts'

/** A user without any right, with the password `x`. */
export const nobody = 'rec-user:x'

/** The API on a database with the objects that AWX 24.6.1 was recorded with, under the same ids and names. */
export async function openRecordedApp(kind: StoreKind = 'postgres'): Promise<TestApp> {
  const projectsRoot = await mkdtemp(join(tmpdir(), 'mayfly-projects-'))
  for (const folder of ['rec-m', 'p1']) await mkdir(join(projectsRoot, folder))
  for (const name of ['ok.yml', 'fail.yml']) await writeFile(join(projectsRoot, 'rec-m', name), '- hosts: all\n')
  const app = await openTestApp({ store: await testStore(kind), deps: { projectsRoot, nodeName: 'awx-node-1' } })
  await insertCatalog(app)
  await insertTemplates(app)
  await insertJobs(app)
  return {
    ...app,
    async close() {
      await app.close()
      await rm(projectsRoot, { recursive: true })
    },
  }
}

type Values = Record<string, unknown>

/** Inserts rows with the ids they have in the recording, and lets new ones begin far behind. */
async function insert(app: TestApp, table: PgTable, rows: Values[]): Promise<void> {
  await app.store.db.insert(table).overridingSystemValue().values(rows)
}

async function insertCatalog(app: TestApp): Promise<void> {
  const { db } = app.store
  await db.insert(users).values({ username: 'rec-user', passwordHash: await hashPassword('x') })
  await insert(app, organizations, [
    { id: 2, name: 'rec-org1' },
    { id: 3, name: 'rec-org2' },
  ])
  const [machine, vault, scm, kubernetes] = await Promise.all(
    ['ssh', 'vault', 'scm', 'kubernetes'].map(async (kind) => {
      const [type] = await db.select().from(credentialTypes).where(eq(credentialTypes.kind, kind))
      return type?.id ?? 0
    }),
  )
  const [custom] = await db.insert(credentialTypes).values({ name: 'rec-custom', kind: 'cloud' }).returning()
  const credential = (id: number, name: string, credentialTypeId: number | undefined, inputs: Values = {}) => ({
    ...{ id, name, credentialTypeId, inputs },
    organizationId: 2,
  })
  await insert(app, credentials, [
    credential(4, 'rec-k8s', kubernetes),
    credential(7, 'rec-machine', machine),
    credential(8, 'rec-machine-ask', machine, { password: 'ASK', become_password: 'ASK' }),
    credential(11, 'rec-vault-ask', vault, { vault_password: 'ASK', vault_id: 'v2' }),
    credential(12, 'rec-scm', scm),
    credential(17, 'rec-customcred', custom?.id),
  ])
  await insert(app, instanceGroups, [
    { id: 3, name: 'cg', isContainerGroup: true },
    { id: 5, name: 'rec-cg', isContainerGroup: true, credentialId: 4, credentialRequired: true },
    { id: 9, name: 'rec-ig' },
  ])
  await insert(app, inventories, [
    { id: 3, name: 'rec-inv', organizationId: 2, variables: 'a: 1\nb: [1,2]', ...mine },
    { id: 4, name: 'rec-inv2', organizationId: 2 },
    { id: 5, name: 'rec-smart', organizationId: 2, kind: 'smart', hostFilter: 'name=h1' },
  ])
  const local = 'ansible_connection: local'
  await insert(app, hosts, [
    ...['h1', 'h2', 'h3', 'h4'].map((name, index) => ({
      id: 3 + index,
      name,
      inventoryId: 3,
      variables: local,
      ...mine,
    })),
    { id: 7, name: 'hdis', inventoryId: 3, enabled: false },
    { id: 8, name: 'other', inventoryId: 4 },
  ])
  await insert(
    app,
    groups,
    ['web', 'db', 'site'].map((name, index) => ({
      id: 1 + index,
      name,
      inventoryId: 3,
      variables: `g: ${name}`,
      ...mine,
    })),
  )
  await db.insert(groupHosts).values([
    { groupId: 1, hostId: 3 },
    { groupId: 1, hostId: 4 },
    { groupId: 2, hostId: 5 },
  ])
  await db.insert(groupChildren).values([
    { parentId: 3, childId: 1 },
    { parentId: 3, childId: 2 },
  ])
  await restartIds(app, [organizations, credentials, instanceGroups, inventories, hosts, groups], 1000)
}

async function insertTemplates(app: TestApp): Promise<void> {
  const { db } = app.store
  const git = { scmType: 'git', scmUrl: 'file:///srv/fixture/git/repo.git', scmBranch: 'main', allowOverride: true }
  const [environment] = await db.select().from(executionEnvironments).where(eq(executionEnvironments.managed, false))
  const executionEnvironmentId = environment?.id ?? 0
  await insert(app, projects, [
    { id: 8, name: 'p1', organizationId: 1, localPath: 'p1', status: 'ok' },
    {
      id: 12,
      name: 'rec-git',
      organizationId: 2,
      ...git,
      status: 'successful',
      playbookFiles: ['ok.yml'],
      defaultEnvironmentId: 1,
      ...mine,
    },
    { id: 15, name: 'rec-manual', organizationId: 2, localPath: 'rec-m', status: 'ok', ...mine },
  ])
  const common = { organizationId: 2, inventoryId: 3, projectId: 15, playbook: 'ok.yml', ...mine }
  const asks = Object.fromEntries(Object.values(promptFlags).map((flag) => [camelCase(flag), true]))
  await insert(app, jobTemplates, [
    { id: 16, name: 'rec-ok', description: 'plain', executionEnvironmentId, ...common },
    { id: 17, name: 'rec-fail', ...common },
    { id: 19, name: 'rec-active', ...common },
    { id: 22, name: 'rec-survey', surveyEnabled: true, surveySpec: survey, ...common },
    { id: 24, name: 'rec-callback', ...common },
    { id: 25, name: 'rec-pw', ...common },
    { id: 31, name: 'rec-nobranch', ...common },
    { id: 32, name: 'rec-prompt', limit: 'h1', extraVars: 'x: 1', ...asks, ...common },
  ])
  await db.execute(sql`SELECT setval('unified_job_template_id_seq', 1000)`)
  await db.insert(jobTemplateCredentials).values([
    { jobTemplateId: 16, credentialId: 17 },
    { jobTemplateId: 16, credentialId: 7 },
    { jobTemplateId: 25, credentialId: 8 },
    { jobTemplateId: 25, credentialId: 11 },
    { jobTemplateId: 32, credentialId: 7 },
  ])
}

/** `admin` made it. */
const mine = { createdById: 1, modifiedById: 1 }

const question = (variable: string, more: Values) => ({
  ...{ question_name: `Q ${variable}`, question_description: 'd', variable, required: false, choices: '', ...more },
})
const survey = {
  name: '',
  description: '',
  spec: [
    question('s_text', { type: 'text', required: true, min: 2, max: 5, default: '' }),
    question('s_area', { type: 'textarea', default: 'x' }),
    question('s_int', { type: 'integer', min: 1, max: 9, default: 3 }),
    question('s_float', { type: 'float', default: 1.5 }),
    question('s_mc', { type: 'multiplechoice', choices: ['a', 'b'], default: 'a' }),
    question('s_ms', { type: 'multiselect', choices: ['a', 'b', 'c'] }),
  ],
}

async function insertJobs(app: TestApp): Promise<void> {
  const { db } = app.store
  const started = '2026-11-21T13:17:15.881572Z'
  const finished = '2026-11-21T13:17:25.728340Z'
  const done = { started, finished, elapsed: 9.847, eventsEmitted: 3, eventsStored: 3 }
  const job = (id: number, templateId: number, name: string, more: Values) => ({
    ...{ id, name, type: 'job', unifiedJobTemplateId: templateId, jobTemplateId: templateId, organizationId: 2 },
    ...{ inventoryId: 3, projectId: 15, playbook: 'ok.yml', executionEnvironmentId: 1, instanceGroupId: 5 },
    ...{ createdById: 1, ...more },
  })
  await insert(app, unifiedJobs, [
    job(47, 16, 'rec-ok', {
      status: 'successful',
      hostStatusCounts: { changed: 4 },
      playCount: 1,
      taskCount: 3,
      ...done,
    }),
    job(48, 17, 'rec-fail', { status: 'failed', failed: true, ...done }),
    job(54, 17, 'rec-fail', { status: 'failed', failed: true, ...done, eventsEmitted: 0, eventsStored: 0 }),
    job(100, 32, 'rec-prompt', { status: 'running', started, projectId: null, instanceGroupId: null }),
    job(101, 32, 'rec-prompt', { status: 'running', started, projectId: null, instanceGroupId: null }),
    job(103, 24, 'rec-callback', { status: 'running', started }),
    job(104, 19, 'rec-active', { status: 'running', started }),
    {
      ...{
        id: 70,
        type: 'project_update',
        name: 'rec-git',
        unifiedJobTemplateId: 12,
        projectId: 12,
        organizationId: 2,
      },
      ...{ status: 'successful', jobType: 'check', scmType: 'git', localPath: '_12__rec_git', createdById: 1 },
      ...{ executionEnvironmentId: 2, instanceGroupId: 1, ...done },
    },
  ])
  await db.insert(unifiedJobCredentials).values([7, 17].map((credentialId) => ({ jobId: 47, credentialId })))
  await insert(
    app,
    jobEvents,
    [47, 48, 70].flatMap((jobId) => eventsOf(jobId)),
  )
  await insert(app, jobHostSummaries, [
    ...['h1', 'h2', 'h3', 'h4'].map((hostName, index) => ({
      jobId: 47,
      hostName,
      hostId: 3 + index,
      ok: 2,
      changed: 1,
    })),
    ...['h2', 'h1', 'h4', 'h3'].map((hostName) => ({ jobId: 48, hostName, failures: 1, failed: true })),
  ])
  await db.update(hosts).set({ lastJobId: 47, lastJobHostSummaryId: 1 }).where(eq(hosts.id, 3))
  await db.update(jobTemplates).set({ lastJobId: 47, status: 'successful' }).where(eq(jobTemplates.id, 16))
  await db.update(projects).set({ lastJobId: 70, nextScheduleId: 6 }).where(eq(projects.id, 12))
  await restartIds(app, [unifiedJobs], 1000)
}

function eventsOf(jobId: number): Values[] {
  const event = (
    counter: number,
    kind: string,
    stdout: string,
    startLine: number,
    endLine: number,
    more: Values = {},
  ) => ({
    ...{ jobId, counter, event: kind, uuid: `${jobId}-${counter}`, stdout, startLine, endLine, eventData: {}, ...more },
  })
  return [
    event(1, 'playbook_on_start', '', 0, 0),
    event(2, 'runner_on_ok', '\u001b[0;32mok: [h1]\u001b[0m', 0, 1, {
      hostName: 'h1',
      hostId: jobId === 47 ? 3 : null,
      task: 'say',
    }),
    event(3, 'playbook_on_stats', '\r\nPLAY RECAP', 1, 3),
  ]
}

async function restartIds(app: TestApp, tables: PgTable[], first: number): Promise<void> {
  for (const table of tables)
    await app.store.db.execute(sql`ALTER TABLE ${table} ALTER COLUMN id RESTART WITH ${sql.raw(String(first))}`)
}
