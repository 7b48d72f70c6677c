import { eq, inArray } from 'drizzle-orm'
import { describe, expect, test } from 'vitest'
import { FencedError } from '../fence.ts'
import { credentials, credentialTypes } from '../schema/catalog.ts'
import { inventories } from '../schema/inventory.ts'
import { unifiedJobCredentials, unifiedJobs } from '../schema/jobs.ts'
import { jobTemplateCredentials, jobTemplates, projects } from '../schema/templates.ts'
import { inventorySources, systemJobTemplates } from '../schema/updates.ts'
import { workflowJobTemplateNodeCredentials, workflowJobTemplateNodes } from '../schema/workflows.ts'
import { storeKinds } from '../testing.ts'
import { runsForTests } from './testing-runs.ts'

describe.each(storeKinds)('advancing workflow jobs on %s', (kind) => {
  const runs = runsForTests(kind)
  const { id, makePlay, makeWorkflow, launch, begin, step, shown, jobOf, end, statusOf, messages } = runs

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

  test('prompts: the workflow’s over the node’s, what the template does not ask for is dropped, credentials join by type', async () => {
    const { db } = runs.store
    const type = { kind: 'cloud', managed: false, inputs: {}, injectors: {} }
    const types = await db
      .insert(credentialTypes)
      .values([
        { ...type, name: 'one' },
        { ...type, name: 'two' },
      ])
      .returning()
    const credential = async (name: string, credentialTypeId = 0) =>
      id(await db.insert(credentials).values({ name, credentialTypeId }).returning())
    const own = await credential('own', types[0]?.id)
    const replaced = await credential('replaced', types[1]?.id)
    const given = await credential('given', types[1]?.id)
    const asking = await makePlay({ askLimitOnLaunch: true, askTagsOnLaunch: true, askCredentialOnLaunch: true })
    await db
      .insert(jobTemplateCredentials)
      .values([own, replaced].map((one) => ({ jobTemplateId: asking, credentialId: one })))
    const values = { limit: 'node', jobTags: 'node', verbosity: 4 }
    const template = await makeWorkflow({ a: { template: asking, values } }, [], { limit: 'workflow' })
    const [node] = await db
      .select()
      .from(workflowJobTemplateNodes)
      .where(eq(workflowJobTemplateNodes.workflowJobTemplateId, template))
    await db.insert(workflowJobTemplateNodeCredentials).values({ nodeId: node?.id ?? 0, credentialId: given })
    const run = await launch(template)
    await step(run)
    const job = await jobOf(run, 'a')
    expect(job).toMatchObject({ limit: 'workflow', jobTags: 'node', verbosity: 0, jobExplanation: '' })
    const attached = await db.select().from(unifiedJobCredentials).where(eq(unifiedJobCredentials.jobId, job.id))
    expect(attached.map(({ credentialId }) => credentialId).sort()).toEqual([own, given].sort())
  })

  test('what cannot start fails with AWX’s words, and the run goes on', async () => {
    const broken = await makePlay({ inventoryId: null })
    const self = await makeWorkflow({ again: {} }, [])
    await runs.store.db
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
    const [project] = await runs.store.db.select().from(projects)
    const [inventory] = await runs.store.db.select().from(inventories)
    const source = { name: 'cloud', inventoryId: inventory?.id ?? 0, source: 'ec2' as const }
    const kinds = {
      project_update: { template: project?.id ?? 0, type: 'project' as const },
      inventory_update: {
        template: id(await runs.store.db.insert(inventorySources).values(source).returning()),
        type: 'inventory_source' as const,
      },
      system_job: {
        template: id(
          await runs.store.db.insert(systemJobTemplates).values({ name: 'clean', jobType: 'cleanup_jobs' }).returning(),
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
    const made = await runs.store.db.select().from(unifiedJobs).where(inArray(unifiedJobs.id, ids))
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
    await runs.store.db.delete(jobTemplates).where(eq(jobTemplates.id, doomed))
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
    const slices = await runs.store.db.select().from(unifiedJobs).where(eq(unifiedJobs.workflowJobId, job.id))
    expect(slices.map(({ jobSliceNumber }) => jobSliceNumber).sort()).toEqual([1, 2, 3, 4, 5])
    expect(slices).toMatchObject(slices.map(() => ({ jobSliceCount: 5, allowSimultaneous: true, type: 'job' })))
  })

  test('5,000 nodes: steps make a bounded number of jobs, and go on where the one before ended', async () => {
    const names = Array.from({ length: 5000 }, (_, index) => `n${index}`)
    const workflowJobTemplateId = await makeWorkflow({}, [])
    for (let start = 0; start < names.length; start += 1000) {
      await runs.store.db.insert(workflowJobTemplateNodes).values(
        names.slice(start, start + 1000).map((identifier) => ({
          workflowJobTemplateId,
          identifier,
          unifiedJobTemplateId: runs.play,
          templateType: 'job_template' as const,
        })),
      )
    }
    const run = await launch(workflowJobTemplateId)
    const first = await step(run)
    expect([first.starts.length, first.more, first.nodes]).toEqual([50, true, 5000])
    const second = await step(run, { most: 1, startedUpTo: first.starts.at(-1)?.jobId ?? 0 })
    expect(second).toMatchObject({ starts: [{ jobId: expect.any(Number) }], more: true, nodes: 5000 })
    expect(first.starts.map(({ jobId }) => jobId)).not.toContain(second.starts[0]?.jobId)
  })
})
