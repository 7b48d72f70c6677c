import { eq } from 'drizzle-orm'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { unifiedJobs } from '../../store/schema/jobs.ts'
import { attempts, groupBrakes, outbox } from '../../store/schema/runtime.ts'
import { makeJob } from '../../store/testing-data.ts'
import { explainWaiting } from '../../store/waiting.ts'
import { signWorker } from '../../store/workers.ts'
import type { TestApp } from '../testing.ts'
import { nobody } from '../testing-domain.ts'
import { openRecordedWorkflows } from '../testing-workflows.ts'

let app: TestApp
beforeAll(async () => {
  app = await openRecordedWorkflows()
  await signWorker(app.store.db, 'worker', 'node')
})
afterAll(() => app.close())

const kinds = [
  ...(['job', 'ad_hoc_command', 'inventory_update', 'project_update'] as const),
  ...(['system_job', 'workflow_job', 'workflow_approval'] as const),
]
const waiting = async (path: string) => (await app.call('GET', `/api/v2/${path}/waiting/`)).body
const change = (id: number, columns: Partial<typeof unifiedJobs.$inferInsert>) =>
  app.store.db.update(unifiedJobs).set(columns).where(eq(unifiedJobs.id, id))

/** A launched job that the worker has sent. */
async function launched(): Promise<number> {
  const { body } = await app.call('POST', '/api/v2/job_templates/16/launch/', {})
  await app.store.db.delete(outbox)
  await change(body.job, { allowSimultaneous: true })
  return body.job
}

describe('…/waiting/', () => {
  test('is linked from every kind of job, and read by whoever may read the job', async () => {
    for (const type of kinds) {
      const { id } = await makeJob(app.store.db, { type })
      const path = `/api/v2/${type}s/${id}/`
      expect((await app.call('GET', path)).body.related.waiting).toBe(`${path}waiting/`)
      expect((await app.call('GET', `${path}waiting/`)).body).toMatchObject({ waiting: true, status: 'pending' })
    }
    expect((await app.call('GET', '/api/v2/jobs/104/waiting/', undefined, { as: nobody })).status).toBe(403)
    expect((await app.call('GET', '/api/v2/jobs/4711/waiting/')).status).toBe(404)
    expect((await app.call('POST', '/api/v2/jobs/104/waiting/', {})).status).toBe(405)
    const { body } = await app.call('OPTIONS', '/api/v2/jobs/104/waiting/')
    expect(body.actions.GET.estimated_start).toMatchObject({ type: 'datetime' })
  })

  test('a full group: what blocks, since when, place, and when it may start', async () => {
    const { db } = app.store
    await app.call('PATCH', '/api/v2/instance_groups/5/', { max_concurrent_jobs: 1 })
    const claimed = { instanceGroupId: 5, workflowId: 'w', runId: 'r' }
    await db.insert(attempts).values([
      { ...claimed, jobId: 104, number: 1, phase: 'delivered', claimedAt: '2026-11-21T12:00:00Z' },
      {
        ...{ ...claimed, jobId: 104, number: 2, phase: 'released' },
        ...{ claimedAt: '2026-11-21T11:00:00Z', releasedAt: '2026-11-21T11:00:30Z' },
      },
    ])
    const jobs = [await launched(), await launched()]
    const [first = 0, second = 0] = jobs
    await change(first, { eligibleGroups: [5], waitingSince: '2026-11-21T13:00:00Z' })
    await change(second, { eligibleGroups: [5, 3], waitingSince: '2026-11-21T13:00:01Z' })
    await db.insert(groupBrakes).values({
      ...{ instanceGroupId: 3, kind: 'quota', reason: 'Quota two is used up: pods 2 of 2 in use, 1 requested.' },
      since: '2026-11-21T12:30:00Z',
    })
    const answer = await waiting(`jobs/${second}`)
    const { job_explanation } = (await app.call('GET', `/api/v2/jobs/${second}/`)).body
    expect(answer).toMatchObject({
      ...{ waiting: true, status: 'pending', reason: 'capacity', explanation: job_explanation },
      ...{ since: '2026-11-21T13:00:01Z', place: 2, place_is_exact: true },
      estimated_start: expect.stringMatching(/Z$/),
      estimated_start_basis: 'place 2 × 30 s, the mean of the last 1 attempts of the group, ÷ 1 places',
      groups: [
        {
          ...{ id: 5, name: 'rec-cg', url: '/api/v2/instance_groups/5/', preference: 1, place: 2 },
          blocks: [{ kind: 'max_concurrent_jobs', used: 1, limit: 1, since: '2026-11-21T12:00:00Z' }],
        },
        {
          ...{ id: 3, name: 'cg', preference: 2, place: 1, estimated_start: null },
          estimated_start_basis: 'no job of the group has ended yet',
          blocks: [
            {
              kind: 'quota',
              message: 'Quota two is used up: pods 2 of 2 in use, 1 requested',
              since: '2026-11-21T12:30:00Z',
            },
          ],
        },
      ],
      ...{ waits_for: [], passed_over: [] },
      waited: [
        { reason: 'preparation', until: expect.any(String) },
        { reason: 'capacity', until: null },
      ],
    })
  })

  test('another job: which one, and where it is', async () => {
    const job = await launched()
    const update = await makeJob(app.store.db, { type: 'project_update', name: 'fetch', status: 'running' })
    await change(job, { projectUpdateId: update.id })
    await explainWaiting(app.store.db, job, 'dependency', `waiting for project_update-${update.id} to finish`)
    expect(await waiting(`jobs/${job}`)).toMatchObject({
      reason: 'dependency',
      explanation: expect.stringContaining(`waiting for project_update-${update.id} to finish`),
      waits_for: [
        {
          ...{ id: update.id, type: 'project_update', name: 'fetch', status: 'running' },
          url: `/api/v2/project_updates/${update.id}/`,
        },
      ],
      waited: [{ reason: 'dependency', what: `project_update-${update.id}`, until: null }],
      ...{ groups: [], place: null, estimated_start: null },
    })
  })

  test('an approval, and the workflow around it', async () => {
    const { db } = app.store
    const workflow = await makeJob(db, { type: 'workflow_job', name: 'wf', status: 'running' })
    const approval = await makeJob(db, {
      ...{ type: 'workflow_approval', name: 'sure?', workflowJobId: workflow.id },
      approvalExpiration: '2026-11-21T14:00:00Z',
    })
    const answer = await waiting(`workflow_approvals/${approval.id}`)
    expect(answer).toMatchObject({ waiting: true, reason: 'approval', waited: [{ reason: 'approval', until: null }] })
    expect(answer.explanation).toContain('without one it expires at 2026-11-21T14:00:00Z')
    expect(await waiting(`workflow_jobs/${workflow.id}`)).toMatchObject({
      ...{ waiting: true, status: 'running', reason: 'approval' },
      explanation: "Waiting for somebody's decision on 'sure?'.",
      waits_for: [{ id: approval.id, type: 'workflow_approval' }],
    })
    const child = await makeJob(db, { name: 'node', workflowJobId: workflow.id })
    expect(await waiting(`jobs/${child.id}`)).toMatchObject({ reason: 'workflow', waits_for: [{ id: workflow.id }] })
    await change(approval.id, { status: 'successful' })
    expect(await waiting(`workflow_jobs/${workflow.id}`)).toMatchObject({ reason: 'nodes' })
    await change(workflow.id, { paused: true })
    expect(await waiting(`workflow_jobs/${workflow.id}`)).toMatchObject({ reason: 'paused' })
    await change(child.id, { status: 'running' })
    expect(await waiting(`workflow_jobs/${workflow.id}`)).toMatchObject({ waiting: false, reason: null })
  })

  test('a job that has ended: what it waited for, how long, and which groups had no place', async () => {
    const job = await launched()
    const passedOver = [
      {
        ...{ groupId: 3, group: 'cg', why: 'full' as const, message: '1 of 1', until: null },
        since: '2026-11-21T13:00:01.000Z',
      },
    ]
    await change(job, {
      ...{ status: 'successful', created: '2026-11-21T13:00:00Z', waitingSince: '2026-11-21T13:00:01Z', passedOver },
      ...{ started: '2026-11-21T13:00:12Z', finished: '2026-11-21T13:00:20Z', eligibleGroups: [3, 5] },
    })
    await app.store.db.insert(attempts).values({
      ...{ jobId: job, number: 1, instanceGroupId: 5, workflowId: 'w', runId: 'r', phase: 'released' },
      ...{ claimedAt: '2026-11-21T13:00:10Z', deliveredAt: '2026-11-21T13:00:12Z', endedAt: '2026-11-21T13:00:20Z' },
      releasedAt: '2026-11-21T13:00:21Z',
    })
    expect(await waiting(`jobs/${job}`)).toMatchObject({
      ...{ waiting: false, status: 'successful', reason: null, explanation: '', since: null, groups: [] },
      waited: [
        { reason: 'preparation', seconds: 1 },
        { reason: 'capacity', what: 'rec-cg', seconds: 9 },
        { reason: 'pod', seconds: 2 },
      ],
      passed_over: [{ group: 3, name: 'cg', why: 'full', until: '2026-11-21T13:00:20Z' }],
    })
    const { body } = await app.call('GET', `/api/v2/jobs/${job}/`)
    expect(body.passed_over).toMatchObject([{ group: 3, why: 'full', since: '2026-11-21T13:00:01.000000Z' }])
  })

  test('a pod that is not ready yet', async () => {
    const job = await launched()
    await change(job, { status: 'waiting' })
    await app.store.db.insert(attempts).values({
      ...{ jobId: job, number: 1, instanceGroupId: 5, workflowId: 'w', runId: 'r', phase: 'created' },
      ...{ namespace: 'jobs', podName: 'automation-job-1', podCreatedAt: '2026-11-21T13:00:10Z' },
    })
    expect(await waiting(`jobs/${job}`)).toMatchObject({
      ...{ waiting: true, reason: 'pod', since: '2026-11-21T13:00:10Z' },
      explanation: "Waiting for its pod jobs/automation-job-1 in instance group 'rec-cg' to be ready.",
    })
  })
})
