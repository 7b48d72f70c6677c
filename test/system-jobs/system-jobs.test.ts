/** The house is cleaned by launching what comes with it; the awx command drives ad hoc commands and inventory updates. */
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { awxCommand, type CommandResult } from '../setup/awx-command.ts'
import { type Catalog, inNamespace, makeCatalog } from '../setup/catalog.ts'
import { startGitServer } from '../setup/git-server.ts'
import { type Mayfly, startMayfly } from '../setup/mayfly.ts'
import { Undo } from '../setup/own-places.ts'

interface SystemJob {
  id: number
  status: string
  result_stdout: string
  job_explanation: string
  execution_node: string
  event_processing_finished: boolean
}

const undo = new Undo()
let mayfly: Mayfly
let catalog: Catalog
let awx: (...args: string[]) => Promise<CommandResult>
let origin: string
/** Ids of the templates by the kind of work. */
const templates: Record<string, number> = {}

beforeAll(async () => {
  mayfly = await startMayfly()
  undo.add(() => mayfly.stop())
  const server = await startGitServer(join(mayfly.folder, 'repositories'))
  undo.add(() => server.stop())
  server.repository('inventories', { 'hosts.ini': 'web1\nweb2\n' })
  origin = server.origin
  catalog = await makeCatalog(mayfly, { files: { 'none.yml': '- hosts: all\n' }, hosts: ['one'] })
  await mayfly.patch('/instance_groups/default/', { pod_spec_override: inNamespace(mayfly) })
  awx = await awxCommand(mayfly)
  const page = await mayfly.get<{ results: { id: number; job_type: string }[] }>('/system_job_templates/')
  for (const { id, job_type } of page.results) templates[job_type] = id
})
afterAll(() => undo.all())

async function run(jobType: string, extra_vars: unknown = {}): Promise<SystemJob> {
  const path = `/system_job_templates/${templates[jobType]}/launch/`
  const { system_job: id } = await mayfly.post<{ system_job: number }>(path, { extra_vars })
  await mayfly.ended(`/system_jobs/${id}/`)
  return await mayfly.get<SystemJob>(`/system_jobs/${id}/`)
}

/** Runs the command; its own words are in the failure. */
async function awxOutput(...args: string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await awx(...args)
  expect(exitCode, stderr || stdout).toBe(0)
  return stdout
}

test('four templates come with the release, and nobody else makes or deletes one', async () => {
  expect(Object.keys(templates).toSorted()).toEqual([
    ...['cleanup_activitystream', 'cleanup_jobs', 'cleanup_sessions', 'cleanup_tokens'],
  ])
  const path = `/system_job_templates/${templates.cleanup_jobs}/`
  expect((await mayfly.api('DELETE', path)).status).toBe(405)
  await mayfly.post('/users/', { username: 'somebody', password: 'some-long-password' })
  const auth = `Basic ${Buffer.from('somebody:some-long-password').toString('base64')}`
  const refused = await mayfly.api('GET', '/system_job_templates/', undefined, { authorization: auth })
  expect([refused.status, refused.body]).toEqual([403, { detail: 'Superuser privileges needed.' }])
  expect((await mayfly.api('POST', `${path}launch/`, {}, { authorization: auth })).status).toBe(403)
})

test('old jobs are removed, young ones and the job itself stay; one at a time', async () => {
  const database = new pg.Client(mayfly.databaseUrl)
  await database.connect()
  const old = await database.query<{ id: number }>(
    `INSERT INTO unified_jobs (type, name, status, created) VALUES ('ad_hoc_command', 'old', 'successful', now() - interval '10 days') RETURNING id`,
  )
  await database.end()
  const path = `/ad_hoc_commands/${old.rows[0]?.id}/`
  const [dry, wet] = await Promise.all([run('cleanup_jobs', { days: 9, dry_run: true }), run('cleanup_activitystream')])
  expect(dry).toMatchObject({ status: 'successful', event_processing_finished: true })
  expect(dry.result_stdout).toContain('ad_hoc_command: 1 that would be deleted, 0 skipped.')
  expect(dry.execution_node).not.toBe('')
  expect(wet.result_stdout).toBe('There is no activity stream here, so there is nothing to remove.\n')
  expect((await mayfly.api('GET', path)).status).toBe(200)
  const cleaned = await run('cleanup_jobs', 'days: 9')
  expect(cleaned.result_stdout).toContain('ad_hoc_command: 1 deleted, 0 skipped.')
  expect((await mayfly.api('GET', path)).status).toBe(404)
  const printed = await mayfly.api('GET', `/system_jobs/${cleaned.id}/stdout/?format=txt`)
  expect(printed.text.trimEnd()).toBe(cleaned.result_stdout.trimEnd())
  expect((await run('cleanup_tokens')).result_stdout).toMatch(/^Expired OAuth 2 Access Tokens deleted: \d+\n/)
  expect((await run('cleanup_sessions')).result_stdout).toMatch(/^Expired Sessions deleted: \d+\n$/)
})

test('days that are none are refused', async () => {
  const path = `/system_job_templates/${templates.cleanup_jobs}/launch/`
  for (const days of [-1, 'many', 1.5]) {
    const answer = await mayfly.api('POST', path, { extra_vars: { days } })
    expect([answer.status, answer.body]).toEqual([400, { extra_vars: [expect.stringMatching(/^days must be/)] }])
  }
})

test('a workflow updates an inventory source, then cleans with the days that its node says', async () => {
  const git = { scm_type: 'git', scm_url: `${origin}/public/inventories` }
  const { organization } = catalog
  const project = (await mayfly.post('/projects/', { name: 'of workflow', organization, ...git })).id
  const inventory = (await mayfly.post('/inventories/', { name: 'of workflow', organization })).id
  const body = { name: 'source', inventory, source: 'scm', source_project: project, source_path: 'hosts.ini' }
  const source = (await mayfly.post('/inventory_sources/', body)).id
  const workflow = (await mayfly.post('/workflow_job_templates/', { name: 'night shift', organization })).id
  const node = async (fields: Record<string, unknown>) =>
    (await mayfly.post(`/workflow_job_templates/${workflow}/workflow_nodes/`, fields)).id
  const first = await node({ unified_job_template: source })
  const second = await node({ unified_job_template: templates.cleanup_jobs, extra_data: { days: 777 } })
  await mayfly.post(`/workflow_job_template_nodes/${first}/success_nodes/`, { id: second })
  const { workflow_job: id } = await mayfly.post<{ workflow_job: number }>(
    `/workflow_job_templates/${workflow}/launch/`,
  )
  const ended = await mayfly.ended(`/workflow_jobs/${id}/`)
  expect(ended.status, ended.job_explanation).toBe('successful')
  const updates = await mayfly.get(`/inventory_updates/?inventory=${inventory}`)
  expect(updates).toMatchObject({ count: 1, results: [{ launch_type: 'workflow', status: 'successful' }] })
  const jobs = await mayfly.get<{ results: SystemJob[] }>('/system_jobs/?launch_type=workflow')
  expect(jobs.results).toMatchObject([{ status: 'successful' }])
  expect(jobs.results[0]?.result_stdout).toContain('Jobs older than 777 days')
})

test('the awx command runs an ad hoc command, updates an inventory source and follows it; it shows system jobs', async () => {
  // awxkit has no command that launches one: 24.6.1 knows `list` and `get` of them.
  expect(JSON.parse(await awxOutput('system_job_templates', 'list'))).toMatchObject({ count: 4 })
  const { id } = await run('cleanup_tokens')
  expect(await awxOutput('system_jobs', 'get', String(id))).toContain('Expired OAuth 2 Access Tokens deleted')

  const types = await mayfly.get<{ results: { id: number }[] }>('/credential_types/?kind=ssh')
  const body = { name: 'machine', organization: catalog.organization, credential_type: types.results[0]?.id }
  const credential = (await mayfly.post('/credentials/', body)).id
  // `--monitor` of this one command fails in 24.6.1 itself: it compares its absent interval with a number.
  const command = JSON.parse(
    await awxOutput(
      ...['ad_hoc_commands', 'create', '--inventory', String(catalog.inventory), '--credential', String(credential)],
      ...['--module_name', 'command', '--module_args', 'echo from the command line'],
    ),
  )
  expect(await mayfly.ended(`/ad_hoc_commands/${command.id}/`)).toMatchObject({ status: 'successful' })
  expect(await awxOutput('ad_hoc_commands', 'stdout', String(command.id))).toContain('from the command line')

  const git = { scm_type: 'git', scm_url: `${origin}/public/inventories` }
  const project = (await mayfly.post('/projects/', { name: 'git', organization: catalog.organization, ...git })).id
  const created = await awxOutput(
    ...['inventory_sources', 'create', '--name', 'source', '--inventory', String(catalog.inventory), '--source', 'scm'],
    ...['--source_project', String(project), '--source_path', 'hosts.ini', '--overwrite', 'true'],
  )
  const updated = await awxOutput('inventory_sources', 'update', String(JSON.parse(created).id), '--monitor')
  expect(updated).toContain('Loaded 0 groups, 2 hosts')
  expect(JSON.parse(await awxOutput('hosts', 'list', '--inventory', String(catalog.inventory)))).toMatchObject({
    count: 3,
  })
})
