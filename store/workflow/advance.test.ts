import { randomBytes } from 'node:crypto'
import { and, asc, eq, inArray } from 'drizzle-orm'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { FinalStatus } from '../../model/job.ts'
import type { EdgeKind } from '../../model/workflow/graph.ts'
import { cancelJob } from '../cancel-job.ts'
import type { Store } from '../database.ts'
import { FencedError } from '../fence.ts'
import { type JobRow, transitionJob } from '../job-status.ts'
import { decideWorkflowLaunch, makeLaunchedWorkflowJob } from '../launch/workflow-template.ts'
import { instanceGroups, organizations } from '../schema/catalog.ts'
import { hosts, inventories } from '../schema/inventory.ts'
import { unifiedJobs } from '../schema/jobs.ts'
import { outbox } from '../schema/runtime.ts'
import { jobTemplates, projects } from '../schema/templates.ts'
import { inventorySources, systemJobTemplates } from '../schema/updates.ts'
import { workflowJobNodes } from '../schema/workflow-jobs.ts'
import {
  type NodeTemplateType,
  workflowApprovalTemplates,
  workflowJobTemplateEdges,
  workflowJobTemplateNodes,
  workflowJobTemplates,
} from '../schema/workflows.ts'
import { type Keyring, loadKeyring } from '../secrets.ts'
import { storeKinds, testStore } from '../testing.ts'
import { advanceWorkflow } from './advance.ts'
import { decideApproval } from './approve.ts'
import { continueRun, restartRun } from './continue.ts'
import { NotNowError, retryNode, setPaused, skipNode } from './operate.ts'

interface NodeOf {
  template?: number | null
  type?: NodeTemplateType
  all?: boolean
  values?: Partial<typeof workflowJobTemplateNodes.$inferInsert>
}

describe.each(storeKinds)('advancing workflow jobs on %s', (kind) => {
  let store: Store
  let keyring: Keyring
  let play: number
  let inventoryId: number
  beforeAll(async () => {
    store = await testStore(kind)
    keyring = await loadKeyring({ MAYFLY_SECRET_KEY: randomBytes(32).toString('base64') })
    const organizationId = id(await store.db.insert(organizations).values({ name: 'home' }).returning())
    inventoryId = id(await store.db.insert(inventories).values({ name: 'hosts', organizationId }).returning())
    await store.db
      .insert(hosts)
      .values(Array.from({ length: 5 }, (_, index) => ({ name: `host${index}`, inventoryId, enabled: index > 0 })))
    play = await makePlay({})
    await store.db.insert(instanceGroups).values({ name: 'default', isContainerGroup: true }).onConflictDoNothing()
  })
  afterAll(() => store.close())

  const id = ([row]: { id: number }[]): number => {
    if (row === undefined) throw new Error('no row')
    return row.id
  }
  const makePlay = async (values: Partial<typeof jobTemplates.$inferInsert>) => {
    const projectId = id(await store.db.insert(projects).values({ name: 'site', status: 'successful' }).returning())
    const play = { name: 'deploy', inventoryId, projectId, playbook: 'site.yml', allowSimultaneous: true }
    return id(
      await store.db
        .insert(jobTemplates)
        .values({ ...play, ...values })
        .returning(),
    )
  }
  const makeWorkflow = async (
    nodes: Record<string, NodeOf>,
    edges: [string, EdgeKind, string][],
    values: Partial<typeof workflowJobTemplates.$inferInsert> = {},
  ) => {
    const workflowJobTemplateId = id(
      await store.db
        .insert(workflowJobTemplates)
        .values({ name: 'release', allowSimultaneous: true, ...values })
        .returning(),
    )
    const ids = new Map<string, number>()
    for (const [identifier, { template = play, type = 'job_template', all = false, values = {} }] of Object.entries(
      nodes,
    )) {
      const node = {
        workflowJobTemplateId,
        identifier,
        unifiedJobTemplateId: template,
        templateType: type,
        allParentsMustConverge: all,
        ...values,
      }
      ids.set(identifier, id(await store.db.insert(workflowJobTemplateNodes).values(node).returning()))
    }
    for (const [parent, kind, child] of edges) {
      const edge = { parentId: ids.get(parent) ?? 0, childId: ids.get(child) ?? 0, kind }
      await store.db.insert(workflowJobTemplateEdges).values(edge)
    }
    return workflowJobTemplateId
  }
  const launch = async (templateId: number, prompts: Parameters<typeof decideWorkflowLaunch>[2] = {}) => {
    const [template] = await store.db.select().from(workflowJobTemplates).where(eq(workflowJobTemplates.id, templateId))
    if (!template) throw new Error('no template')
    const launched = await decideWorkflowLaunch({ db: store.db, keyring }, template, prompts)
    const { decision } = launched
    if (!decision.ok) throw new Error(JSON.stringify(decision.errors))
    const job = await store.db.transaction((tx) =>
      makeLaunchedWorkflowJob(tx, keyring, launched, decision, { launchType: 'manual', createdById: null }),
    )
    return await begin(job.id)
  }
  const begin = async (jobId: number) => {
    await store.db.update(unifiedJobs).set({ runId: 'run' }).where(eq(unifiedJobs.id, jobId))
    return jobId
  }
  const step = async (
    jobId: number,
    more: { most?: number; startedUpTo?: number; runId?: string; cancel?: boolean } = {},
  ) =>
    await store.db.transaction((tx) =>
      advanceWorkflow(tx, keyring, { jobId, runId: 'run', startedUpTo: 0, most: 50, cancel: false, ...more }),
    )
  const nodesOf = async (jobId: number) => {
    const rows = await store.db
      .select()
      .from(workflowJobNodes)
      .leftJoin(unifiedJobs, eq(unifiedJobs.id, workflowJobNodes.jobId))
      .where(eq(workflowJobNodes.workflowJobId, jobId))
      .orderBy(asc(workflowJobNodes.id))
    return new Map(rows.map(({ workflow_job_nodes: node, unified_jobs: job }) => [node.identifier, { node, job }]))
  }
  const shown = async (jobId: number) =>
    Object.fromEntries(
      [...(await nodesOf(jobId))].map(([name, { node, job }]) => [name, node.doNotRun ? 'never' : (job?.status ?? '')]),
    )
  const jobOf = async (jobId: number, node: string): Promise<JobRow> => {
    const job = (await nodesOf(jobId)).get(node)?.job
    if (!job) throw new Error(`node ${node} has no job`)
    return job
  }
  const nodeOf = async (jobId: number, node: string) => (await nodesOf(jobId)).get(node)?.node.id ?? 0
  const end = async (jobId: number, node: string, status: FinalStatus, artifacts: Record<string, unknown> = {}) => {
    const job = await jobOf(jobId, node)
    if (job.type === 'job') await transitionJob(store.db, job.id, 'running')
    await transitionJob(store.db, job.id, status, { artifacts })
  }
  const statusOf = async (jobId: number) =>
    (await store.db.select().from(unifiedJobs).where(eq(unifiedJobs.id, jobId)))[0]
  const messages = async (kind: 'start' | 'progress' | 'cancel', ids: number[]) =>
    (
      await store.db
        .select({ subjectId: outbox.subjectId })
        .from(outbox)
        .where(and(eq(outbox.kind, kind), inArray(outbox.subjectId, ids)))
    ).map(({ subjectId }) => subjectId)

  test('runs a graph step by step, and a step that is repeated changes nothing', async () => {
    const template = await makeWorkflow({ a: {}, ok: {}, bad: {}, after: {} }, [
      ['a', 'success', 'ok'],
      ['a', 'failure', 'bad'],
      ['bad', 'always', 'after'],
    ])
    const run = await launch(template)
    const first = await step(run)
    expect(first.starts.map(({ facts }) => facts)).toMatchObject([{ type: 'job', name: 'deploy', template: 'deploy' }])
    const job = await jobOf(run, 'a')
    expect(job).toMatchObject({ workflowJobId: run, launchType: 'workflow', status: 'pending' })
    expect(await messages('start', [job.id])).toEqual([])
    expect((await step(run)).starts.map(({ jobId }) => jobId)).toEqual([job.id])
    expect((await step(run, { startedUpTo: job.id })).starts).toEqual([])
    expect(await statusOf(run)).toMatchObject({ status: 'running' })
    await end(run, 'a', 'successful')
    expect(await messages('progress', [run])).toEqual([run])
    await step(run)
    expect(await shown(run)).toEqual({ a: 'successful', ok: 'pending', bad: 'never', after: 'never' })
    await end(run, 'ok', 'successful')
    expect((await step(run)).ended).toMatchObject({ status: 'successful', jobExplanation: '' })
    expect((await step(run)).ended).toMatchObject({ status: 'successful' })
  })

  test('fails with AWX’s words when nobody handles a failure, and refuses the step of another run', async () => {
    const run = await launch(await makeWorkflow({ a: {} }, []))
    await step(run)
    await expect(step(run, { runId: 'another' })).rejects.toThrow(FencedError)
    await end(run, 'a', 'error')
    expect((await step(run)).ended).toMatchObject({
      status: 'failed',
      failed: true,
      jobExplanation: 'No error handling paths found, marking workflow as failed',
    })
  })

  test('variables: template, node, artifacts, workflow; the last wins, and hidden ones are sealed', async () => {
    const asking = await makePlay({ askVariablesOnLaunch: true, extraVars: 't: template\nn: template\na: template' })
    const template = await makeWorkflow(
      {
        one: {},
        two: {},
        three: { template: asking, values: { extraData: { n: 'node', a: 'node', w: 'node' } } },
        four: { template: asking },
      },
      [
        ['one', 'success', 'three'],
        ['two', 'always', 'three'],
        ['three', 'success', 'four'],
      ],
      { extraVars: '{"w": "workflow"}' },
    )
    const run = await launch(template)
    await step(run)
    await end(run, 'one', 'successful', { a: 'one', b: 'one' })
    await end(run, 'two', 'failed', { b: 'two' })
    await step(run)
    expect(JSON.parse((await jobOf(run, 'three')).extraVars)).toEqual({
      t: 'template',
      n: 'node',
      a: 'one',
      b: 'two',
      w: 'workflow',
    })
    await end(run, 'three', 'successful', { token: 'h1dden', _ansible_no_log: true })
    await step(run)
    const four = await jobOf(run, 'four')
    expect(JSON.parse(four.extraVars)).toMatchObject({ token: '$encrypted$', a: '$encrypted$', w: 'workflow' })
    expect(JSON.stringify(four)).not.toContain('h1dden')
    expect(four.launchSecrets).not.toBeNull()
  })

  test('what cannot start fails with AWX’s words, and the run goes on', async () => {
    const broken = await makePlay({ inventoryId: null })
    const self = await makeWorkflow({ again: {} }, [])
    await store.db
      .update(workflowJobTemplateNodes)
      .set({ unifiedJobTemplateId: self, templateType: 'workflow_job_template' })
      .where(eq(workflowJobTemplateNodes.workflowJobTemplateId, self))
    const run = await launch(
      await makeWorkflow(
        {
          broken: { template: broken },
          gone: { template: null },
          nested: { template: self, type: 'workflow_job_template' },
          after: {},
        },
        [
          ['broken', 'failure', 'after'],
          ['gone', 'always', 'after'],
        ],
      ),
    )
    await step(run)
    expect(await jobOf(run, 'broken')).toMatchObject({
      status: 'failed',
      jobExplanation:
        'Job spawned from workflow could not start because it was missing a related resource such as project or inventory',
    })
    expect(await jobOf(run, 'after')).toMatchObject({ status: 'pending' })
    const nested = await begin((await jobOf(run, 'nested')).id)
    await step(nested)
    expect(await jobOf(nested, 'again')).toMatchObject({
      status: 'failed',
      jobExplanation: `Workflow Job spawned from workflow could not start because it would result in recursion (spawn order, most recent first: <release-${self}>, <release-${self}>, <release-${(await statusOf(run))?.workflowJobTemplateId}>)`,
    })
    expect((await step(nested)).ended).toMatchObject({ status: 'failed' })
  })

  test('nodes of every kind get a job of their kind', async () => {
    const [project] = await store.db.select().from(projects)
    const [inventory] = await store.db.select().from(inventories)
    const source = { name: 'cloud', inventoryId: inventory?.id ?? 0, source: 'ec2' as const }
    const kinds = {
      project_update: { template: project?.id ?? 0, type: 'project' as const },
      inventory_update: {
        template: id(await store.db.insert(inventorySources).values(source).returning()),
        type: 'inventory_source' as const,
      },
      system_job: {
        template: id(
          await store.db.insert(systemJobTemplates).values({ name: 'clean', jobType: 'cleanup_jobs' }).returning(),
        ),
        type: 'system_job_template' as const,
        values: { extraData: { days: 3 } },
      },
    }
    const run = await launch(await makeWorkflow(kinds, []))
    const { starts } = await step(run)
    expect(starts.map(({ facts }) => facts.type).sort()).toEqual(Object.keys(kinds).sort())
    expect(await jobOf(run, 'system_job')).toMatchObject({ extraVars: '{"days": 3}', launchType: 'workflow' })
    const ids = starts.map(({ jobId }) => jobId)
    expect(await messages('start', ids)).toEqual([])
    const made = await store.db.select().from(unifiedJobs).where(inArray(unifiedJobs.id, ids))
    expect(made.map(({ workflowJobId }) => workflowJobId)).toEqual([run, run, run])
  })

  test('a template that was deleted while the run waited counts as a failure', async () => {
    const doomed = await makePlay({})
    const run = await launch(
      await makeWorkflow({ a: {}, b: { template: doomed }, c: {} }, [
        ['a', 'success', 'b'],
        ['b', 'failure', 'c'],
      ]),
    )
    await step(run)
    await store.db.delete(jobTemplates).where(eq(jobTemplates.id, doomed))
    await end(run, 'a', 'successful')
    await step(run)
    expect(await shown(run)).toEqual({ a: 'successful', b: '', c: 'pending' })
    await end(run, 'c', 'successful')
    expect((await step(run)).ended).toMatchObject({ status: 'successful' })
  })

  test('a sliced node becomes a workflow job of slices, and every slice knows its number', async () => {
    const sliced = await makePlay({ jobSliceCount: 9 })
    const run = await launch(await makeWorkflow({ a: { template: sliced } }, []))
    await step(run)
    const job = await jobOf(run, 'a')
    expect(job).toMatchObject({
      type: 'workflow_job',
      isSlicedJob: true,
      jobTemplateId: sliced,
      workflowJobTemplateId: null,
    })
    await begin(job.id)
    const { starts } = await step(job.id)
    expect(starts).toHaveLength(5)
    const slices = await store.db.select().from(unifiedJobs).where(eq(unifiedJobs.workflowJobId, job.id))
    expect(slices.map(({ jobSliceNumber }) => jobSliceNumber).sort()).toEqual([1, 2, 3, 4, 5])
    expect(slices).toMatchObject(slices.map(() => ({ jobSliceCount: 5, allowSimultaneous: true, type: 'job' })))
  })

  test('cancel: nothing new is made, what nobody has begun ends at once, the rest is asked to end', async () => {
    const run = await launch(await makeWorkflow({ a: {}, b: {}, c: {} }, [['a', 'always', 'c']]))
    await step(run)
    const [begun, unbegun] = [await jobOf(run, 'a'), await jobOf(run, 'b')]
    await store.db.update(unifiedJobs).set({ runId: 'child' }).where(eq(unifiedJobs.id, begun.id))
    const canceling = await step(run, { cancel: true })
    expect(canceling.cancel).toEqual([begun.id, unbegun.id])
    for (const one of canceling.cancel) await store.db.transaction((tx) => cancelJob(tx, one))
    expect((await step(run)).cancel).toEqual([])
    expect(await shown(run)).toEqual({ a: 'pending', b: 'canceled', c: 'never' })
    await end(run, 'a', 'canceled')
    expect((await step(run)).ended).toMatchObject({ status: 'canceled' })
  })

  test('a template that allows one at a time: the next waits, says so, and is woken', async () => {
    const template = await makeWorkflow({ a: {} }, [], { allowSimultaneous: false })
    const [first, second] = [await launch(template), await launch(template)]
    await step(first)
    expect(await step(second)).toMatchObject({ blocked: true, starts: [] })
    expect(await statusOf(second)).toMatchObject({
      status: 'pending',
      jobExplanation: `waiting for workflow_job-${first} to finish`,
    })
    await end(first, 'a', 'successful')
    await step(first)
    expect(await messages('progress', [second])).toEqual([second])
    expect(await step(second)).toMatchObject({ blocked: false, starts: [{}] })
  })

  test('pause and resume; retry and skip of a failed node while the run is active', async () => {
    const template = await makeWorkflow({ a: {}, b: {}, c: {}, slow: {} }, [
      ['a', 'success', 'b'],
      ['b', 'success', 'c'],
    ])
    const run = await launch(template)
    await step(run)
    await setPaused(store.db, run, true)
    await end(run, 'a', 'failed')
    await step(run)
    expect(await shown(run)).toMatchObject({ a: 'failed', b: 'never', c: 'never' })
    const failed = await jobOf(run, 'a')
    await retryNode(store.db, await nodeOf(run, 'a'))
    expect((await step(run)).ended).toBeNull()
    expect(await shown(run)).toMatchObject({ a: '', b: '', c: '' })
    await setPaused(store.db, run, false)
    expect((await step(run)).starts).toHaveLength(2)
    expect((await nodesOf(run)).get('a')?.node.earlierJobs).toEqual([failed.id])
    await expect(retryNode(store.db, await nodeOf(run, 'a'))).rejects.toThrow(NotNowError)
    await end(run, 'a', 'failed')
    await step(run)
    await skipNode(store.db, await nodeOf(run, 'a'))
    await step(run)
    expect(await shown(run)).toMatchObject({ a: 'failed', b: 'pending', c: '' })
    await end(run, 'b', 'successful')
    await step(run)
    await end(run, 'c', 'successful')
    await end(run, 'slow', 'successful')
    expect((await step(run)).ended).toMatchObject({ status: 'successful' })
    await expect(setPaused(store.db, run, true)).rejects.toThrow(/continue/)
  })

  test('continue: a new run takes over what succeeded, with other variables; a Reset does so in place', async () => {
    const template = await makeWorkflow(
      { a: {}, b: {}, c: {}, oops: {}, d: {} },
      [
        ['a', 'success', 'b'],
        ['b', 'success', 'c'],
        ['b', 'failure', 'oops'],
        ['oops', 'success', 'd'],
      ],
      { extraVars: '{"x": 1, "y": 1}' },
    )
    const run = await launch(template)
    await step(run)
    await end(run, 'a', 'successful', { made: 'by a' })
    await step(run)
    await end(run, 'b', 'failed')
    await step(run)
    await end(run, 'oops', 'successful')
    await step(run)
    await end(run, 'd', 'failed')
    expect((await step(run)).ended).toMatchObject({ status: 'failed' })
    const [row] = await store.db.select().from(unifiedJobs).where(eq(unifiedJobs.id, run))
    const next = await store.db.transaction((tx) =>
      continueRun(tx, row as JobRow, { keyring, createdById: null, extraVars: { y: 2 }, answers: {}, passwords: {} }),
    )
    await begin(next.id)
    expect(next).toMatchObject({ continuedFromId: run, launchType: 'relaunch', status: 'pending' })
    await step(next.id)
    expect(await shown(next.id)).toEqual({ a: 'successful', b: 'pending', c: '', oops: '', d: '' })
    expect((await jobOf(next.id, 'a')).id).toBe((await jobOf(run, 'a')).id)
    expect(JSON.parse((await jobOf(next.id, 'b')).extraVars)).toEqual({ made: 'by a', x: 1, y: 2 })
    await end(next.id, 'b', 'successful')
    await step(next.id)
    expect(await shown(next.id)).toEqual({ a: 'successful', b: 'successful', c: 'pending', oops: 'never', d: 'never' })

    await store.db.transaction((tx) => restartRun(tx, run))
    await step(run)
    expect(await shown(run)).toEqual({ a: 'successful', b: 'pending', c: '', oops: '', d: '' })
  })

  test('approvals: one decision wins, and an early end of the time does not count', async () => {
    const approvalTemplate = id(
      await store.db.insert(workflowApprovalTemplates).values({ name: 'go?', timeout: 60 }).returning(),
    )
    const run = await launch(
      await makeWorkflow(
        {
          go: { template: approvalTemplate, type: 'workflow_approval_template' },
          late: { template: approvalTemplate, type: 'workflow_approval_template' },
        },
        [],
      ),
    )
    await step(run)
    const [go, late] = [await jobOf(run, 'go'), await jobOf(run, 'late')]
    expect(go).toMatchObject({ type: 'workflow_approval', status: 'pending', started: go.created })
    expect(Date.parse(go.approvalExpiration ?? '') - Date.parse(go.created)).toBe(60_000)
    expect(await decideApproval(store.db, go.id, { decision: 'expire' })).toBe(false)
    expect(await decideApproval(store.db, go.id, { decision: 'approve', userId: null })).toBe(true)
    expect(await decideApproval(store.db, go.id, { decision: 'deny', userId: null })).toBe(false)
    await store.db.update(unifiedJobs).set({ approvalExpiration: go.created }).where(eq(unifiedJobs.id, late.id))
    expect(await decideApproval(store.db, late.id, { decision: 'expire' })).toBe(true)
    expect(await jobOf(run, 'late')).toMatchObject({
      status: 'failed',
      timedOut: true,
      jobExplanation: `The approval node go? (${late.id}) has expired after 60 seconds.`,
    })
    expect((await step(run)).ended).toMatchObject({ status: 'failed' })
  })

  test('5,000 nodes: steps make a bounded number of jobs, and finding what is next takes milliseconds', async () => {
    const names = Array.from({ length: 5000 }, (_, index) => `n${index}`)
    const workflowJobTemplateId = await makeWorkflow({}, [])
    for (let start = 0; start < names.length; start += 1000) {
      await store.db.insert(workflowJobTemplateNodes).values(
        names.slice(start, start + 1000).map((identifier) => ({
          workflowJobTemplateId,
          identifier,
          unifiedJobTemplateId: play,
          templateType: 'job_template' as const,
        })),
      )
    }
    const run = await launch(workflowJobTemplateId)
    const first = await step(run)
    expect([first.starts.length, first.more, first.nodes]).toEqual([50, true, 5000])
    const begun = performance.now()
    await step(run, { most: 1, startedUpTo: first.starts.at(-1)?.jobId ?? 0 })
    expect(performance.now() - begun).toBeLessThan(kind === 'postgres' ? 1000 : 5000)
  })
})
