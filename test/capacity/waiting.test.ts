/** Why a job waits, as long as it does: `…/waiting/` says what blocks, and `job_explanation` says the same. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { until } from '../../dev/wait.ts'
import { inNamespace } from '../setup/catalog.ts'
import { type GitServer, startGitServer } from '../setup/git-server.ts'
import { type Mayfly, startMayfly } from '../setup/mayfly.ts'
import { ownKubernetesNamespace, Undo } from '../setup/own-places.ts'
import { countedQuota } from '../setup/quota.ts'
import { Scene } from '../setup/scene.ts'
import { expectNothingLeft } from '../setup/tidy.ts'

/** What the tests look at of an answer of `…/waiting/`. */
interface WaitingOnWire {
  waiting: boolean
  status: string
  reason: string | null
  explanation: string
  place: number | null
  estimated_start_basis: string
  groups: { id: number; place: number | null; blocks: { kind: string; message: string; since: string }[] }[]
  waits_for: { id: number; type: string; url: string }[]
  waited: { reason: string; what: string; seconds: number; until: string | null }[]
}

const undo = new Undo()
let mayfly: Mayfly
let scene: Scene
let server: GitServer
/** Seconds for whatever a test waits for, on a machine that has other things to do. */
const patience = 240
const hold = '- hosts: all\n  gather_facts: false\n  tasks: [{pause: {seconds: 300}}]\n'
const quick = '- hosts: all\n  gather_facts: false\n  tasks: [{debug: {msg: done}}]\n'

beforeAll(async () => {
  mayfly = await startMayfly()
  undo.add(() => mayfly.stop())
  scene = await Scene.open(mayfly, { hold, quick })
  server = await startGitServer(mayfly.folder)
  undo.add(() => server.stop())
})
afterAll(() => undo.all())

/** The answer as soon as the condition holds. */
const waitsUntil = (path: string, what: string, holds: (answer: WaitingOnWire) => boolean) =>
  until({ what: `${path} to wait for ${what}`, seconds: patience, everyMs: 200 }, async () => {
    const answer = await mayfly.get<WaitingOnWire>(`${path}waiting/`)
    return holds(answer) ? answer : undefined
  })
/** Whether it is prepared and stands in line at this place. */
const standsAt =
  (wanted: number) =>
  ({ place, waited }: WaitingOnWire): boolean =>
    place === wanted && waited.some(({ reason }) => reason === 'capacity')
const explanation = async (path: string) => (await mayfly.get<{ job_explanation: string }>(path)).job_explanation
const runs = (job: number) => scene.jobWhen(job, 'to run', ({ status }) => status === 'running', patience)
const ended = (job: number) => scene.ended(job, patience)

async function cancel(...jobs: number[]): Promise<void> {
  for (const job of jobs) await scene.cancel(job)
  for (const job of jobs) await ended(job)
}

describe.concurrent('a job waits for', () => {
  test('a place below the limit of its group; and tells afterwards how long', async ({ expect }) => {
    const group = await scene.group({ max_concurrent_jobs: 1, pod_spec_override: inNamespace(mayfly) })
    const holder = await scene.run('hold', { group })
    await runs(holder)
    const template = await scene.template('quick', { group })
    // One after the other: the line is in the order in which they came to it, which need not be that of their launch. One whose start is not sent yet has a place as well.
    const first = await scene.launch(template)
    await waitsUntil(`/jobs/${first}/`, 'a place', standsAt(1))
    const second = await scene.launch(template)
    const answer = await waitsUntil(`/jobs/${second}/`, 'a place', standsAt(2))
    expect(answer).toMatchObject({
      ...{ waiting: true, status: 'pending', reason: 'capacity' },
      explanation: await explanation(`/jobs/${second}/`),
      estimated_start_basis: 'no job of the group has ended yet',
      groups: [{ id: group, place: 2, blocks: [{ kind: 'max_concurrent_jobs', used: 1, limit: 1 }] }],
    })
    await cancel(holder)
    expect(await ended(first)).toMatchObject({ status: 'successful' })
    const done = await mayfly.get<WaitingOnWire>(`/jobs/${first}/waiting/`)
    expect(done).toMatchObject({ waiting: false, reason: null, groups: [] })
    const [inLine] = done.waited.filter(({ reason }) => reason === 'capacity')
    expect([done.waited.map(({ reason }) => reason), inLine?.seconds]).toEqual([
      ['preparation', 'capacity', 'pod'],
      expect.any(Number),
    ])
    expect(done.waited.every((stage) => stage.until !== null)).toBe(true)
    await ended(second)
  })

  test('a quota, by its name and numbers', async ({ expect }) => {
    const namespace = `${mayfly.id}-quota`
    await ownKubernetesNamespace(mayfly.stack, namespace, undo)
    await countedQuota(mayfly.stack, namespace, 'one', { pods: '1' })
    const group = await scene.group({ pod_spec_override: JSON.stringify({ metadata: { namespace } }) })
    const template = await scene.template('hold', { group })
    const holder = await scene.launch(template)
    await runs(holder)
    const job = await scene.launch(template)
    const byQuota = ({ groups }: WaitingOnWire) => groups[0]?.blocks[0]?.kind === 'quota'
    const answer = await waitsUntil(`/jobs/${job}/`, 'the quota', byQuota)
    expect(answer.groups[0]?.blocks[0]).toMatchObject({
      message: expect.stringMatching(/one\b.*pods 1 of 1/),
      since: expect.stringMatching(/Z$/),
    })
    expect(answer.explanation).toContain(answer.groups[0]?.blocks[0]?.message)
    await cancel(job, holder)
  })

  test('an update that must come first', async ({ expect }) => {
    server.repository('slow', { 'site.yml': quick })
    const { organization } = await mayfly.get<{ organization: number }>(`/projects/${await anyProject()}/`)
    const source = { scm_type: 'git', scm_url: `${server.origin}/public/slow`, scm_update_on_launch: true }
    const { id: project } = await mayfly.post('/projects/', { name: 'slow', organization, ...source })
    await until({ what: 'the project to have been fetched', seconds: patience, everyMs: 100 }, async () => {
      const { status } = await mayfly.get<{ status: string }>(`/projects/${project}/`)
      return status === 'successful'
    })
    const template = await scene.template('quick')
    await mayfly.patch(`/job_templates/${template}/`, { project, playbook: 'site.yml' })
    const letGo = server.hold('slow')
    const job = await scene.launch(template)
    const answer = await waitsUntil(`/jobs/${job}/`, 'the update', ({ reason }) => reason === 'dependency')
    const [update] = answer.waits_for
    expect(update).toMatchObject({ type: 'project_update', url: `/api/v2/project_updates/${update?.id}/` })
    expect(answer.explanation).toContain(`waiting for project_update-${update?.id} to finish`)
    letGo()
    await ended(job)
    const done = await mayfly.get<WaitingOnWire>(`/jobs/${job}/waiting/`)
    expect(done.waited[0]).toMatchObject({ reason: 'dependency', what: `project_update-${update?.id}` })
  })

  test('another job of its template, which allows one at a time', async ({ expect }) => {
    const template = await scene.template('hold')
    await mayfly.patch(`/job_templates/${template}/`, { allow_simultaneous: false })
    const [first, second] = [await scene.launch(template), await scene.launch(template)]
    const answer = await waitsUntil(`/jobs/${second}/`, 'its turn', ({ reason }) => reason === 'turn')
    expect(answer.waits_for).toMatchObject([{ id: first, type: 'job', url: `/api/v2/jobs/${first}/` }])
    await cancel(second, first)
  })

  test("somebody's decision, and so does the workflow around it", async ({ expect }) => {
    const { id: template } = await mayfly.post('/workflow_job_templates/', { name: 'release' })
    const { id: node } = await mayfly.post(`/workflow_job_templates/${template}/workflow_nodes/`, {
      identifier: 'gate',
    })
    await mayfly.post(`/workflow_job_template_nodes/${node}/create_approval_template/`, { name: 'go on?' })
    const { id: run } = await mayfly.post(`/workflow_job_templates/${template}/launch/`, {})
    const answer = await waitsUntil(`/workflow_jobs/${run}/`, 'the approval', ({ reason }) => reason === 'approval')
    const [approval] = answer.waits_for
    const path = `/workflow_approvals/${approval?.id}/`
    expect(await mayfly.get(`${path}waiting/`)).toMatchObject({
      ...{ waiting: true, reason: 'approval' },
      explanation: await explanation(path),
    })
    await mayfly.post(`${path}approve/`, {})
    expect((await mayfly.ended(`/workflow_jobs/${run}/`)).status).toBe('successful')
    expect(await mayfly.get(`${path}waiting/`)).toMatchObject({ waiting: false, waited: [{ reason: 'approval' }] })
  })
})

const anyProject = async () => (await mayfly.get<{ results: { id: number }[] }>('/projects/')).results[0]?.id ?? 0

test('a worker that does not run is what a job waits for', async () => {
  await mayfly.terminate('worker')
  const job = await scene.run('quick')
  const answer = await waitsUntil(`/jobs/${job}/`, 'a worker', ({ explanation: text }) => text.includes('No worker is'))
  expect(answer).toMatchObject({ reason: 'handover', explanation: await explanation(`/jobs/${job}/`) })
  await mayfly.start('worker')
  expect((await ended(job)).status).toBe('successful')
})

test('a job that is cancelled while it waits is canceled at once', async () => {
  const group = await scene.group({ max_concurrent_jobs: 1, pod_spec_override: inNamespace(mayfly) })
  const template = await scene.template('hold', { group })
  const holder = await scene.launch(template)
  await runs(holder)
  const job = await scene.launch(template)
  await waitsUntil(`/jobs/${job}/`, 'a place', ({ place }) => place === 1)
  const asked = performance.now()
  await scene.cancel(job)
  expect(await ended(job)).toMatchObject({ status: 'canceled' })
  console.log(`canceled ${(performance.now() - asked).toFixed()} ms after it was asked for`)
  await cancel(holder)
})

test('nothing is left', () => expectNothingLeft(mayfly))
