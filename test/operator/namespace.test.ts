/** A Temporal namespace belongs to one installation; what another one left there is neither taken for our own nor touched. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { until } from '../../dev/wait.ts'
import { jobWorkflowId, notificationWorkflowId, workflowTypes } from '../../workflows/names.ts'
import { runMayfly } from '../setup/command.ts'
import { type Mayfly, startMayfly } from '../setup/mayfly.ts'
import { ownDatabase, Undo } from '../setup/own-places.ts'
import { Scene } from '../setup/scene.ts'
import { Witness } from '../setup/witness.ts'
import { Operator } from './operator.ts'

const undo = new Undo()
let mayfly: Mayfly
let witness: Witness
let operator: Operator
let scene: Scene

beforeAll(async () => {
  mayfly = await startMayfly({ worker: false })
  undo.add(() => mayfly.stop())
  witness = new Witness(mayfly)
  undo.add(() => witness.stop())
  operator = await Operator.open(mayfly)
  undo.add(() => operator.close())
  scene = await Scene.open(mayfly, { quick: '- hosts: all\n  gather_facts: false\n  tasks: [{debug: {msg: done}}]\n' })
})
afterAll(() => undo.all())

/** A workflow that has the id of a job, on a queue that nobody serves. */
async function occupy(job: number, memo: Record<string, unknown>): Promise<void> {
  await operator.client.workflow.start(workflowTypes.job, {
    workflowId: jobWorkflowId(job),
    taskQueue: 'of-nobody',
    args: [{ jobId: job }],
    memo,
  })
}

test('a job whose workflow id is taken says so and how to go on; the one that has it is left alone', async () => {
  const template = await scene.template('quick')
  const jobs = [await scene.launch(template), await scene.launch(template), await scene.launch(template)] as const
  const [ended, running, restored] = jobs
  await occupy(ended, { installation: 'another', created: 'long ago' })
  await operator.terminate(ended)
  await occupy(running, { installation: 'another', created: 'long ago' })
  const { install_uuid: installation } = await mayfly.get<{ install_uuid: string }>('/ping/')
  await occupy(restored, { installation, created: '2026-01-01 00:00:00+00' })
  await mayfly.start('worker')
  for (const job of jobs) {
    expect(await scene.ended(job)).toMatchObject({
      status: 'error',
      job_explanation: expect.stringMatching(
        new RegExp(
          `workflow job-${job} in Temporal's namespace ${mayfly.temporalNamespace} is .* \\(TEMPORAL_NAMESPACE\\)`,
        ),
      ),
    })
  }
  expect((await operator.describe(running)).status.name).toBe('RUNNING')
  expect(await witness.query('SELECT id FROM attempts')).toEqual([])
  for (const job of [running, restored]) await operator.terminate(job)
})

test('a notification whose workflow id is taken is not sent, and says why', async () => {
  const { client } = operator
  const workflowId = notificationWorkflowId(1)
  await client.workflow.start(workflowTypes.notification, { workflowId, taskQueue: 'of-nobody', args: [] })
  await client.workflow.getHandle(workflowId).terminate('by a test')
  const { results } = await mayfly.get<{ results: { id: number }[] }>('/organizations/')
  const template = await mayfly.post('/notification_templates/', {
    name: 'hook',
    organization: results[0]?.id,
    notification_type: 'webhook',
    notification_configuration: { url: 'http://127.0.0.1:1/', headers: {}, http_method: 'POST' },
  })
  const sent = await mayfly.post<{ notification: number }>(`/notification_templates/${template.id}/test/`)
  expect(sent.notification).toBe(1)
  await expect
    .poll(() => mayfly.get('/notifications/1/'))
    .toMatchObject({ status: 'failed', error: expect.stringContaining('Workflow notification-1 has ended already') })
})

test('a message that was sent before is forgotten, and the job stays as it is', async () => {
  const job = await scene.run('quick')
  expect(await scene.ended(job)).toMatchObject({ status: 'successful', job_explanation: '' })
  await witness.query(`INSERT INTO outbox (kind, subject_id) VALUES ('start', $1)`, job)
  await until({ what: 'the message to be sent', seconds: 180 }, async () => {
    return (await witness.query('SELECT id FROM outbox')).length === 0
  })
  expect(await scene.job(job)).toMatchObject({ status: 'successful', job_explanation: '' })
})

test('a worker of another installation does not start in this namespace, and says why', async () => {
  const env = { ...mayfly.env, MAYFLY_DATABASE_URL: await ownDatabase(mayfly.stack, `${mayfly.id}-another`, undo) }
  const refused = await runMayfly(['worker', '--migrate'], env)
  const { install_uuid } = await mayfly.get<{ install_uuid: string }>('/ping/')
  expect(refused.code).toBe(1)
  expect(refused.output).toContain(
    `mayfly: Temporal's namespace ${mayfly.temporalNamespace} belongs to another installation of Mayfly (${install_uuid})\n  → give this one a namespace of its own (TEMPORAL_NAMESPACE)`,
  )
  // One of the same installation does.
  await mayfly.restart('worker')
})

test('nothing is left', async () => {
  await witness.expectNothingLeft()
  const told = mayfly
    .logs('worker')
    .split('\n')
    .filter((line) => line.includes('"level":50'))
  expect(told.every((line) => line.includes('the workflow id of a job is taken'))).toBe(true)
})
