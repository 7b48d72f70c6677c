/** The courses that a job can take. */
import { until } from '../../dev/wait.ts'
import { podName } from '../../model/attempt.ts'
import { launch } from '../setup/catalog.ts'
import { clusterAdmin } from '../setup/cluster-admin.ts'
import { cancel, fresh, fullGroup, gitProject, hasAdmission, type Scenario } from './steps.ts'

/** May be played beside each other. */
export const jobScenarios: Record<string, Scenario> = {
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
    // The job of a node waits in its workflow; one that is launched by itself would rest in the outbox.
    const { workflows } = stage
    const second = await workflows.jobOf(
      await workflows.launch(await workflows.template({ only: { template } }, [])),
      'only',
    )
    await stage.closed(first)
    return await stage.closed(second)
  },
  'job.ad-hoc-command': async (stage) => {
    const { mayfly, catalog } = stage
    await mayfly.post(`/organizations/${catalog.organization}/instance_groups/`, { id: catalog.group })
    const types = await mayfly.get<{ results: { id: number }[] }>('/credential_types/?kind=ssh')
    const { id: credential } = await mayfly.post('/credentials/', {
      ...{ name: fresh('machine'), organization: catalog.organization, credential_type: types.results[0]?.id },
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
}
