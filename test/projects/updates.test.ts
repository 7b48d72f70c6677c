import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { awxCommand } from '../setup/awx-command.ts'
import { type Catalog, launch, makeCatalog, makeTemplate } from '../setup/catalog.ts'
import { type GitServer, startGitServer } from '../setup/git-server.ts'
import { type Mayfly, startMayfly } from '../setup/mayfly.ts'

/** Project updates as jobs: where they run, who waits for whom, and what becomes of those who wait. */

const play = '- hosts: all\n  gather_facts: false\n  tasks: [{debug: {msg: it runs}}]\n'

let mayfly: Mayfly
let catalog: Catalog
let server: GitServer
beforeAll(async () => {
  mayfly = await startMayfly()
  server = await startGitServer(join(mayfly.folder, 'repositories'))
  catalog = await makeCatalog(mayfly, { files: { 'site.yml': play } })
})
afterAll(async () => {
  await Promise.all([mayfly?.stop(), server?.stop()])
})

interface UpdateOnWire {
  id: number
  status: string
  job_explanation: string
  scm_revision: string
  scm_branch: string
  execution_node: string
  launch_type: string
  summary_fields: Record<string, { id: number; name: string; is_container_group?: boolean }>
}
interface Page<Row> {
  count: number
  results: Row[]
}

/** A repository of this name and a project of it, whose first update has ended. */
async function project(name: string, fields: Record<string, unknown> = {}) {
  const repository = server.repository(name, { 'site.yml': play })
  const body = { name, organization: catalog.organization, scm_type: 'git', scm_url: `${server.origin}/public/${name}` }
  const { id } = await mayfly.post('/projects/', { ...body, ...fields })
  await mayfly.ended(`/project_updates/${(await updatesOf(id))[0]?.id}/`)
  return { id, repository }
}

/** Oldest first. */
async function updatesOf(projectId: number): Promise<UpdateOnWire[]> {
  return (await mayfly.get<Page<UpdateOnWire>>(`/projects/${projectId}/project_updates/?order_by=id`)).results
}

const templateOf = (projectId: number) =>
  makeTemplate(mayfly, { ...catalog, project: projectId }, 'site.yml', { allow_simultaneous: true })
const startUpdate = async (projectId: number) =>
  (await mayfly.post<{ project_update: number }>(`/projects/${projectId}/update/`)).project_update
const get = (path: string) => mayfly.get<UpdateOnWire>(path)
const explained = (path: string, text: string) =>
  expect.poll(async () => (await get(path)).job_explanation).toContain(text)
const isRunning = (path: string) => expect.poll(async () => (await get(path)).status).toBe('running')

/** Resolves when nothing has to happen before the job any more: it knows what it runs. */
const isSettled = (job: number) =>
  expect.poll(async () => (await get(`/jobs/${job}/`)).scm_revision).toMatch(/^[0-9a-f]{40}$/)

/** Saves the time that a job would take whose end nobody looks at; one that was quick has ended. */
const noMoreOf = async (job: number) =>
  expect([202, 405]).toContain((await mayfly.api('POST', `/jobs/${job}/cancel/`)).status)

test('rows 13, 14 and 50: an update runs on the control plane, also where the organization has a container group only', async () => {
  await mayfly.post(`/organizations/${catalog.organization}/instance_groups/`, { id: catalog.group })
  const { id, repository } = await project('placed')
  const [update] = await updatesOf(id)
  expect(update).toMatchObject({
    status: 'successful',
    scm_revision: repository.git('rev-parse', 'HEAD'),
    summary_fields: {
      instance_group: { name: 'controlplane', is_container_group: false },
      execution_environment: { name: 'Control Plane Execution Environment' },
      project: { id },
    },
  })
  // AWX does not show the controller of an update; it is the node that executed it.
  const database = new pg.Client(mayfly.databaseUrl)
  await database.connect()
  const { rows } = await database.query('SELECT execution_node, controller_node FROM unified_jobs WHERE id = $1', [
    update?.id,
  ])
  await database.end()
  expect(rows).toEqual([{ execution_node: update?.execution_node, controller_node: update?.execution_node }])
  expect(update?.execution_node).not.toBe('')
  expect(await get(`/projects/${id}/`)).toMatchObject({ status: 'successful', scm_revision: update?.scm_revision })
})

test('ten jobs launched at once lead to one update, and run what it brought', async () => {
  const { id, repository } = await project('shared', { scm_update_on_launch: true })
  const template = await templateOf(id)
  const revision = repository.commit({ 'new.txt': 'x' })
  const letGo = server.hold('shared')
  const jobs = await Promise.all(Array.from({ length: 10 }, () => launch(mayfly, template)))
  for (const job of jobs) await explained(`/jobs/${job}/`, 'waiting for project_update-')
  // Whoever started the update: it is everybody's, so one job's cancel leaves it alone.
  for (const job of jobs.slice(2)) await mayfly.post(`/jobs/${job}/cancel/`)
  for (const job of jobs.slice(2)) expect((await mayfly.ended(`/jobs/${job}/`)).status).toBe('canceled')
  letGo()
  const [one = 0, two = 0] = jobs
  await isSettled(two)
  await noMoreOf(two)
  expect((await mayfly.ended(`/jobs/${one}/`)).status).toBe('successful')
  expect((await get(`/jobs/${jobs[0]}/`)).scm_revision).toBe(revision)
  const updates = await updatesOf(id)
  expect(updates.slice(1)).toMatchObject([{ launch_type: 'dependency', status: 'successful', scm_revision: revision }])
})

test('an update that is young enough serves a later job, an older one does not', async () => {
  const { id } = await project('cached', { scm_update_on_launch: true, scm_update_cache_timeout: 3600 })
  const launchTo = async (what: string) => {
    const job = await launch(mayfly, await templateOf(id))
    await isSettled(job)
    await noMoreOf(job)
    return [what, (await updatesOf(id)).length]
  }
  expect(await launchTo('reuse')).toEqual(['reuse', 1])
  await mayfly.patch(`/projects/${id}/`, { scm_update_cache_timeout: 0 })
  expect(await launchTo('make')).toEqual(['make', 2])
})

test('a job whose update fails or is cancelled ends so, in the words that clients parse', async () => {
  const { id, repository } = await project('leaving', { scm_update_on_launch: true, scm_branch: 'main' })
  const template = await templateOf(id)
  const letGo = server.hold('leaving')
  const canceled = await launch(mayfly, template)
  await explained(`/jobs/${canceled}/`, 'waiting for project_update-')
  const [, held] = await updatesOf(id)
  expect((await mayfly.api('POST', `/project_updates/${held?.id}/cancel/`)).status).toBe(202)
  const link = (update: number) =>
    JSON.stringify({ job_type: 'project_update', job_name: 'leaving', job_id: String(update) }).replace(
      /([,:])"/g,
      '$1 "',
    )
  expect(await mayfly.ended(`/jobs/${canceled}/`)).toMatchObject({
    status: 'canceled',
    job_explanation: `Previous Task Canceled: ${link(held?.id ?? 0)}`,
  })
  expect((await get(`/project_updates/${held?.id}/`)).status).toBe('canceled')
  letGo()

  repository.git('branch', '-m', 'main', 'elsewhere')
  const failed = await launch(mayfly, template)
  const ended = await mayfly.ended(`/jobs/${failed}/`)
  const [, , update] = await updatesOf(id)
  expect(ended).toMatchObject({ status: 'failed', job_explanation: `Previous Task Failed: ${link(update?.id ?? 0)}` })
  expect(update?.job_explanation).toContain('Failed to find "main" in the repository')

  // Now that the project has failed: without update on launch nothing is launched at all.
  await mayfly.patch(`/projects/${id}/`, { scm_update_on_launch: false })
  expect((await mayfly.api('POST', `/job_templates/${template}/launch/`, {})).body).toEqual({
    playbook: ['Missing a revision to run due to failed project update.'],
  })
})

test('a branch of the job’s own that is not there fails the job by its sync, and nothing of the project', async () => {
  const { id, repository } = await project('branches', { allow_override: true })
  const template = await makeTemplate(mayfly, { ...catalog, project: id }, 'site.yml', { scm_branch: 'nowhere' })
  const job = await launch(mayfly, template)
  const ended = await mayfly.ended(`/jobs/${job}/`)
  const [, sync] = await updatesOf(id)
  expect(sync).toMatchObject({ launch_type: 'sync', scm_branch: 'nowhere', status: 'failed' })
  expect(ended).toMatchObject({ status: 'failed', job_explanation: expect.stringContaining(`"job_id": "${sync?.id}"`) })
  expect((await get(`/projects/${id}/`)).status).toBe('successful')

  // The sync is the job's own: it goes with the job.
  repository.git('branch', 'nowhere')
  const letGo = server.hold('branches')
  const canceled = await launch(mayfly, template)
  await explained(`/jobs/${canceled}/`, 'waiting for project_update-')
  const own = (await updatesOf(id)).at(-1)?.id
  await isRunning(`/project_updates/${own}/`)
  await mayfly.post(`/jobs/${canceled}/cancel/`)
  expect((await mayfly.ended(`/jobs/${canceled}/`)).status).toBe('canceled')
  expect((await mayfly.ended(`/project_updates/${own}/`)).status).toBe('canceled')
  letGo()
})

test('updates of one project run one after the other; a running one is cancelled, and ended ones are deleted', async () => {
  const { id } = await project('queue')
  const letGo = server.hold('queue')
  const first = await startUpdate(id)
  await isRunning(`/project_updates/${first}/`)
  const second = await startUpdate(id)
  const third = await startUpdate(id)
  await explained(`/project_updates/${second}/`, `waiting for project_update-${first} to finish`)
  await explained(`/project_updates/${third}/`, 'waiting for project_update-')
  expect((await mayfly.api('DELETE', `/project_updates/${first}/`)).body).toEqual({
    detail: 'Cannot delete running job resource.',
  })
  for (const update of [first, third]) {
    expect((await mayfly.api('POST', `/project_updates/${update}/cancel/`)).status).toBe(202)
    expect((await mayfly.ended(`/project_updates/${update}/`)).status).toBe('canceled')
  }
  await isRunning(`/project_updates/${second}/`)
  letGo()
  expect((await mayfly.ended(`/project_updates/${second}/`)).status).toBe('successful')
  expect((await mayfly.api('POST', `/project_updates/${second}/cancel/`)).status).toBe(405)
  expect((await mayfly.api('DELETE', `/project_updates/${first}/`)).status).toBe(204)
  expect((await mayfly.api('GET', `/project_updates/${first}/`)).status).toBe(404)
})

test('what is kept of a deleted project goes with the next update of any', async () => {
  const { id: gone } = await project('gone')
  const { id: stays } = await project('stays')
  const kept = () => readdirSync(join(mayfly.folder, 'data/checkouts'))
  expect(kept()).toEqual(expect.arrayContaining([String(gone), String(stays)]))
  expect((await mayfly.api('DELETE', `/projects/${gone}/`)).status).toBe(204)
  await mayfly.ended(`/project_updates/${await startUpdate(stays)}/`)
  await expect.poll(kept).not.toContain(String(gone))
  expect(kept()).toContain(String(stays))
})

test('the awx command updates a project and shows its updates', async () => {
  const awx = await awxCommand(mayfly)
  const { id } = await project('commanded')
  const { exitCode, stdout, stderr } = await awx('projects', 'update', String(id), '--monitor')
  expect([exitCode, stderr]).toEqual([0, expect.any(String)])
  expect(stdout).toContain('Repository Version')
  const [, update] = await updatesOf(id)
  const words = ['project_updates', 'stdout', String(update?.id)]
  const [list, one, printed] = await Promise.all([
    awx('project_updates', 'list', '--project', String(id)),
    awx('project_updates', 'get', String(update?.id)),
    awx(...words),
  ])
  expect(JSON.parse(list.stdout)).toMatchObject({ count: 2 })
  expect(JSON.parse(one.stdout)).toMatchObject({ id: update?.id, status: 'successful' })
  expect(printed.stdout).toContain('PLAY RECAP')
})
