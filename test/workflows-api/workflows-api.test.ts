/** Workflows as AWX's clients drive them, web hooks with the answers to the service, hosts that call back. */
import { createHmac } from 'node:crypto'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { until } from '../../dev/wait.ts'
import { awxCommand, awxkitPython, type CommandResult } from '../setup/awx-command.ts'
import { type Catalog, localHost, makeCatalog, makeTemplate } from '../setup/catalog.ts'
import { type Mayfly, startMayfly } from '../setup/mayfly.ts'

const playbook = `
- hosts: all
  gather_facts: false
  tasks:
    - ansible.builtin.debug: { msg: "{{ greeting | default('no greeting') }} {{ awx_webhook_event_ref | default('') }}" }
`

/** As awxkit's own page does it; its command has no word for it. */
const approveAll = `
import os
from awxkit import api, config, utils
config.base_url = os.environ['CONTROLLER_HOST']
config.use_sessions = True
config.credentials = utils.PseudoNamespace({'default': utils.PseudoNamespace(
    {'username': 'admin', 'password': os.environ['CONTROLLER_PASSWORD']})})
v2 = api.Api().load_session().get().available_versions.v2.get()
for approval in v2.workflow_approvals.get(status='pending').results:
    approval.approve()
    print('approved', approval.name)
`

let mayfly: Mayfly
let catalog: Catalog
let awx: (...args: string[]) => Promise<CommandResult>
let python: (code: string, ...args: string[]) => Promise<CommandResult>
let service: Service

beforeAll(async () => {
  mayfly = await startMayfly()
  catalog = await makeCatalog(mayfly, { files: { 'hello.yml': playbook }, hosts: ['one'] })
  ;[awx, python, service] = await Promise.all([awxCommand(mayfly), awxkitPython(mayfly), startService()])
})
afterAll(async () => {
  await mayfly?.stop()
  await service?.stop()
})

/** A connection that is kept is ended by the server when it is idle for seconds, as between tests. */
const oneRequest = { connection: 'close' }

interface Report {
  path: string
  headers: IncomingHttpHeaders
  body: Record<string, string>
}

/** A service that keeps states of commits; the first report of all it answers with 503. */
interface Service {
  origin: string
  reports: Report[]
  stop(): Promise<void>
}

async function startService(): Promise<Service> {
  const reports: Report[] = []
  const server = createServer(async (request, response) => {
    let text = ''
    for await (const chunk of request) text += chunk
    reports.push({ path: request.url ?? '', headers: request.headers, body: JSON.parse(text) })
    response.writeHead(reports.length === 1 ? 503 : 201).end('{}')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    reports,
    stop: () => new Promise((resolve) => server.close(() => resolve())),
  }
}

async function json(...args: string[]): Promise<{ id: number }> {
  const { exitCode, stdout, stderr } = await awx(...args)
  expect(exitCode, stderr || stdout).toBe(0)
  return JSON.parse(stdout)
}

/** The approval that waits for somebody's word. */
const pendingApproval = (workflowJob: number) =>
  until({ what: 'an approval to wait', seconds: 180 }, async () => {
    const path = `/workflow_approvals/?status=pending&unified_job_node__workflow_job=${workflowJob}`
    const { results } = await mayfly.get<{ results: { id: number; can_approve_or_deny: boolean }[] }>(path)
    return results[0]
  })

test('the awx command makes a workflow, launches it and follows it over an approval to its end', async () => {
  const template = await makeTemplate(mayfly, catalog, 'hello.yml', { ask_variables_on_launch: true })
  const workflow = await json(
    ...['workflow_job_templates', 'create', '--name', 'release', '--organization', String(catalog.organization)],
    ...['--ask_variables_on_launch', 'true'],
  )
  const node = (identifier: string, ...more: string[]) =>
    json(
      ...[
        'workflow_job_template_nodes',
        'create',
        '--workflow_job_template',
        String(workflow.id),
        '--identifier',
        identifier,
      ],
      ...more,
    )
  const [first, gate, last] = [
    await node('first', '--unified_job_template', String(template)),
    await node('gate'),
    await node('last', '--unified_job_template', String(template), '--extra_data', '{"greeting": "from the node"}'),
  ]
  await mayfly.post(`/workflow_job_template_nodes/${gate.id}/create_approval_template/`, { name: 'go on?' })
  const link = (from: { id: number }, to: { id: number }) =>
    mayfly.api('POST', `/workflow_job_template_nodes/${from.id}/success_nodes/`, { id: to.id })
  expect([(await link(first, gate)).status, (await link(gate, last)).status]).toEqual([204, 204])

  const monitored = awx(
    ...['workflow_job_templates', 'launch', 'release', '--monitor', '--extra_vars', '{"greeting": "good morning"}'],
  )
  const run = await until({ what: 'the workflow to run', seconds: 180 }, async () => {
    const { results } = await mayfly.get<{ results: { id: number }[] }>(
      `/workflow_jobs/?unified_job_template=${workflow.id}`,
    )
    return results[0]
  })
  const approval = await pendingApproval(run.id)
  expect(approval.can_approve_or_deny).toBe(true)
  const approved = await python(approveAll)
  expect(approved, approved.stderr).toMatchObject({ exitCode: 0, stdout: 'approved go on?\n' })
  const { exitCode, stdout, stderr } = await monitored
  expect(exitCode, stderr).toBe(0)
  expect(stdout).toContain('Launching release')
  expect(stdout).toMatch(/go on\? successful/)

  const late = await mayfly.api('POST', `/workflow_approvals/${approval.id}/deny/`, {})
  expect([late.status, late.body]).toEqual([400, { error: 'This workflow step has already been approved or denied.' }])
  const shown = await mayfly.get(`/workflow_approvals/${approval.id}/`)
  expect(shown).toMatchObject({
    ...{ status: 'successful', can_approve_or_deny: false },
    summary_fields: { approved_or_denied_by: { username: 'admin' }, source_workflow_job: { id: run.id } },
  })
  // What the workflow was launched with wins over what its node says.
  const { results } = await mayfly.get<{ results: { identifier: string; job: number }[] }>(
    `/workflow_jobs/${run.id}/workflow_nodes/`,
  )
  const job = results.find(({ identifier }) => identifier === 'last')?.job
  const { text } = await mayfly.api('GET', `/jobs/${job}/stdout/?format=txt`, undefined, { accept: '*/*' })
  expect(text).toContain('good morning')
  expect(await mayfly.get(`/jobs/${job}/`)).toMatchObject({
    launch_type: 'workflow',
    related: { source_workflow_job: `/api/v2/workflow_jobs/${run.id}/` },
    summary_fields: { ancestor_job: { id: run.id, type: 'workflow_job' } },
  })
})

test('a template that is deleted while a run waits counts as failed, and the run goes on along the failure edge', async () => {
  const doomed = await makeTemplate(mayfly, catalog, 'hello.yml')
  const rescue = await makeTemplate(mayfly, catalog, 'hello.yml')
  const { id: workflow } = await mayfly.post('/workflow_job_templates/', { name: 'doomed' })
  const make = async (identifier: string, unified_job_template: number | null, below?: string) => {
    const fields = { identifier, unified_job_template }
    if (below) return await mayfly.post(below, fields)
    return await mayfly.post('/workflow_job_template_nodes/', { ...fields, workflow_job_template: workflow })
  }
  const gate = await make('gate', null)
  await mayfly.post(`/workflow_job_template_nodes/${gate.id}/create_approval_template/`, { name: 'wait' })
  const gone = await make('gone', doomed, `/workflow_job_template_nodes/${gate.id}/success_nodes/`)
  await make('rescue', rescue, `/workflow_job_template_nodes/${gone.id}/failure_nodes/`)
  const run = await mayfly.post<{ workflow_job: number }>(`/workflow_job_templates/${workflow}/launch/`, {})
  const approval = await pendingApproval(run.workflow_job)
  expect((await mayfly.api('DELETE', `/job_templates/${doomed}/`)).status).toBe(204)
  expect(await mayfly.get(`/workflow_job_templates/${workflow}/launch/`)).toMatchObject({
    node_templates_missing: [gone.id],
  })
  expect((await mayfly.api('POST', `/workflow_approvals/${approval.id}/approve/`)).status).toBe(204)
  const ended = await mayfly.ended(`/workflow_jobs/${run.workflow_job}/`)
  expect(ended.status, ended.job_explanation).toBe('successful')
  const { results } = await mayfly.get<{ results: Record<string, unknown>[] }>(
    `/workflow_jobs/${run.workflow_job}/workflow_nodes/?order_by=identifier`,
  )
  expect(results.map(({ identifier, job, unified_job_template: of }) => [identifier, job !== null, of])).toEqual([
    ['gate', true, expect.any(Number)],
    ['gone', false, null],
    ['rescue', true, rescue],
  ])
})

test('a web hook launches, and its service hears how the job stands, whatever it answers first', async () => {
  const sha = 'b'.repeat(40)
  const { results } = await mayfly.get<{ results: { id: number }[] }>('/credential_types/?namespace=github_token')
  const credential = await mayfly.post('/credentials/', {
    ...{ name: 'service', organization: catalog.organization, credential_type: results[0]?.id },
    inputs: { token: 'the-token-of-the-service' },
  })
  const template = await makeTemplate(mayfly, catalog, 'hello.yml', {
    ...{ webhook_service: 'github', webhook_credential: credential.id },
  })
  const { webhook_key: key } = await mayfly.get<{ webhook_key: string }>(`/job_templates/${template}/webhook_key/`)
  const body = JSON.stringify({ pull_request: { head: { sha }, statuses_url: `${service.origin}/statuses/${sha}` } })
  const deliver = () =>
    fetch(`${mayfly.url}/api/v2/job_templates/${template}/github/`, {
      method: 'POST',
      body,
      headers: {
        ...{
          ...oneRequest,
          'content-type': 'application/json',
          'X-GitHub-Event': 'pull_request',
          'X-GitHub-Delivery': 'guid-7',
        },
        'X-Hub-Signature-256': `sha256=${createHmac('sha256', key).update(body).digest('hex')}`,
      },
    })
  expect([(await deliver()).status, await (await deliver()).json()]).toEqual([
    202,
    { message: 'Webhook previously received, aborting.' },
  ])
  const jobs = await mayfly.get<{ results: { id: number }[] }>('/jobs/?webhook_guid=guid-7')
  const [job] = jobs.results
  expect(jobs.results).toHaveLength(1)
  expect(await mayfly.ended(`/jobs/${job?.id}/`)).toMatchObject({ status: 'successful' })
  const { text } = await mayfly.api('GET', `/jobs/${job?.id}/stdout/?format=txt`, undefined, { accept: '*/*' })
  expect(text).toContain(sha)
  await until({ what: 'the service to know of the success', seconds: 180 }, async () =>
    service.reports.some(({ body: { state } }) => state === 'success'),
  )
  const [refused, ...taken] = service.reports
  expect(refused?.body.state).toBe('pending')
  expect(taken.map(({ body: { state } }) => state)).toEqual(
    expect.arrayContaining([...(taken.length > 1 ? ['pending'] : []), 'success']),
  )
  for (const { path, headers, body } of service.reports) {
    expect([path, headers.authorization]).toEqual([`/statuses/${sha}`, 'token the-token-of-the-service'])
    expect(body).toMatchObject({ context: 'ansible/awx', target_url: expect.stringMatching(`/jobs/${job?.id}/$`) })
  }
  expect(mayfly.logs('worker')).not.toContain('the-token-of-the-service')
})

test('a host that calls back gets its play', async () => {
  const { results } = await mayfly.get<{ results: { id: number }[] }>(`/hosts/?inventory=${catalog.inventory}`)
  await mayfly.patch(`/hosts/${results[0]?.id}/`, { variables: `${localHost}\nansible_host: 127.0.0.1` })
  const template = await makeTemplate(mayfly, catalog, 'hello.yml', { host_config_key: 'k3y' })
  const answer = await fetch(`${mayfly.url}/api/v2/job_templates/${template}/callback/`, {
    method: 'POST',
    headers: oneRequest,
    body: new URLSearchParams({ host_config_key: 'k3y' }),
  })
  expect([answer.status, await answer.text()]).toEqual([201, ''])
  const location = answer.headers.get('location') ?? ''
  expect(await mayfly.ended(location.replace('/api/v2', ''))).toMatchObject({
    ...{ status: 'successful', launch_type: 'callback', limit: 'one' },
  })
})
