import { eq, sql } from 'drizzle-orm'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { NotificationList } from '../../model/notifications/types.ts'
import { deleteOldNotifications } from '../cleanup/notifications.ts'
import type { Store } from '../database.ts'
import { restartJob, transitionJob } from '../job-status.ts'
import { insertJob } from '../launch/insert-job.ts'
import { organizations } from '../schema/catalog.ts'
import { inventories } from '../schema/inventory.ts'
import { jobHostSummaries, unifiedJobs } from '../schema/jobs.ts'
import { notificationAttachments, notifications, notificationTemplates } from '../schema/notifications.ts'
import { outbox } from '../schema/runtime.ts'
import { jobTemplates, projects } from '../schema/templates.ts'
import { workflowJobTemplates } from '../schema/workflows.ts'
import { storeKinds, testStore } from '../testing.ts'
import {
  giveUpAbandoned,
  notificationFailed,
  notificationGivenUp,
  notificationSent,
  readDelivery,
  writeMessage,
} from './deliveries.ts'

describe.each(storeKinds)('notifications of jobs (%s)', (kind) => {
  let store: Store
  const ids = { organization: 0, project: 0, template: 0, workflow: 0, inventory: 0 }
  const nt: Record<string, number> = {}

  beforeAll(async () => {
    store = await testStore(kind)
    const { db } = store
    const one = <Row>([row]: Row[]): Row => row ?? expect.fail('no row')
    ids.organization = one(await db.insert(organizations).values({ name: 'news' }).returning()).id
    const owned = { name: 'news', organizationId: ids.organization }
    ids.inventory = one(await db.insert(inventories).values(owned).returning()).id
    ids.project = one(await db.insert(projects).values(owned).returning()).id
    ids.template = one(
      await db
        .insert(jobTemplates)
        .values({ ...owned, projectId: ids.project })
        .returning(),
    ).id
    ids.workflow = one(await db.insert(workflowJobTemplates).values(owned).returning()).id
    const configuration = { url: 'http://127.0.0.1/', headers: {} }
    const attach = async (name: string, list: NotificationList, to: object) => {
      const values = { ...owned, name, notificationType: 'webhook' as const, notificationConfiguration: configuration }
      nt[name] = one(await db.insert(notificationTemplates).values(values).returning()).id
      await db.insert(notificationAttachments).values({ notificationTemplateId: nt[name], list, ...to })
    }
    await attach('template started', 'started', { jobTemplateId: ids.template })
    await attach('template success', 'success', { jobTemplateId: ids.template })
    await attach('project error', 'error', { projectId: ids.project })
    await attach('organization error', 'error', { organizationId: ids.organization })
    await attach('organization success', 'success', { organizationId: ids.organization })
    await attach('approvals', 'approvals', { workflowJobTemplateId: ids.workflow })
    // Attached twice, told once.
    const twice = { notificationTemplateId: nt['template success'] ?? 0, list: 'success' as const }
    await db.insert(notificationAttachments).values({ ...twice, organizationId: ids.organization })
  })
  afterAll(() => store.close())
  beforeEach(async () => {
    await store.db.delete(notifications)
    await store.db.delete(outbox)
  })

  const playbookJob = () =>
    insertJob(
      store.db,
      {
        ...{ type: 'job', name: 'news', organizationId: ids.organization, inventoryId: ids.inventory },
        ...{ jobTemplateId: ids.template, unifiedJobTemplateId: ids.template, projectId: ids.project },
      },
      [],
    )
  const told = async () => {
    const rows = await store.db.select().from(notifications).orderBy(notifications.id)
    const names = new Map(Object.entries(nt).map(([name, id]) => [id, name]))
    return rows.map((row) => `${names.get(row.notificationTemplateId)}: ${row.event}`)
  }

  test('the template, the project and the organization are told, each once, and each message is to be sent', async () => {
    const { id } = await playbookJob()
    expect(await told()).toEqual([])
    await transitionJob(store.db, id, 'running')
    await transitionJob(store.db, id, 'running')
    expect(await told()).toEqual(['template started: started'])
    await transitionJob(store.db, id, 'successful')
    await transitionJob(store.db, id, 'failed')
    expect(await told()).toEqual([
      'template started: started',
      'template success: success',
      'organization success: success',
    ])
    const messages = await store.db.select().from(outbox).where(eq(outbox.kind, 'notify'))
    const rows = await store.db.select({ id: notifications.id }).from(notifications)
    expect(messages.map((message) => message.subjectId).toSorted()).toEqual(rows.map((row) => row.id).toSorted())
  })

  test('whatever is no success is an error; a job that starts anew is told of anew', async () => {
    const { id } = await playbookJob()
    await transitionJob(store.db, id, 'canceled')
    expect(await told()).toEqual(['project error: error', 'organization error: error'])
    await restartJob(store.db, id)
    await transitionJob(store.db, id, 'running')
    expect(await told()).toHaveLength(3)
  })

  test('what fails together with its transaction was never told', async () => {
    const { id } = await playbookJob()
    await expect(
      store.db.transaction(async (tx) => {
        await transitionJob(tx, id, 'running')
        throw new Error('undone')
      }),
    ).rejects.toThrow('undone')
    expect(await told()).toEqual([])
  })

  test('project updates and ad hoc commands have their own listeners', async () => {
    const { organization: organizationId, project: projectId, inventory: inventoryId } = ids
    const common = { name: 'x', organizationId }
    const update = await insertJob(store.db, { ...common, type: 'project_update', projectId }, [])
    await transitionJob(store.db, update.id, 'failed')
    expect(await told()).toEqual(['project error: error', 'organization error: error'])
    await store.db.delete(notifications)
    const command = await insertJob(store.db, { name: 'x', type: 'ad_hoc_command', inventoryId }, [])
    await transitionJob(store.db, command.id, 'failed')
    expect(await told()).toEqual(['organization error: error'])
  })

  test('an approval asks for review when it is made, and says how it was decided', async () => {
    const common = { name: 'gate', organizationId: ids.organization }
    const workflow = await insertJob(
      store.db,
      { ...common, type: 'workflow_job', workflowJobTemplateId: ids.workflow },
      [],
    )
    const ask = async () => {
      const made = await insertJob(store.db, { ...common, type: 'workflow_approval', workflowJobId: workflow.id }, [])
      return (await transitionJob(store.db, made.id, 'waiting')).job
    }
    await transitionJob(store.db, (await ask()).id, 'successful')
    await transitionJob(store.db, (await ask()).id, 'failed')
    const late = await ask()
    await store.db.update(unifiedJobs).set({ timedOut: true }).where(eq(unifiedJobs.id, late.id))
    await transitionJob(store.db, late.id, 'failed')
    expect(await told()).toEqual(
      ['running', 'approved', 'running', 'denied', 'running', 'timed_out'].map((event) => `approvals: ${event}`),
    )
    const [row] = await store.db.select().from(notifications).limit(1)
    const delivery = await readDelivery(store.db, row?.id ?? 0)
    const written = await writeMessage(store.db, delivery ?? expect.fail('none'), 'http://m')
    expect(written?.notification.body).toContain(`#/jobs/workflow/${workflow.id}`)
  })

  test('a message tells of the job as it was, and is written once', async () => {
    const { id } = await playbookJob()
    await transitionJob(store.db, id, 'running')
    await store.db.insert(jobHostSummaries).values({ jobId: id, hostName: 'h1', ok: 2 })
    await transitionJob(store.db, id, 'successful', { hostStatusCounts: { ok: 1 } })
    const rows = await store.db.select().from(notifications).orderBy(notifications.id)
    const write = async (at: number) => {
      const delivery = await readDelivery(store.db, rows[at]?.id ?? 0)
      return (await writeMessage(store.db, delivery ?? expect.fail('none'), 'http://m'))?.notification
    }
    const started = JSON.parse(String((await write(0))?.body))
    expect(started).toMatchObject({
      id,
      status: 'running',
      finished: null,
      hosts: {},
      inventory: 'news',
      project: 'news',
    })
    const ended = JSON.parse(String((await write(1))?.body))
    expect(ended).toMatchObject({ status: 'successful', url: `http://m/#/jobs/playbook/${id}`, created_by: 'None' })
    expect(ended.hosts).toEqual({
      h1: { failed: false, changed: 0, dark: 0, failures: 0, ok: 2, processed: 0, skipped: 0, rescued: 0, ignored: 0 },
    })
    await store.db.delete(unifiedJobs).where(eq(unifiedJobs.id, id))
    expect(JSON.parse(String((await write(1))?.body))).toEqual(ended)
    expect(await write(2)).toBe(undefined)
  })

  test('what nobody delivers any more is given up long after, unless it is still to be sent', async () => {
    const { id } = await playbookJob()
    await transitionJob(store.db, id, 'running')
    const set = async (tries: number, hours: number) =>
      store.db.update(notifications).set({ tries, modified: sql`now() - make_interval(hours => ${hours})` })
    await set(1, 25)
    expect(await giveUpAbandoned(store.db)).toBe(0)
    await store.db.delete(outbox)
    await set(1, 1)
    expect(await giveUpAbandoned(store.db)).toBe(0)
    await set(0, 3)
    expect(await giveUpAbandoned(store.db)).toBe(0)
    await set(1, 3)
    expect(await giveUpAbandoned(store.db)).toBe(1)
    const [row] = await store.db.select().from(notifications)
    expect(row).toMatchObject({ status: 'failed', error: 'Its workflow was terminated in Temporal.' })
  })

  test('what was told long ago is cleaned away, unless it is still to be delivered', async () => {
    const { id } = await playbookJob()
    await transitionJob(store.db, id, 'running')
    await transitionJob(store.db, id, 'successful')
    const rows = await store.db.select().from(notifications).orderBy(notifications.id)
    await store.db.update(notifications).set({ created: sql`now() - interval '40 days'`, status: 'successful' })
    await store.db
      .update(notifications)
      .set({ status: 'pending' })
      .where(eq(notifications.id, rows[0]?.id ?? 0))
    await store.db
      .update(notifications)
      .set({ created: sql`now()` })
      .where(eq(notifications.id, rows[1]?.id ?? 0))
    const before = new Date(Date.now() - 30 * 86_400_000).toISOString()
    const { signal } = new AbortController()
    const counted = await deleteOldNotifications(store.db, before, { dryRun: true, signal })
    expect(await told()).toHaveLength(3)
    expect(await deleteOldNotifications(store.db, before, { dryRun: false, signal })).toEqual(counted)
    expect(counted).toEqual({ deleted: 1, skipped: 1 })
    expect(await told()).toHaveLength(2)
  })

  test('how it ended is said once; the last reason stays', async () => {
    const { id } = await playbookJob()
    await transitionJob(store.db, id, 'running')
    const read = async () => (await store.db.select().from(notifications))[0] ?? expect.fail('none')
    const notification = await read()
    await notificationFailed(store.db, notification.id, 'refused', false)
    expect(await read()).toMatchObject({ status: 'pending', error: 'refused' })
    await notificationGivenUp(store.db, notification.id, 'no answer')
    expect(await read()).toMatchObject({ status: 'failed', error: 'refused' })
    await notificationSent(store.db, notification.id, 1)
    expect(await read()).toMatchObject({ status: 'successful', error: '', notificationsSent: 1 })
    await notificationFailed(store.db, notification.id, 'late', true)
    expect(await read()).toMatchObject({ status: 'successful', error: '' })
  })
})
