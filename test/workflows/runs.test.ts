/** What operators and users do to runs of workflows, and what the engine does on its own: all over HTTP and Temporal, with nodes that need no pod. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { until } from '../../dev/wait.ts'
import { Operator } from '../operator/operator.ts'
import { type Catalog, makeCatalog } from '../setup/catalog.ts'
import { type Mayfly, startMayfly } from '../setup/mayfly.ts'
import { Undo } from '../setup/own-places.ts'
import { type EdgeOf, type NodeOf, Workflows } from '../setup/workflows.ts'

const undo = new Undo()
let mayfly: Mayfly
let catalog: Catalog
let workflows: Workflows
let operator: Operator
/** Successful at once. */
let nothing: NodeOf
/** Failed at once: a manual project cannot be updated. */
let failing: NodeOf

const play = (task: string) => `- hosts: all\n  gather_facts: false\n  tasks: [${task}]\n`

beforeAll(async () => {
  // The reaper is started by hand, so that nothing but the test decides when it runs.
  mayfly = await startMayfly({ env: { MAYFLY_ORPHAN_GRACE: '1', MAYFLY_REAPER_INTERVAL: '86400' } })
  undo.add(() => mayfly.stop())
  workflows = await Workflows.open(mayfly)
  undo.add(() => workflows.close())
  operator = await Operator.open(mayfly)
  undo.add(() => operator.close())
  catalog = await makeCatalog(mayfly, { files: { 'brief.yml': play('{debug: {msg: has begun}}') } })
  nothing = { template: await workflows.template({}, []), type: 'workflow_job_template' }
  const other = await makeCatalog(mayfly, { files: { 'brief.yml': play('{debug: {}}') } })
  failing = { template: other.project, type: 'project' }
})
afterAll(() => undo.all())

const approval = async (timeout = 0): Promise<NodeOf> => ({
  template: await workflows.approvalTemplate('go on?', timeout),
  type: 'workflow_approval_template',
})

async function start(
  nodes: Record<string, NodeOf>,
  edges: EdgeOf[] = [],
  values: Parameters<Workflows['template']>[2] = {},
): Promise<number> {
  return await workflows.launch(await workflows.template(nodes, edges, values))
}

const post = async (path: string, body: object = {}) => await mayfly.api('POST', path, body)
const nodeIs = (run: number, node: string, statuses: string[]) => workflows.jobOf(run, node, statuses)
const nodeId = async (run: number, node: string) => (await workflows.nodes(run)).get(node)?.id
const approve = async (run: number, node: string) => {
  const job = await workflows.jobOf(run, node)
  expect((await post(`/workflow_approvals/${job}/approve/`)).status).toBe(204)
}

test('an approval is approved, denied, or its time is over', async () => {
  const [go, late] = [await approval(), await approval(1)]
  const run = await start({ yes: go, no: go, late, after: nothing, end: nothing }, [
    'yes success after',
    'no failure end',
    'late always end',
  ])
  await approve(run, 'yes')
  const no = await workflows.jobOf(run, 'no')
  expect((await post(`/workflow_approvals/${no}/deny/`)).status).toBe(204)
  expect(await post(`/workflow_approvals/${no}/approve/`)).toMatchObject({
    status: 400,
    body: { error: 'This workflow step has already been approved or denied.' },
  })
  expect(await workflows.ended(run)).toMatchObject({ status: 'successful' })
  const expired = await workflows.jobOf(run, 'late')
  expect(await mayfly.get(`/workflow_approvals/${expired}/`)).toMatchObject({
    status: 'failed',
    timed_out: true,
    job_explanation: `The approval node go on? (${expired}) has expired after 1 seconds.`,
  })
  // A failed approval is a failed workflow in Temporal, an approved one a completed one; the run, which looks at their rows, does not wait for that.
  for (const [job, status] of [
    [expired, 'FAILED'],
    [await workflows.jobOf(run, 'yes'), 'COMPLETED'],
  ] as const) {
    await operator
      .workflow(job)
      .result()
      .catch(() => {})
    expect((await operator.describe(job)).status.name).toBe(status)
  }
})

test('cancel reaches everything below and makes nothing new, from the API as from Temporal', async () => {
  const inner = await workflows.template({ wait: await approval() }, [])
  const nested: NodeOf = { template: inner, type: 'workflow_job_template' }
  for (const cancel of [
    async (run: number) => expect((await post(`/workflow_jobs/${run}/cancel/`)).status).toBe(202),
    (run: number) => operator.cancel(run),
  ]) {
    const run = await start({ wait: await approval(), nested, after: nothing }, ['nested always after'])
    const below = await workflows.jobOf(run, 'nested')
    await workflows.jobOf(below, 'wait')
    await cancel(run)
    expect(await workflows.ended(run)).toMatchObject({ status: 'canceled', failed: true })
    expect(await workflows.statuses(run)).toEqual({ wait: 'canceled', nested: 'canceled', after: 'never' })
    expect(await workflows.statuses(below)).toEqual({ wait: 'canceled' })
  }
})

test('cancel at the very moment when jobs are made and started', async () => {
  const gate = await approval()
  const template = await workflows.template({ a: gate, b: gate, c: gate }, [])
  const runs = await Promise.all(Array.from({ length: 12 }, () => workflows.launch(template)))
  await Promise.all(
    runs.map(async (run, index) => {
      await workflows.jobOf(run, 'c')
      if (index % 2) await post(`/workflow_jobs/${run}/cancel/`)
      else await operator.cancel(run)
      expect(await workflows.ended(run)).toMatchObject({ status: 'canceled' })
      expect(new Set(Object.values(await workflows.statuses(run)))).toEqual(new Set(['canceled']))
    }),
  )
})

test('pause, resume, retry and skip', async () => {
  const run = await start(
    { wait: await approval(), next: failing, rescue: nothing, last: nothing, hold: await approval() },
    ['wait success next', 'next failure rescue', 'next success last'],
  )
  await workflows.jobOf(run, 'wait')
  expect((await post(`/workflow_jobs/${run}/pause/`)).status).toBe(202)
  await approve(run, 'wait')
  await nodeIs(run, 'wait', ['successful'])
  expect(await mayfly.get(`/workflow_jobs/${run}/pause/`)).toEqual({ paused: true })
  expect((await post(`/workflow_jobs/${run}/resume/`)).status).toBe(202)
  const first = await nodeIs(run, 'next', ['failed'])
  await nodeIs(run, 'rescue', ['successful'])
  expect((await post(`/workflow_job_nodes/${await nodeId(run, 'next')}/retry/`)).status).toBe(202)
  await until({ what: 'another job', seconds: 180 }, async () => (await nodeIs(run, 'next', ['failed'])) !== first)
  expect((await post(`/workflow_job_nodes/${await nodeId(run, 'next')}/skip/`)).status).toBe(202)
  await nodeIs(run, 'last', ['successful'])
  expect((await post(`/workflow_job_nodes/${await nodeId(run, 'next')}/skip/`)).body).toEqual({
    detail: 'Only a node whose job has failed can be skipped.',
  })
  await approve(run, 'hold')
  expect(await workflows.ended(run)).toMatchObject({ status: 'successful' })
  expect((await post(`/workflow_jobs/${run}/continue/`)).status).toBe(400)
})

test('continue makes a new run that takes over what succeeded; a Reset in Temporal does so in place', async () => {
  const template = await workflows.template(
    { a: nothing, gate: await approval(), b: nothing },
    ['a success gate', 'gate success b'],
    {
      askVariablesOnLaunch: true,
      extraVars: '{"x": 1}',
    },
  )
  const run = await workflows.launch(template)
  const gate = await workflows.jobOf(run, 'gate')
  await post(`/workflow_approvals/${gate}/deny/`)
  expect(await workflows.ended(run)).toMatchObject({ status: 'failed' })

  const refused = await post(`/workflow_jobs/${run}/continue/`, { extra_vars: 'no: [' })
  expect(refused.status).toBe(400)
  const made = await post(`/workflow_jobs/${run}/continue/`, { extra_vars: { x: 2 } })
  expect(made).toMatchObject({ status: 201, body: { type: 'workflow_job', launch_type: 'relaunch' } })
  const next = Number(made.body.workflow_job)
  await approve(next, 'gate')
  expect(await workflows.ended(next)).toMatchObject({
    status: 'successful',
    continuedFromId: run,
    extraVars: '{"x": 2}',
  })
  expect(await workflows.jobOf(next, 'a')).toBe(await workflows.jobOf(run, 'a'))

  const before = await workflows.jobOf(run, 'a')
  await operator.reset(run)
  const again = await until({ what: 'the gate to be asked anew', seconds: 180 }, async () => {
    const job = (await workflows.nodes(run)).get('gate')?.jobId
    return job && job !== gate ? job : undefined
  })
  expect((await workflows.row(again)).status).toBe('pending')
  await approve(run, 'gate')
  expect(await workflows.ended(run)).toMatchObject({ status: 'successful' })
  expect(await workflows.jobOf(run, 'a')).toBe(before)
})

test('what is terminated in Temporal is ended by the reaper, and a run goes on over it', async () => {
  const run = await start({ wait: await approval(), after: nothing }, ['wait failure after'])
  const lost = await start({ wait: await approval() })
  const child = await workflows.jobOf(run, 'wait')
  const left = await workflows.jobOf(lost, 'wait')
  // Whose workflow has begun has an owner; before that there is nothing to terminate.
  for (const job of [child, left]) {
    await until({ what: `job ${job} to begin`, seconds: 180 }, async () => (await workflows.row(job)).runId !== null)
  }
  await operator.terminate(child)
  await operator.terminate(lost)
  await until({ what: 'the reaper to find both', seconds: 180, everyMs: 500 }, async () => {
    await operator.reap()
    return (await workflows.row(child)).finished !== null && (await workflows.row(lost)).finished !== null
  })
  expect(await workflows.ended(run)).toMatchObject({ status: 'successful' })
  expect(await workflows.statuses(run)).toEqual({ wait: 'error', after: 'successful' })
  expect(await workflows.row(lost)).toMatchObject({ status: 'error', cause: 'workflow_terminated' })
  // Its jobs are not torn down with it.
  expect(await workflows.row(left)).toMatchObject({ status: 'pending' })
})

test('one run at a time where the template says so: the others wait, say for what, and follow in order', async () => {
  const template = await workflows.template({ wait: await approval() }, [], { allowSimultaneous: false })
  const [first, second, third] = [
    await workflows.launch(template),
    await workflows.launch(template),
    await workflows.launch(template),
  ]
  for (const run of [second, third]) {
    await until(
      { what: `run ${run} to wait`, seconds: 180 },
      async () => (await workflows.row(run)).jobExplanation === `waiting for workflow_job-${first} to finish`,
    )
  }
  await approve(first, 'wait')
  await workflows.jobOf(second, 'wait')
  expect(await workflows.row(third)).toMatchObject({ status: 'pending' })
  await post(`/workflow_jobs/${second}/cancel/`)
  expect(await workflows.ended(second)).toMatchObject({ status: 'canceled' })
  await approve(third, 'wait')
  expect(await workflows.ended(third)).toMatchObject({ status: 'successful' })
})

test('jobs of a template that allows one at a time run one after the other, sliced or not', async () => {
  const { inventory, project } = catalog
  const { id } = await mayfly.post('/job_templates/', {
    name: 'one',
    project,
    inventory,
    playbook: 'brief.yml',
    ask_job_slice_count_on_launch: true,
  })
  await mayfly.post(`/job_templates/${id}/instance_groups/`, { id: catalog.group })
  await mayfly.post('/hosts/', { name: 'second', inventory, variables: 'ansible_connection: local' })
  const jobs: number[] = []
  for (const body of [{}, { job_slice_count: 2 }, {}]) {
    jobs.push((await mayfly.post<{ id: number }>(`/job_templates/${id}/launch/`, body)).id)
  }
  const ends = []
  for (const job of jobs) ends.push(await workflows.ended(job))
  expect(ends.map(({ type, status }) => `${type} ${status}`)).toEqual([
    'job successful',
    'workflow_job successful',
    'job successful',
  ])
  const times = ends.map(({ started, finished }) => [Date.parse(started ?? ''), Date.parse(finished ?? '')])
  for (let index = 1; index < times.length; index++) {
    expect(times[index]?.[0]).toBeGreaterThanOrEqual(times[index - 1]?.[1] ?? 0)
  }
})

test('a dry run says which nodes would run for a given outcome', async () => {
  const template = await workflows.template({ a: nothing, ok: nothing, bad: nothing }, [
    'a success ok',
    'a failure bad',
  ])
  const names = (body: Record<string, unknown>, list: string) =>
    (body[list] as { identifier: string }[]).map(({ identifier }) => identifier)
  const good = (await post(`/workflow_job_templates/${template}/dry_run/`)).body
  expect([good.result, names(good, 'runs'), names(good, 'do_not_run')]).toEqual(['successful', ['a', 'ok'], ['bad']])
  const bad = (await post(`/workflow_job_templates/${template}/dry_run/`, { outcomes: { a: 'failed', bad: 'failed' } }))
    .body
  expect([bad.result, names(bad, 'runs'), names(bad, 'do_not_run')]).toEqual(['failed', ['a', 'bad'], ['ok']])
  expect((await post(`/workflow_job_templates/${template}/dry_run/`, { outcomes: { x: 'failed' } })).body).toEqual({
    outcomes: ['No node has the identifier "x".'],
  })
})
