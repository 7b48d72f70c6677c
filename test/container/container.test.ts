/** Templates with a command in place of a playbook: the same line from launch to a pod that is gone. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Mayfly, startMayfly } from '../setup/mayfly.ts'
import { Undo } from '../setup/own-places.ts'
import { Scene } from '../setup/scene.ts'
import { expectNothingLeft } from '../setup/tidy.ts'

const undo = new Undo()
let mayfly: Mayfly
let scene: Scene
let group: number
let environment: number
beforeAll(async () => {
  mayfly = await startMayfly()
  undo.add(() => mayfly.stop())
  scene = await Scene.open(mayfly, { unused: '- hosts: all\n' })
  group = await scene.group({
    pod_spec_override: JSON.stringify({ metadata: { namespace: mayfly.kubernetesNamespace } }),
  })
  environment = await scene.environment('mayfly.local/no-runner:latest', 'missing')
})
afterAll(() => undo.all())

let made = 0
const say = (script: string) => ['sh', '-c', script]

async function template(container: Record<string, unknown>, fields: Record<string, unknown> = {}): Promise<number> {
  const body = { name: `container ${++made}`, execution_environment: environment, container, ...fields }
  const { id } = await mayfly.post('/job_templates/', body)
  await mayfly.post(`/job_templates/${id}/instance_groups/`, { id: group })
  return id
}

interface Job {
  id: number
  status: string
  job_explanation: string
  result_traceback: string
  artifacts: Record<string, unknown>
}

async function run(templateId: number, prompts: Record<string, unknown> = {}): Promise<Job> {
  const { job } = await mayfly.post<{ job: number }>(`/job_templates/${templateId}/launch/`, prompts)
  return { ...(await mayfly.get<Job>(`/jobs/${job}/`)), ...((await scene.ended(job)) as unknown as Job) }
}

test('variables, environment, files in; lines, results and files out', async () => {
  const id = await template(
    {
      command: say(
        'echo "$GREETING {{ who }}"; cat /in/list; printf "no end" >/tmp/report; echo "{\\"built\\": 3}" >$MAYFLY_RESULTS',
      ),
      env: { GREETING: 'hello' },
      files: { '/in/list': 'a\n\nb\n' },
      artifacts: ['/tmp/report'],
    },
    { extra_vars: { who: "the 'world'" } },
  )
  const job = await run(id)
  expect(job).toMatchObject({ status: 'successful', job_explanation: '', artifacts: { built: 3 } })
  expect(await scene.stdout(job.id)).toBe("hello the 'world'\na\n\nb\n")
  const { results } = await mayfly.get<{ results: { event: string; start_line: number; stdout: string }[] }>(
    `/jobs/${job.id}/job_events/?order_by=counter`,
  )
  expect(results.map(({ event, start_line, stdout }) => [event, start_line, stdout])).toEqual([
    ['verbose', 0, "hello the 'world'"],
    ['verbose', 1, 'a'],
    ['verbose', 2, ''],
    ['verbose', 3, 'b'],
  ])
  const again = await mayfly.post<{ job: number }>(`/jobs/${job.id}/relaunch/`, {})
  expect(await scene.ended(again.job)).toMatchObject({ status: 'successful' })
})

test.each([
  ['its own exit code', { command: say('echo broken >&2; exit 3') }, 'failed', 'The command ended with exit code 3.'],
  ['no such program', { command: ['make'] }, 'failed', 'exit code 127: the image has no such program'],
  [
    'no such variable',
    { command: ['echo', '{{ nothing }}'] },
    'failed',
    "The container's command word 2 cannot be worked out",
  ],
])('%s', async (_name, container, status, explanation) => {
  const job = await run(await template(container))
  expect(job).toMatchObject({ status, job_explanation: expect.stringContaining(explanation) })
})

test('a time limit, and a cancel: the command is asked to end, and what it printed stays', async () => {
  const late = await run(await template({ command: say('echo begun; sleep 600') }, { timeout: 2 }))
  expect(late).toMatchObject({ status: 'failed', job_explanation: 'Job terminated due to timeout' })
  const { job } = await mayfly.post<{ job: number }>(
    `/job_templates/${await template({ command: say('trap "echo asked; exit 1" TERM; echo begun; while :; do sleep 0.1; done') })}/launch/`,
    {},
  )
  await scene.printed(job, 'begun')
  expect(await scene.cancel(job)).toBe(202)
  expect(await scene.ended(job)).toMatchObject({ status: 'canceled' })
  expect(await scene.stdout(job)).toBe('begun\nasked\n')
})

test('a worker that is killed changes nothing', async () => {
  const lines = Array.from({ length: 30 }, (_, index) => `line ${index}`)
  const command = say('i=0; while [ $i -lt 30 ]; do echo line $i; i=$((i+1)); sleep 0.1; done')
  const { job } = await mayfly.post<{ job: number }>(`/job_templates/${await template({ command })}/launch/`, {})
  await scene.printed(job, 'line 5')
  await mayfly.kill9('worker')
  await mayfly.restart('worker')
  expect(await scene.ended(job)).toMatchObject({ status: 'successful' })
  expect((await scene.stdout(job)).trimEnd().split('\n')).toEqual(lines)
})

test('what is wrong is refused where it is written', async () => {
  const refused = async (fields: Record<string, unknown>) =>
    (await mayfly.api('POST', '/job_templates/', { name: 'x', execution_environment: environment, ...fields })).body
  expect(await refused({ container: { command: 'make' } })).toEqual({
    container: ['command: give the program and its arguments as a list of texts.'],
  })
  expect(await refused({ container: { command: ['make'] }, playbook: 'site.yml' })).toEqual({
    playbook: ['A template has either a playbook or a container.'],
  })
  expect(await refused({ container: { command: ['make'] }, execution_environment: null })).toEqual({
    execution_environment: ['Say which image runs the container, or ask for it at launch.'],
  })
})

test('nothing is left', async () => {
  await expectNothingLeft(mayfly)
})
