/** What histories are recorded of: for each workflow type the courses that it can take. The name is `TYPE.SCENARIO`. */
import { createHmac } from 'node:crypto'
import { sql } from 'drizzle-orm'
import { until } from '../../dev/wait.ts'
import { podName } from '../../model/attempt.ts'
import { decideApproval } from '../../store/workflow/approve.ts'
import { nightlyPreflightsScheduleId, notificationWorkflowId, webhookStatusWorkflowId } from '../../workflows/names.ts'
import { credentialBehind } from '../faults/behind-proxy.ts'
import { FaultProxy } from '../faults/fault-proxy.ts'
import { launch, localHost } from '../setup/catalog.ts'
import { clusterAdmin } from '../setup/own-places.ts'
import { onceAt, secondsAhead } from '../setup/schedules.ts'
import type { Recorded, Stage } from './stage.ts'

/** Plays a scenario to its end. */
export type Scenario = (stage: Stage) => Promise<Recorded>

const hasAdmission = (stage: Stage, job: number) =>
  until({ what: `job ${job} to ask for a place`, seconds: 60, everyMs: 50 }, async () => {
    const history = await stage.operator.history(job).catch(() => [])
    return history.some(({ activity }) => activity === 'admit')
  })

async function cancel(stage: Stage, kind: string, id: number): Promise<void> {
  await stage.mayfly.post(`/${kind}/${id}/cancel/`)
}

/** A group that another job fills until `free` is called. */
async function fullGroup(stage: Stage) {
  const catalog = await stage.group({ max_concurrent_jobs: 1 })
  const holder = await launch(stage.mayfly, await stage.template('hold.yml', catalog))
  await stage.prints(holder, 'has begun')
  return { catalog, free: () => cancel(stage, 'jobs', holder) }
}

let made = 0

/** A git project whose first update has ended. */
async function gitProject(stage: Stage, fields: Record<string, unknown> = {}) {
  const { mayfly, git, catalog } = stage
  const name = `repository-${++made}`
  const play = '- hosts: all\n  gather_facts: false\n  tasks: [{debug: {msg: fine}}]\n'
  git.repository(name, { 'ok.yml': play, 'hosts.ini': 'web1\nweb2\n' })
  const body = { name, organization: catalog.organization, scm_type: 'git', scm_url: `${git.origin}/public/${name}` }
  const { id } = await mayfly.post('/projects/', { ...body, ...fields })
  const { results } = await mayfly.get<{ results: { id: number }[] }>(`/projects/${id}/project_updates/`)
  const first = results[0]?.id ?? 0
  await mayfly.ended(`/project_updates/${first}/`)
  return { id, name, first }
}

const startUpdate = async ({ mayfly }: Stage, project: number) =>
  (await mayfly.post<{ project_update: number }>(`/projects/${project}/update/`)).project_update

async function inventoryUpdate(stage: Stage, sourcePath: string): Promise<number> {
  const { mayfly, catalog } = stage
  const { id: project } = await gitProject(stage)
  const named = { name: `filled ${++made}` }
  const { id: inventory } = await mayfly.post('/inventories/', { ...named, organization: catalog.organization })
  const fields = { ...named, inventory, source: 'scm', source_project: project, source_path: sourcePath }
  const { id: source } = await mayfly.post('/inventory_sources/', fields)
  return (await mayfly.post<{ inventory_update: number }>(`/inventory_sources/${source}/update/`)).inventory_update
}

const notification = async (stage: Stage, path: string): Promise<Recorded> => {
  const { id } = await stage.mayfly.post('/notification_templates/', {
    ...{ name: `target ${++made}`, organization: stage.catalog.organization, notification_type: 'webhook' },
    notification_configuration: { url: `${stage.targetOrigin}${path}`, headers: {} },
  })
  const { notification } = await stage.mayfly.post<{ notification: number }>(`/notification_templates/${id}/test/`)
  return await stage.workflowClosed(notificationWorkflowId(notification))
}

async function approvalOf(stage: Stage, timeout = 0): Promise<number> {
  const { workflows } = stage
  const gate = await workflows.approvalTemplate(`gate ${++made}`, timeout)
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

async function scheduled(stage: Stage, template: number, fields: Record<string, unknown> = {}): Promise<Recorded> {
  const body = { name: `schedule ${++made}`, rrule: onceAt(secondsAhead(2)), unified_job_template: template }
  const { id } = await stage.mayfly.post('/schedules/', { ...body, ...fields })
  return await stage.anyClosed('scheduledLaunch', `WorkflowId STARTS_WITH "schedule-${id}-"`)
}

/** A template that a web hook of a service launches; the reports go where `path` of the target says. */
async function hooked(stage: Stage, path: string): Promise<Recorded> {
  const { mayfly, catalog, targetOrigin } = stage
  const { results } = await mayfly.get<{ results: { id: number }[] }>('/credential_types/?namespace=github_token')
  const { id: credential } = await mayfly.post('/credentials/', {
    ...{ name: `service ${++made}`, organization: catalog.organization, credential_type: results[0]?.id },
    inputs: { token: 'token' },
  })
  const template = await stage.template('ok.yml', catalog, {
    ...{ webhook_service: 'github', webhook_credential: credential },
  })
  const { webhook_key: key } = await mayfly.get<{ webhook_key: string }>(`/job_templates/${template}/webhook_key/`)
  const head = { sha: 'b'.repeat(40) }
  const body = JSON.stringify({ pull_request: { head, statuses_url: `${targetOrigin}${path}` } })
  const guid = `guid-${++made}`
  await fetch(`${mayfly.url}/api/v2/job_templates/${template}/github/`, {
    method: 'POST',
    body,
    headers: {
      ...{ 'content-type': 'application/json', 'X-GitHub-Event': 'pull_request', 'X-GitHub-Delivery': guid },
      'X-Hub-Signature-256': `sha256=${createHmac('sha256', key).update(body).digest('hex')}`,
    },
  })
  const jobs = await mayfly.get<{ results: { id: number }[] }>(`/jobs/?webhook_guid=${guid}`)
  const job = jobs.results[0]?.id ?? 0
  await mayfly.ended(`/jobs/${job}/`)
  return await stage.workflowClosed(webhookStatusWorkflowId(job))
}

/** Those that may be played beside each other. */
export const scenarios: Record<string, Scenario> = {
  'job.successful': async (stage) => stage.closed(await stage.launch('ok.yml')),
  'job.failed': async (stage) => stage.closed(await stage.launch('fail.yml')),
  'job.cancelled-while-waiting': async (stage) => {
    const { catalog, free } = await fullGroup(stage)
    const job = await launch(stage.mayfly, await stage.template('ok.yml', catalog))
    await hasAdmission(stage, job)
    await cancel(stage, 'jobs', job)
    await stage.closed(job)
    await free()
    return await stage.closed(job)
  },
  'job.waited-for-a-place': async (stage) => {
    const { catalog, free } = await fullGroup(stage)
    const job = await launch(stage.mayfly, await stage.template('ok.yml', catalog))
    await hasAdmission(stage, job)
    await free()
    return await stage.closed(job)
  },
  'job.cancelled-while-running': async (stage) => {
    const job = await stage.launch('hold.yml')
    await stage.prints(job, 'has begun')
    await cancel(stage, 'jobs', job)
    return await stage.closed(job)
  },
  'job.cancelled-in-temporal': async (stage) => {
    const job = await stage.launch('hold.yml')
    await stage.prints(job, 'has begun')
    await stage.operator.cancel(job)
    return await stage.closed(job)
  },
  'job.fell-back-to-another-group': async (stage) => {
    const { catalog, free } = await fullGroup(stage)
    const other = await stage.group({})
    const template = await stage.template('ok.yml', catalog)
    await stage.mayfly.post(`/job_templates/${template}/instance_groups/`, { id: other.group })
    const closed = await stage.closed(await launch(stage.mayfly, template))
    await free()
    return closed
  },
  'job.preferred-group-of-two': async (stage) => {
    const [preferred, other] = [await stage.group({}), await stage.group({})]
    const template = await stage.template('ok.yml', preferred)
    await stage.mayfly.post(`/job_templates/${template}/instance_groups/`, { id: other.group })
    return await stage.closed(await launch(stage.mayfly, template))
  },
  'job.cancelled-while-waiting-in-two-groups': async (stage) => {
    const [first, second] = [await fullGroup(stage), await fullGroup(stage)]
    const template = await stage.template('ok.yml', first.catalog)
    await stage.mayfly.post(`/job_templates/${template}/instance_groups/`, { id: second.catalog.group })
    const job = await launch(stage.mayfly, template)
    await until({ what: `job ${job} to ask both groups`, seconds: 60, everyMs: 100 }, async () => {
      const asked = (await stage.operator.history(job)).filter(
        ({ type, activity }) => type === 'ActivityTaskScheduled' && activity === 'admit',
      )
      return asked.length === 2
    })
    await cancel(stage, 'jobs', job)
    await stage.closed(job)
    await Promise.all([first.free(), second.free()])
    return await stage.closed(job)
  },
  'job.unusable-group': async (stage) => {
    // A namespace that does not exist.
    const override = JSON.stringify({ metadata: { namespace: 'no-such-namespace' } })
    return stage.closed(await stage.launch('ok.yml', { pod_spec_override: override }))
  },
  'job.unusable-group-of-two': async (stage) => {
    const override = JSON.stringify({ metadata: { namespace: 'no-such-namespace' } })
    const broken = await stage.group({ pod_spec_override: override })
    const template = await stage.template('ok.yml', broken)
    await stage.mayfly.post(`/job_templates/${template}/instance_groups/`, { id: stage.catalog.group })
    return await stage.closed(await launch(stage.mayfly, template))
  },
  'job.project-updated-first': async (stage) => {
    const { id } = await gitProject(stage, { scm_update_on_launch: true })
    const template = await stage.template('ok.yml', { ...stage.catalog, project: id })
    return await stage.closed(await launch(stage.mayfly, template))
  },
  'job.shared-a-project-update': async (stage) => {
    const { id, name } = await gitProject(stage, { scm_update_on_launch: true })
    const template = await stage.template('ok.yml', { ...stage.catalog, project: id })
    const letGo = stage.git.hold(name)
    const first = await launch(stage.mayfly, template)
    const waits = (job: number) =>
      until({ what: `job ${job} to wait for the update`, seconds: 60, everyMs: 50 }, async () => {
        const { job_explanation } = await stage.mayfly.get<{ job_explanation: string }>(`/jobs/${job}/`)
        return job_explanation.includes('waiting for project_update-')
      })
    await waits(first)
    const second = await launch(stage.mayfly, template)
    await waits(second)
    letGo()
    await stage.closed(first)
    return await stage.closed(second)
  },
  'job.project-update-failed': async (stage) => {
    const { id } = await gitProject(stage, { scm_update_on_launch: true })
    const template = await stage.template('ok.yml', { ...stage.catalog, project: id })
    await stage.mayfly.patch(`/projects/${id}/`, { scm_branch: 'nowhere' })
    return await stage.closed(await launch(stage.mayfly, template))
  },
  'job.one-at-a-time': async (stage) => {
    const template = await stage.template('short.yml', stage.catalog, { allow_simultaneous: false })
    const first = await launch(stage.mayfly, template)
    const second = await launch(stage.mayfly, template)
    await stage.closed(first)
    return await stage.closed(second)
  },
  'job.ad-hoc-command': async (stage) => {
    const { mayfly, catalog } = stage
    await mayfly.post(`/organizations/${catalog.organization}/instance_groups/`, { id: catalog.group })
    const types = await mayfly.get<{ results: { id: number }[] }>('/credential_types/?kind=ssh')
    const { id: credential } = await mayfly.post('/credentials/', {
      ...{ name: `machine ${++made}`, organization: catalog.organization, credential_type: types.results[0]?.id },
      inputs: { username: 'somebody' },
    })
    const fields = { module_name: 'ping', module_args: '', credential }
    const { id } = await mayfly.post(`/inventories/${catalog.inventory}/ad_hoc_commands/`, fields)
    return await stage.closed(id)
  },
  'job.reset-after-its-end': async (stage) => {
    const job = await stage.launch('ok.yml')
    await stage.closed(job)
    const runId = await stage.operator.reset(job)
    await stage.closed(job)
    return { workflowId: `job-${job}`, runId }
  },
  'job.reset-while-running': async (stage) => {
    const job = await stage.launch('short.yml')
    await stage.prints(job, 'has begun')
    const runId = await stage.operator.reset(job, 'admit')
    await stage.closed(job)
    return { workflowId: `job-${job}`, runId }
  },
  'job.tried-again-after-its-pod-was-deleted': async (stage) => {
    const template = await stage.template('short.yml', stage.catalog, { retry_policy: { lost_after_start: 1 } })
    const job = await launch(stage.mayfly, template)
    await stage.prints(job, 'has begun')
    const { stack, kubernetesNamespace: namespace } = stage.mayfly
    await clusterAdmin(stack).deleteNamespacedPod({ namespace, name: podName(job, 1), gracePeriodSeconds: 0 })
    return await stage.closed(job)
  },
  'job.held-on-failure': async (stage) => {
    const template = await stage.template('fail.yml', stage.catalog, { hold_on_failure_seconds: 2 })
    return await stage.closed(await launch(stage.mayfly, template))
  },
  'job.still-waiting': async (stage) => {
    const { catalog } = await fullGroup(stage)
    const job = await launch(stage.mayfly, await stage.template('ok.yml', catalog))
    await hasAdmission(stage, job)
    return { workflowId: `job-${job}` }
  },
  'job.still-running': async (stage) => {
    const job = await stage.launch('hold.yml')
    await stage.prints(job, 'has begun')
    return { workflowId: `job-${job}` }
  },
  'projectUpdate.successful': async (stage) => stage.closed((await gitProject(stage)).first),
  'projectUpdate.failed': async (stage) => {
    const { id } = await gitProject(stage)
    await stage.mayfly.patch(`/projects/${id}/`, { scm_branch: 'nowhere' })
    return await stage.closed(await startUpdate(stage, id))
  },
  'projectUpdate.cancelled-while-running': async (stage) => {
    const { id, name } = await gitProject(stage)
    const letGo = stage.git.hold(name)
    const update = await startUpdate(stage, id)
    await until({ what: 'the update to run', seconds: 60, everyMs: 50 }, async () => {
      return (await stage.mayfly.get<{ status: string }>(`/project_updates/${update}/`)).status === 'running'
    })
    await cancel(stage, 'project_updates', update)
    const closed = await stage.closed(update)
    letGo()
    return closed
  },
  'inventoryUpdate.successful': async (stage) => stage.closed(await inventoryUpdate(stage, 'hosts.ini')),
  'inventoryUpdate.failed': async (stage) => stage.closed(await inventoryUpdate(stage, 'nothing.ini')),
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
      ...{ name: `sliced ${++made}`, organization: catalog.organization },
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
  'systemJob.successful': async (stage) => {
    const { results } = await stage.mayfly.get<{ results: { id: number; job_type: string }[] }>(
      '/system_job_templates/',
    )
    const template = results.find(({ job_type }) => job_type === 'cleanup_sessions')?.id
    const path = `/system_job_templates/${template}/launch/`
    return await stage.closed((await stage.mayfly.post<{ system_job: number }>(path)).system_job)
  },
  'notification.sent': (stage) => notification(stage, '/200'),
  'notification.refused': (stage) => notification(stage, '/404'),
  'scheduledLaunch.launched': async (stage) => scheduled(stage, await stage.workflows.template({}, [])),
  'scheduledLaunch.failed': async (stage) => {
    const { mayfly, catalog } = stage
    const template = await stage.template('ok.yml', catalog)
    const recorded = scheduled(stage, template)
    await mayfly.patch(`/job_templates/${template}/`, { ask_inventory_on_launch: true, inventory: null })
    return await recorded
  },
  'webhookStatus.posted': (stage) => hooked(stage, '/201'),
  'webhookStatus.refused': (stage) => hooked(stage, '/404'),
  'reaper.one-pass': async (stage) => {
    await stage.operator.reap()
    return await stage.anyClosed('reaper', 'WorkflowId STARTS_WITH "reaper-by-hand"')
  },
  'preflight.report': async (stage) => {
    const { id } = await stage.mayfly.post(`/instance_groups/${stage.catalog.group}/test/`, { run_pod: false })
    return await stage.anyClosed('preflight', `WorkflowId = "preflight-${id}"`)
  },
  'nightlyPreflights.every-group': async (stage) => {
    await stage.operator.client.schedule.getHandle(nightlyPreflightsScheduleId).trigger()
    return await stage.anyClosed('nightlyPreflights', 'ExecutionStatus = "ContinuedAsNew"')
  },
}

/** Lets no run take a job, as a database that is away, until the returned function is called. */
async function refuseRuns({ workflows: { store } }: Stage): Promise<() => Promise<unknown>> {
  await store.db.execute(sql`
    CREATE FUNCTION refuse_runs() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'not now'; END $$`)
  await store.db.execute(sql`
    CREATE TRIGGER refuse_runs BEFORE UPDATE ON unified_jobs FOR EACH ROW
    WHEN (OLD.run_id IS NULL AND NEW.run_id IS NOT NULL) EXECUTE FUNCTION refuse_runs()`)
  return () => store.db.execute(sql`DROP FUNCTION refuse_runs CASCADE`)
}

/** Those that kill the worker or keep jobs from beginning, and so are played alone, after the others. */
export const loneScenarios: Record<string, Scenario> = {
  'job.prepared-in-the-queue': async (stage) => {
    const letGo = await refuseRuns(stage)
    const job = await stage.launch('ok.yml')
    await until({ what: `job ${job} to prepare in the queue`, seconds: 60, everyMs: 50 }, async () => {
      const history = await stage.operator.history(job).catch(() => [])
      return history.some(({ activity }) => activity === 'prepare')
    })
    await letGo()
    return await stage.closed(job)
  },
  'job.retried-after-kill': async (stage) => {
    const job = await stage.launch('short.yml')
    await stage.prints(job, 'has begun')
    await stage.mayfly.restart('worker')
    return await stage.closed(job)
  },
  'job.worker-killed-while-waiting': async (stage) => {
    const { catalog, free } = await fullGroup(stage)
    const job = await launch(stage.mayfly, await stage.template('ok.yml', catalog))
    await hasAdmission(stage, job)
    await stage.mayfly.restart('worker')
    await free()
    return await stage.closed(job)
  },
  'job.admission-resumed': async (stage) => {
    const { mayfly } = stage
    const proxy = await FaultProxy.before(mayfly.stack)
    try {
      const credential = await credentialBehind(proxy, mayfly, stage.catalog.organization)
      const catalog = await stage.group({ max_concurrent_jobs: 1, credential })
      const match = { verb: 'create', resource: 'pods' } as const
      const held = proxy.add({ match, fault: { kind: 'hold', when: 'before' } })
      const job = await launch(mayfly, await stage.template('ok.yml', catalog))
      await held.met
      // Its own claim fills the group.
      await mayfly.restart('worker')
      proxy.remove(held)
      return await stage.closed(job)
    } finally {
      await proxy.stop()
    }
  },
  'workflowJob.worker-killed': async (stage) => {
    const { workflows } = stage
    const nodes = {
      a: { template: await stage.template('short.yml') },
      b: { template: await stage.template('ok.yml') },
    }
    const run = await workflows.launch(await workflows.template(nodes, ['a success b']))
    await workflows.jobOf(run, 'a', ['running'])
    await stage.mayfly.restart('worker')
    return await stage.closed(run)
  },
}
