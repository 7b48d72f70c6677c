/** An operator's buttons in the Temporal UI do to a job what their names promise, and what the UI shows tells the story. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { until } from '../../dev/wait.ts'
import { podLabels } from '../../model/attempt.ts'
import { signals } from '../../workflows/names.ts'
import { type Catalog, launch, makeCatalog, makeTemplate } from '../setup/catalog.ts'
import { letGo, untilLetGo } from '../setup/gate.ts'
import { type Mayfly, startMayfly } from '../setup/mayfly.ts'
import { Undo } from '../setup/own-places.ts'
import { expectNothingLeft } from '../setup/tidy.ts'
import { Witness } from '../setup/witness.ts'
import { Operator } from './operator.ts'

const undo = new Undo()
let mayfly: Mayfly
let witness: Witness
let operator: Operator
let catalog: Catalog
let same: number
/** As `same`, but the first attempt goes on only when it is let. */
let held: number
let wholeOutput: string

const play = (...tasks: string[]) =>
  `- hosts: all\n  gather_facts: false\n  tasks: [${tasks.map((task) => `{${task}}`).join(', ')}]\n`
const files = {
  // Its output is the same at every run.
  'same.yml': play('debug: {msg: has begun}', `debug: {msg: "{{ lookup('pipe', gate | default('true')) }}the end"}`),
  'hold.yml': play('debug: {msg: has begun}', 'pause: {seconds: 300}'),
  'fail.yml': play('debug: {msg: has begun}', 'fail: {msg: on purpose}'),
  'mended.yml': play('debug: {msg: has begun}', 'fail: {msg: not yet}'),
}

/** Which attempt a play belongs to, it learns from its pod. */
const numbered = JSON.stringify({
  spec: {
    containers: [
      {
        name: 'worker',
        env: [{ name: 'ATTEMPT', valueFrom: { fieldRef: { fieldPath: `metadata.labels['${podLabels.attempt}']` } } }],
      },
    ],
  },
})
const gate = untilLetGo.replace('/tmp/go;', '/tmp/go -o $ATTEMPT -gt 1;')

beforeAll(async () => {
  // The reaper is started by hand, so that nothing but the test decides when it runs.
  mayfly = await startMayfly({ env: { MAYFLY_ORPHAN_GRACE: '1', MAYFLY_REAPER_INTERVAL: '86400' } })
  undo.add(() => mayfly.stop())
  witness = new Witness(mayfly)
  undo.add(() => witness.stop())
  operator = await Operator.open(mayfly)
  undo.add(() => operator.close())
  catalog = await makeCatalog(mayfly, { files, group: { pod_spec_override: numbered } })
  same = await template('same.yml')
  held = await template('same.yml', catalog, { extra_vars: JSON.stringify({ gate }) })
  const job = await launch(mayfly, same)
  expect(await mayfly.ended(`/jobs/${job}/`)).toMatchObject({ status: 'successful' })
  wholeOutput = await witness.output(job)
})
afterAll(() => undo.all())

function template(playbook: string, of: Catalog = catalog, fields: Record<string, unknown> = {}): Promise<number> {
  return makeTemplate(mayfly, of, playbook, { allow_simultaneous: true, ...fields })
}

async function runsUntil(job: number, text: string): Promise<void> {
  await until({ what: `job ${job} to print ${text}`, seconds: 180, pause: mayfly.newsOf(job) }, async () =>
    (await witness.output(job)).includes(text),
  )
}

async function noPodOf(job: number): Promise<void> {
  const isOfJob = ({ metadata }: Witness['pods'][number]) => metadata.labels?.['ansible-awx-job-id'] === String(job)
  const wait = { what: `the pods of job ${job} to be gone`, seconds: 180 }
  await until(wait, () => !witness.pods.some(isOfJob))
}

/** What Temporal says of the job's workflow once it is closed. */
async function closed(job: number) {
  await operator
    .workflow(job)
    .result()
    .catch(() => {})
  return await operator.describe(job)
}

async function currentDetails(job: number): Promise<string> {
  const metadata = await operator.workflow(job).query<{ currentDetails: string }>('__temporal_workflow_metadata')
  return metadata.currentDetails
}

const attemptsOf = (job: number) =>
  witness.query<{ number: number; delivered: boolean; released: boolean; run_id: string }>(
    `SELECT number, delivered_at IS NOT NULL AS delivered, released_at IS NOT NULL AS released, run_id
     FROM attempts WHERE job_id = $1 ORDER BY number`,
    job,
  )

/** The output is that of one whole run of the play, every event once. */
async function expectOneWholeRun(job: number): Promise<void> {
  expect(await mayfly.ended(`/jobs/${job}/`)).toMatchObject({ status: 'successful', job_explanation: '' })
  expect(await witness.output(job)).toBe(wholeOutput)
  const [counted] = await witness.query<{ events: number; last: number; stored: number }>(
    `SELECT count(*)::int AS events, max(counter)::int AS last,
       (SELECT events_stored FROM unified_jobs WHERE id = $1) AS stored
     FROM job_events WHERE job_id = $1`,
    job,
  )
  expect(counted).toEqual({ events: counted?.last, last: counted?.last, stored: counted?.last })
}

test.concurrent('a successful job: Completed, searchable, its story in the current details, about 20 events', async () => {
  const job = await launch(mayfly, same)
  await mayfly.ended(`/jobs/${job}/`)
  const description = await closed(job)
  expect(description.status.name).toBe('COMPLETED')
  const { name } = await mayfly.get<{ name: string }>(`/jobs/${job}/`)
  const { name: group } = await mayfly.get<{ name: string }>(`/instance_groups/${catalog.group}/`)
  const attributes = Object.fromEntries(
    description.typedSearchAttributes.getAll().map(({ key, value }) => [key.name, value]),
  )
  expect(attributes).toMatchObject({
    MayflyJobId: job,
    MayflyKind: 'job',
    MayflyTemplate: name,
    MayflyOrganization: group,
    MayflyGroup: group,
    MayflyStatus: 'successful',
    MayflyLaunchedBy: 'admin',
  })
  expect(await description.staticSummary()).toBe(name)
  const details = await currentDetails(job)
  expect(details).toContain(`**${group}**`)
  expect(details).toContain(`${mayfly.kubernetesNamespace}/automation-job-${job}-1`)
  expect(details).toMatch(/\*\*successful\*\*$/)
  // Stacks of promises are not kept (worker/workflow-thread.ts): who asks for them is told so.
  await expect(operator.workflow(job).query('__stack_trace')).rejects.toThrow('stack traces are not enabled')
  const history = await operator.history(job)
  console.log(`history of a successful job: ${history.length} events\n${history.map(({ type }) => type).join('\n')}`)
  expect(history.length).toBeLessThanOrEqual(30)
  const query = `MayflyJobId = ${job} AND MayflyStatus = "successful"`
  await until({ what: 'the search to find the job', seconds: 180, everyMs: 200 }, async () => {
    return (await operator.client.workflow.count(query)).count === 1
  })
})

test.concurrent('a failed job: Failed, with a message that says why', async () => {
  const job = await launch(mayfly, await template('fail.yml'))
  const { job_explanation } = await mayfly.ended(`/jobs/${job}/`)
  const description = await closed(job)
  expect(description.status.name).toBe('FAILED')
  await expect(operator.workflow(job).result()).rejects.toMatchObject({
    cause: { type: 'JobFailed', message: expect.stringMatching(/./) },
  })
  const failure = await operator
    .workflow(job)
    .result()
    .catch((error: { cause: Error }) => error.cause.message)
  console.log(`a failed job's message: ${failure}`)
  expect(job_explanation === '' || failure === job_explanation).toBe(true)
  expect(await currentDetails(job)).toMatch(/\*\*failed\*\*/)
})

test.concurrent('Cancel of a running job', async () => {
  const job = await launch(mayfly, await template('hold.yml'))
  await runsUntil(job, 'has begun')
  await operator.cancel(job)
  expect(await mayfly.ended(`/jobs/${job}/`)).toMatchObject({ status: 'canceled' })
  expect((await closed(job)).status.name).toBe('CANCELLED')
  await noPodOf(job)
  expect(await witness.output(job)).toContain('has begun')
})

test.concurrent('Cancel of a job that waits for a place', async () => {
  const full = await makeCatalog(mayfly, { files, group: { max_concurrent_jobs: 1 } })
  const first = await launch(mayfly, await template('hold.yml', full))
  await runsUntil(first, 'has begun')
  const second = await launch(mayfly, await template('hold.yml', full))
  await until({ what: 'the second job to wait', seconds: 180, everyMs: 200 }, async () =>
    (await operator.history(second)).some(({ activity }) => activity === 'admit'),
  )
  await operator.cancel(second)
  expect(await mayfly.ended(`/jobs/${second}/`)).toMatchObject({ status: 'canceled' })
  expect((await closed(second)).status.name).toBe('CANCELLED')
  expect(witness.podsOf(second)).toBe(0)
  await operator.cancel(first)
  await mayfly.ended(`/jobs/${first}/`)
})

test.concurrent('Reset of a failed job to its first task: a clean retry', async () => {
  const job = await launch(mayfly, await template('mended.yml'))
  expect(await mayfly.ended(`/jobs/${job}/`)).toMatchObject({ status: 'failed' })
  await closed(job)
  expect(await witness.output(job)).toContain('not yet')
  const playbook = join(catalog.projectFolder, 'mended.yml')
  writeFileSync(playbook, readFileSync(playbook, 'utf8').replace('fail: {msg: not yet}', 'debug: {msg: is mended}'))
  await operator.reset(job)
  expect((await closed(job)).status.name).toBe('COMPLETED')
  expect(await mayfly.get(`/jobs/${job}/`)).toMatchObject({ status: 'successful', failed: false, job_explanation: '' })
  const output = await witness.output(job)
  expect(output).toContain('is mended')
  expect(output).not.toContain('not yet')
  expect(output.match(/has begun/g)).toHaveLength(1)
  expect(witness.podsOf(job)).toBe(2)
  await noPodOf(job)
})

test.concurrent.for([undefined, 'admit'] as const)('Reset of a finished job, after %s: it runs anew', async (after) => {
  const job = await launch(mayfly, same)
  await mayfly.ended(`/jobs/${job}/`)
  await closed(job)
  const before = await witness.query<{ finished: string }>('SELECT finished FROM unified_jobs WHERE id = $1', job)
  await operator.reset(job, after)
  expect((await closed(job)).status.name).toBe('COMPLETED')
  await expectOneWholeRun(job)
  expect(await witness.query('SELECT finished FROM unified_jobs WHERE id = $1', job)).not.toEqual(before)
  expect(witness.podsOf(job)).toBe(2)
  await noPodOf(job)
})

test.concurrent.for([
  [undefined, 2],
  ['admit', 1],
] as const)('Reset of a running job, after %s: one whole output in the end, from %d pod(s)', async ([after, pods]) => {
  const job = await launch(mayfly, held)
  await runsUntil(job, 'has begun')
  const run = await operator.reset(job, after)
  if (after === 'admit') {
    // A play that ends before the new run has taken it over is the old run's, and is run once more.
    await until({ what: `the new run to take job ${job} over`, seconds: 180 }, async () =>
      (await attemptsOf(job)).every(({ run_id }) => run_id === run),
    )
    await letGo(mayfly, job)
  }
  expect((await closed(job)).status.name).toBe('COMPLETED')
  await expectOneWholeRun(job)
  expect(witness.podsOf(job)).toBe(pods)
  const attempts = await attemptsOf(job)
  expect(attempts).toHaveLength(pods)
  for (const attempt of attempts) expect(attempt).toMatchObject({ delivered: true, released: true, run_id: run })
  await noPodOf(job)
})

/** A group that the only pod of a job fills, and a template whose first attempt waits in it. */
async function fullWithOne(): Promise<{ full: Catalog; gated: number }> {
  const full = await makeCatalog(mayfly, { files, group: { max_concurrent_jobs: 1, pod_spec_override: numbered } })
  return { full, gated: await template('same.yml', full, { extra_vars: JSON.stringify({ gate }) }) }
}

test.concurrent('Reset of a job in a group that only its own pod fills: its first task frees the place itself', async () => {
  const { gated } = await fullWithOne()
  const job = await launch(mayfly, gated)
  await runsUntil(job, 'has begun')
  await operator.reset(job)
  expect((await closed(job)).status.name).toBe('COMPLETED')
  await expectOneWholeRun(job)
  expect(witness.podsOf(job)).toBe(2)
  await noPodOf(job)
})

test.concurrent('Reset of a job in a group that only its own pod fills, to where it waited for a place', async () => {
  const { full, gated } = await fullWithOne()
  const first = await launch(mayfly, await template('hold.yml', full))
  await runsUntil(first, 'has begun')
  const job = await launch(mayfly, gated)
  await until({ what: 'the job to wait', seconds: 180, everyMs: 200 }, async () =>
    (await operator.history(job)).some(({ activity }) => activity === 'admit'),
  )
  // A workflow task while it waits, as one that is moved to the head of the line has.
  await operator.workflow(job).signal(signals.raise)
  await operator.cancel(first)
  await runsUntil(job, 'has begun')
  await operator.reset(job, 'signal')
  // Nobody owns the pod that holds the place but a run that is no more. What other tests leave is reaped as well.
  await until({ what: 'the reaper to free the place', seconds: 180, everyMs: 200 }, async () => {
    await operator.reap()
    return (await attemptsOf(job))[0]?.released
  })
  expect((await closed(job)).status.name).toBe('COMPLETED')
  await expectOneWholeRun(job)
  await noPodOf(job)
  await mayfly.ended(`/jobs/${first}/`)
})

test.concurrent('Reset of a job while its pod is being made', async () => {
  const job = await launch(mayfly, same)
  await until({ what: 'a claim', seconds: 180, everyMs: 5 }, async () => (await attemptsOf(job)).length > 0)
  await operator.reset(job)
  expect((await closed(job)).status.name).toBe('COMPLETED')
  await expectOneWholeRun(job)
  await noPodOf(job)
})

test('Terminate of a running job: the reaper deletes the pod, frees the place and gives the job its end', async () => {
  const job = await launch(mayfly, await template('hold.yml'))
  await runsUntil(job, 'has begun')
  await operator.terminate(job)
  expect(await mayfly.get(`/jobs/${job}/`)).toMatchObject({ status: 'running' })
  // The list of what runs in Temporal lags behind.
  const done = { jobs: 0, attempts: 0 }
  await until({ what: 'the reaper to end the job', seconds: 180, everyMs: 200 }, async () => {
    const { jobsEnded, attemptsReleased } = await operator.reap()
    done.jobs += jobsEnded
    done.attempts += attemptsReleased
    // A pod that takes longer than one pass waits for it is the next one's.
    return done.jobs > 0 && (await attemptsOf(job))[0]?.released
  })
  // Another test's workflow may have left its pod to the reaper, too.
  expect(done).toEqual({ jobs: 1, attempts: expect.toSatisfy((attempts: number) => attempts >= 1) })
  expect(await mayfly.get(`/jobs/${job}/`)).toMatchObject({
    status: 'error',
    job_explanation: 'The workflow of this job was terminated in Temporal.',
  })
  await noPodOf(job)
  expect(await attemptsOf(job)).toMatchObject([{ number: 1, released: true }])
  expect(await operator.reap()).toMatchObject({ jobsEnded: 0, attemptsReleased: 0, podsDeleted: 0, unreachable: [] })
})

test('nothing is left, and the worker has no complaint', async () => {
  await witness.expectNothingLeft()
  await expectNothingLeft(mayfly)
})
