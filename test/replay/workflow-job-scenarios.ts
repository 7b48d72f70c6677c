/** The courses that workflow jobs and their approvals can take. */
import { until } from '../../dev/wait.ts'
import { decideApproval } from '../../store/workflow/approve.ts'
import { localHost } from '../setup/catalog.ts'
import type { Stage } from './stage.ts'
import { cancel, fresh, type Scenario } from './steps.ts'

async function approvalOf(stage: Stage, timeout = 0): Promise<number> {
  const { workflows } = stage
  const gate = await workflows.approvalTemplate(fresh('gate'), timeout)
  const run = await workflows.launch(
    await workflows.template({ gate: { template: gate, type: 'workflow_approval_template' } }, []),
  )
  return await workflows.jobOf(run, 'gate')
}

const decided =
  (decision: 'approve' | 'deny'): Scenario =>
  async (stage) => {
    const approval = await approvalOf(stage)
    await stage.workflows.jobOf((await stage.workflows.row(approval)).workflowJobId ?? 0, 'gate', ['pending'])
    await decideApproval(stage.workflows.store.db, approval, { decision, userId: 1 })
    return await stage.closed(approval)
  }

/** May be played beside each other. */
export const workflowJobScenarios: Record<string, Scenario> = {
  'workflowJob.both-branches': async (stage) => {
    const [ok, fail] = [await stage.template('ok.yml'), await stage.template('fail.yml')]
    const edges = ['first failure rescue', 'first success never', 'rescue success last'] as const
    const nodes = {
      first: { template: fail },
      rescue: { template: ok },
      never: { template: ok },
      last: { template: ok },
    }
    return await stage.closed(await stage.workflows.launch(await stage.workflows.template(nodes, [...edges])))
  },
  'workflowJob.cancelled-while-running': async (stage) => {
    const { workflows } = stage
    const nodes = { hold: { template: await stage.template('hold.yml') } }
    const run = await workflows.launch(await workflows.template(nodes, []))
    await stage.prints(await workflows.jobOf(run, 'hold', ['running']), 'has begun')
    await cancel(stage, 'workflow_jobs', run)
    return await stage.closed(run)
  },
  'workflowJob.nested-and-sliced': async (stage) => {
    const { workflows, mayfly, catalog } = stage
    const { id: inventory } = await mayfly.post('/inventories/', {
      ...{ name: fresh('sliced'), organization: catalog.organization },
    })
    for (const name of ['h1', 'h2']) await mayfly.post('/hosts/', { name, inventory, variables: localHost })
    const sliced = await stage.template('ok.yml', { ...catalog, inventory }, { job_slice_count: 2 })
    const inner = await workflows.template({ only: { template: await stage.template('ok.yml') } }, [])
    const nodes = { nested: { template: inner, type: 'workflow_job_template' as const }, sliced: { template: sliced } }
    return await stage.closed(await workflows.launch(await workflows.template(nodes, ['nested success sliced'])))
  },
  'workflowJob.one-at-a-time': async (stage) => {
    const { workflows } = stage
    const nodes = { only: { template: await stage.template('short.yml') } }
    const template = await workflows.template(nodes, [], { allowSimultaneous: false })
    const first = await workflows.launch(template)
    const second = await workflows.launch(template)
    await stage.closed(first)
    return await stage.closed(second)
  },
  'workflowJob.without-nodes': async (stage) =>
    stage.closed(await stage.workflows.launch(await stage.workflows.template({}, []))),
  'workflowJob.begun-anew': async (stage) => {
    const { workflows } = stage
    const inner = await workflows.template({}, [])
    const names = Array.from({ length: 60 }, (_, index) => `n${index}`)
    const nodes = Object.fromEntries(
      names.map((name) => [name, { template: inner, type: 'workflow_job_template' as const }]),
    )
    const run = await workflows.launch(await workflows.template(nodes, []))
    const workflowId = `job-${run}`
    const { runId } = await until({ what: 'its first run', seconds: 60 }, async () => {
      const { raw } = await stage.operator.describe(run)
      const runId = raw.workflowExecutionInfo?.firstRunId
      return runId ? { runId } : undefined
    })
    await stage.workflows.ended(run)
    await stage.closed(run)
    return { workflowId, runId }
  },
  'approval.approved': decided('approve'),
  'approval.denied': decided('deny'),
  'approval.timed-out': async (stage) => stage.closed(await approvalOf(stage, 2)),
  'approval.cancelled': async (stage) => {
    const approval = await approvalOf(stage)
    await cancel(stage, 'workflow_jobs', (await stage.workflows.row(approval)).workflowJobId ?? 0)
    return await stage.closed(approval)
  },
}
