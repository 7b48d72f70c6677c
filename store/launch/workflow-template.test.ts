import { randomBytes } from 'node:crypto'
import { eq, sql } from 'drizzle-orm'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Store } from '../database.ts'
import { credentials, credentialTypes, organizations } from '../schema/catalog.ts'
import { labels, unifiedJobLabels, workflowJobTemplateLabels } from '../schema/labels.ts'
import { outbox } from '../schema/runtime.ts'
import { jobTemplates } from '../schema/templates.ts'
import { workflowJobEdges, workflowJobNodeCredentials, workflowJobNodes } from '../schema/workflow-jobs.ts'
import {
  workflowJobTemplateEdges,
  workflowJobTemplateNodeCredentials,
  workflowJobTemplateNodes,
  workflowJobTemplates,
} from '../schema/workflows.ts'
import { type Keyring, launchContext, loadKeyring, open } from '../secrets.ts'
import { storeKinds, testStore } from '../testing.ts'
import { openAnswers, sealAnswers } from './saved-answers.ts'
import { decideWorkflowLaunch, makeLaunchedWorkflowJob } from './workflow-template.ts'

describe.each(storeKinds)('launching a workflow on %s', (kind) => {
  let store: Store
  let keyring: Keyring
  beforeAll(async () => {
    store = await testStore(kind)
    keyring = await loadKeyring({ MAYFLY_SECRET_KEY: randomBytes(32).toString('base64') })
  })
  afterAll(() => store.close())

  const one = <T>([row]: T[]): T => {
    if (row === undefined) throw new Error('no row')
    return row
  }
  const makeTemplate = async (values: Partial<typeof workflowJobTemplates.$inferInsert> = {}) =>
    one(
      await store.db
        .insert(workflowJobTemplates)
        .values({ name: 'release', ...values })
        .returning(),
    )
  const launch = async (
    template: typeof workflowJobTemplates.$inferSelect,
    prompts: Parameters<typeof decideWorkflowLaunch>[2] = {},
  ) => {
    const launched = await decideWorkflowLaunch({ db: store.db, keyring }, template, prompts)
    const { decision } = launched
    if (!decision.ok) throw new Error(JSON.stringify(decision.errors))
    return await store.db.transaction((tx) =>
      makeLaunchedWorkflowJob(tx, keyring, launched, decision, { launchType: 'manual', createdById: null }),
    )
  }

  test('copies 5,000 nodes with their edges, and starts once', async () => {
    const template = await makeTemplate()
    await store.db.execute(sql`
      INSERT INTO ${workflowJobTemplateNodes} (workflow_job_template_id, identifier, "limit", all_parents_must_converge)
      SELECT ${template.id}, 'n' || i, 'host' || i, i % 2 = 0 FROM generate_series(1, 5000) AS i`)
    await store.db.execute(sql`
      INSERT INTO ${workflowJobTemplateEdges} (parent_id, child_id, kind)
      SELECT parent.id, child.id, 'failure' FROM ${workflowJobTemplateNodes} AS parent
      JOIN ${workflowJobTemplateNodes} AS child ON child.id = parent.id + 1
      WHERE parent.workflow_job_template_id = ${template.id} AND child.workflow_job_template_id = ${template.id}`)
    const job = await launch(template)
    const nodes = await store.db.select().from(workflowJobNodes).where(eq(workflowJobNodes.workflowJobId, job.id))
    expect(nodes).toHaveLength(5000)
    const byIdentifier = new Map(nodes.map((node) => [node.identifier, node]))
    expect(byIdentifier.get('n17')).toMatchObject({ limit: 'host17', allParentsMustConverge: false, jobId: null })
    const edges = await store.db.select().from(workflowJobEdges)
    expect(edges).toHaveLength(4999)
    expect(edges).toContainEqual({
      parentId: byIdentifier.get('n17')?.id,
      childId: byIdentifier.get('n18')?.id,
      kind: 'failure',
    })
    expect(await store.db.select().from(outbox).where(eq(outbox.subjectId, job.id))).toMatchObject([{ kind: 'start' }])
    expect(job).toMatchObject({ type: 'workflow_job', status: 'pending', workflowJobTemplateId: template.id })
  })

  test('keeps what node and launch hide sealed, and gives it to those who run them', async () => {
    const survey = { spec: [{ type: 'password', question_name: 'p', variable: 'pw', required: false }] }
    const template = await makeTemplate({
      surveyEnabled: true,
      surveySpec: survey,
      extraVars: 'a: 1',
      askVariablesOnLaunch: true,
    })
    const target = one(await store.db.insert(jobTemplates).values({ name: 'deploy' }).returning())
    const type = one(
      await store.db
        .insert(credentialTypes)
        .values({ name: `Machine ${kind}`, kind: 'ssh' })
        .returning(),
    )
    const credential = one(
      await store.db.insert(credentials).values({ name: 'key', credentialTypeId: type.id }).returning(),
    )
    const organization = one(await store.db.insert(organizations).values({ name: 'ops' }).returning())
    const label = one(
      await store.db.insert(labels).values({ name: 'night', organizationId: organization.id }).returning(),
    )
    await store.db.insert(workflowJobTemplateLabels).values({ workflowJobTemplateId: template.id, labelId: label.id })
    const node = one(
      await store.db
        .insert(workflowJobTemplateNodes)
        .values({
          workflowJobTemplateId: template.id,
          identifier: 'n1',
          unifiedJobTemplateId: target.id,
          templateType: 'job_template',
          extraData: sealAnswers(keyring, target.id, ['token'], { token: 'hunter2', plain: 'b' }),
        })
        .returning(),
    )
    await store.db.insert(workflowJobTemplateNodeCredentials).values({ nodeId: node.id, credentialId: credential.id })

    const job = await launch(template, { extra_vars: { pw: 'swordfish', b: 2 } })
    const again = await launch(template)
    expect(job.extraVars).toBe('{"a": 1, "pw": "$encrypted$", "b": 2}')
    const stored = await store.db.execute(sql`SELECT to_json(j) AS row FROM unified_jobs j WHERE id = ${job.id}`)
    const text = JSON.stringify(stored)
    expect(text).not.toContain('swordfish')
    const { launchSecrets } = one(
      (stored.rows as { row: { launch_secrets: string } }[]).map(({ row }) => ({ launchSecrets: row.launch_secrets })),
    )
    expect(open(keyring, launchSecrets, launchContext(job.id))).toContain('swordfish')
    expect(await store.db.select().from(unifiedJobLabels).where(eq(unifiedJobLabels.jobId, job.id))).toEqual([
      { jobId: job.id, labelId: label.id },
    ])
    for (const { id } of [job, again]) {
      const copy = one(await store.db.select().from(workflowJobNodes).where(eq(workflowJobNodes.workflowJobId, id)))
      expect(JSON.stringify(copy)).not.toContain('hunter2')
      expect(openAnswers(keyring, target.id, copy.extraData)).toEqual({ token: 'hunter2', plain: 'b' })
      expect(
        await store.db.select().from(workflowJobNodeCredentials).where(eq(workflowJobNodeCredentials.nodeId, copy.id)),
      ).toEqual([{ nodeId: copy.id, credentialId: credential.id }])
    }
  })
})
