import { eq } from 'drizzle-orm'
import { describe, expect, test } from 'vitest'
import { cancelJob } from '../cancel-job.ts'
import type { JobRow } from '../job-status.ts'
import { unifiedJobs } from '../schema/jobs.ts'
import { workflowApprovalTemplates } from '../schema/workflows.ts'
import { storeKinds } from '../testing.ts'
import { decideApproval } from './approve.ts'
import { continueRun, restartRun } from './continue.ts'
import { NotNowError, retryNode, setPaused, skipNode } from './operate.ts'
import { runsForTests } from './testing-runs.ts'

describe.each(storeKinds)('what is done to workflow jobs on %s', (kind) => {
  const runs = runsForTests(kind)
  const { id, makeWorkflow, launch, begin, step, nodesOf, shown, jobOf, nodeOf, end, statusOf, messages } = runs

  test('cancel: nothing new is made, what nobody has begun ends at once, the rest is asked to end', async () => {
    const run = await launch(await makeWorkflow({ a: {}, b: {}, c: {} }, [['a', 'always', 'c']]))
    await step(run)
    const [begun, unbegun] = [await jobOf(run, 'a'), await jobOf(run, 'b')]
    await runs.store.db.update(unifiedJobs).set({ runId: 'child' }).where(eq(unifiedJobs.id, begun.id))
    const canceling = await step(run, { cancel: true })
    expect(canceling.cancel).toEqual([begun.id, unbegun.id])
    for (const one of canceling.cancel) await runs.store.db.transaction((tx) => cancelJob(tx, one))
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
    await setPaused(runs.store.db, run, true)
    await end(run, 'a', 'failed')
    await step(run)
    expect(await shown(run)).toMatchObject({ a: 'failed', b: 'never', c: 'never' })
    const failed = await jobOf(run, 'a')
    await retryNode(runs.store.db, await nodeOf(run, 'a'))
    expect((await step(run)).ended).toBeNull()
    expect(await shown(run)).toMatchObject({ a: '', b: '', c: '' })
    await setPaused(runs.store.db, run, false)
    expect((await step(run)).starts).toHaveLength(2)
    expect((await nodesOf(run)).get('a')?.node.earlierJobs).toEqual([failed.id])
    await expect(retryNode(runs.store.db, await nodeOf(run, 'a'))).rejects.toThrow(NotNowError)
    await end(run, 'a', 'failed')
    await step(run)
    await skipNode(runs.store.db, await nodeOf(run, 'a'))
    await step(run)
    expect(await shown(run)).toMatchObject({ a: 'failed', b: 'pending', c: '' })
    await end(run, 'b', 'successful')
    await step(run)
    await end(run, 'c', 'successful')
    await end(run, 'slow', 'successful')
    expect((await step(run)).ended).toMatchObject({ status: 'successful' })
    await expect(setPaused(runs.store.db, run, true)).rejects.toThrow(/continue/)
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
    const [row] = await runs.store.db.select().from(unifiedJobs).where(eq(unifiedJobs.id, run))
    const next = await runs.store.db.transaction((tx) =>
      continueRun(tx, row as JobRow, {
        keyring: runs.keyring,
        createdById: null,
        extraVars: { y: 2 },
        answers: {},
        passwords: {},
      }),
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

    await runs.store.db.transaction((tx) => restartRun(tx, run))
    await step(run)
    expect(await shown(run)).toEqual({ a: 'successful', b: 'pending', c: '', oops: '', d: '' })
  })

  test('approvals: one decision wins, and an early end of the time does not count', async () => {
    const approvalTemplate = id(
      await runs.store.db.insert(workflowApprovalTemplates).values({ name: 'go?', timeout: 60 }).returning(),
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
    expect(await decideApproval(runs.store.db, go.id, { decision: 'expire' })).toBe(false)
    expect(await decideApproval(runs.store.db, go.id, { decision: 'approve', userId: null })).toBe(true)
    expect(await decideApproval(runs.store.db, go.id, { decision: 'deny', userId: null })).toBe(false)
    await runs.store.db.update(unifiedJobs).set({ approvalExpiration: go.created }).where(eq(unifiedJobs.id, late.id))
    expect(await decideApproval(runs.store.db, late.id, { decision: 'expire' })).toBe(true)
    expect(await jobOf(run, 'late')).toMatchObject({
      status: 'failed',
      timedOut: true,
      jobExplanation: `The approval node go? (${late.id}) has expired after 60 seconds.`,
    })
    expect((await step(run)).ended).toMatchObject({ status: 'failed' })
  })
})
