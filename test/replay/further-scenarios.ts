/** The courses that updates, deliveries, schedules and what works in the background can take. */
import { createHmac } from 'node:crypto'
import { until } from '../../dev/wait.ts'
import { nightlyPreflightsScheduleId, notificationWorkflowId, webhookStatusWorkflowId } from '../../workflows/names.ts'
import { onceAt, secondsAhead } from '../setup/schedules.ts'
import type { Recorded, Stage } from './stage.ts'
import { cancel, fresh, gitProject, type Scenario } from './steps.ts'

const startUpdate = async ({ mayfly }: Stage, project: number) =>
  (await mayfly.post<{ project_update: number }>(`/projects/${project}/update/`)).project_update

async function inventoryUpdate(stage: Stage, sourcePath: string): Promise<number> {
  const { mayfly, catalog } = stage
  const { id: project } = await gitProject(stage)
  const named = { name: fresh('filled') }
  const { id: inventory } = await mayfly.post('/inventories/', { ...named, organization: catalog.organization })
  const fields = { ...named, inventory, source: 'scm', source_project: project, source_path: sourcePath }
  const { id: source } = await mayfly.post('/inventory_sources/', fields)
  return (await mayfly.post<{ inventory_update: number }>(`/inventory_sources/${source}/update/`)).inventory_update
}

const notification = async (stage: Stage, path: string): Promise<Recorded> => {
  const { id } = await stage.mayfly.post('/notification_templates/', {
    ...{ name: fresh('target'), organization: stage.catalog.organization, notification_type: 'webhook' },
    notification_configuration: { url: `${stage.targetOrigin}${path}`, headers: {} },
  })
  const { notification } = await stage.mayfly.post<{ notification: number }>(`/notification_templates/${id}/test/`)
  return await stage.workflowClosed(notificationWorkflowId(notification))
}

async function scheduled(stage: Stage, template: number, fields: Record<string, unknown> = {}): Promise<Recorded> {
  const body = { name: fresh('schedule'), rrule: onceAt(secondsAhead(2)), unified_job_template: template }
  const { id } = await stage.mayfly.post('/schedules/', { ...body, ...fields })
  return await stage.anyClosed('scheduledLaunch', `WorkflowId STARTS_WITH "schedule-${id}-"`)
}

/** A template that a web hook of a service launches; the reports go where `path` of the target says. */
async function hooked(stage: Stage, path: string): Promise<Recorded> {
  const { mayfly, catalog, targetOrigin } = stage
  const { results } = await mayfly.get<{ results: { id: number }[] }>('/credential_types/?namespace=github_token')
  const { id: credential } = await mayfly.post('/credentials/', {
    ...{ name: fresh('service'), organization: catalog.organization, credential_type: results[0]?.id },
    inputs: { token: 'token' },
  })
  const template = await stage.template('ok.yml', catalog, {
    ...{ webhook_service: 'github', webhook_credential: credential },
  })
  const { webhook_key: key } = await mayfly.get<{ webhook_key: string }>(`/job_templates/${template}/webhook_key/`)
  const head = { sha: 'b'.repeat(40) }
  const body = JSON.stringify({ pull_request: { head, statuses_url: `${targetOrigin}${path}` } })
  const guid = fresh('guid')
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

/** May be played beside each other. */
export const furtherScenarios: Record<string, Scenario> = {
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
