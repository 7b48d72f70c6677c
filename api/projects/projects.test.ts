import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { eq } from 'drizzle-orm'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { unifiedJobs } from '../../store/schema/jobs.ts'
import { outbox } from '../../store/schema/runtime.ts'
import { projects } from '../../store/schema/templates.ts'
import type { TestApp } from '../testing.ts'
import { openRecordedApp } from '../testing-domain.ts'
import { listInventoryFiles, listPlaybooks, projectFolder } from './folder.ts'

let app: TestApp
let root: string
beforeAll(async () => {
  app = await openRecordedApp()
  root = app.deps.projectsRoot
})
afterAll(() => app.close())

const updatesOf = (projectId: number) =>
  app.store.db.select().from(unifiedJobs).where(eq(unifiedJobs.projectId, projectId)).orderBy(unifiedJobs.id)
const git = { name: 'g', organization: 2, scm_type: 'git', scm_url: 'https://git.example.org/g.git' }

describe('a project with a source', () => {
  test('saving it starts an update, and so does changing its source; nothing else does', async () => {
    const made = await app.call('POST', '/api/v2/projects/', git)
    expect(made.body).toMatchObject({ status: 'pending', local_path: `_${made.body.id}__g` })
    const { id } = made.body
    const [first] = await updatesOf(id)
    expect(first).toMatchObject({ type: 'project_update', status: 'pending', launchType: 'manual', createdById: 1 })
    expect(made.body.related).toMatchObject({ current_update: `/api/v2/project_updates/${first?.id}/` })
    const messages = await app.store.db
      .select()
      .from(outbox)
      .where(eq(outbox.subjectId, first?.id ?? 0))
    expect(messages).toMatchObject([{ kind: 'start' }])

    await app.call('PATCH', `/api/v2/projects/${id}/`, { description: 'x', scm_url: git.scm_url })
    expect(await updatesOf(id)).toHaveLength(1)
    await app.call('PATCH', `/api/v2/projects/${id}/`, { scm_branch: 'next' })
    expect((await updatesOf(id)).map((update) => update.scmBranch)).toEqual(['', 'next'])
  })

  test('a copy has a folder and an update of its own', async () => {
    const { body } = await app.call('POST', '/api/v2/projects/', { ...git, name: 'original', scm_branch: 'b' })
    const { body: copy } = await app.call('POST', `/api/v2/projects/${body.id}/copy/`, { name: 'the copy' })
    const now = await app.call('GET', `/api/v2/projects/${copy.id}/`)
    expect(now.body).toMatchObject({ local_path: `_${copy.id}__the_copy`, scm_revision: '', status: 'pending' })
    expect(await updatesOf(copy.id)).toMatchObject([
      { scmBranch: 'b', launchType: 'manual', localPath: `_${copy.id}__the_copy` },
    ])
  })

  test('an active update forbids deleting it', async () => {
    const { body } = await app.call('POST', '/api/v2/projects/', { ...git, name: 'busy' })
    const refused = await app.call('DELETE', `/api/v2/projects/${body.id}/`)
    expect([refused.status, refused.body.active_jobs]).toEqual([
      409,
      [{ id: expect.any(Number), type: 'project_update' }],
    ])
    const [update] = await updatesOf(body.id)
    await app.call('POST', `/api/v2/project_updates/${update?.id}/cancel/`)
    expect((await app.call('DELETE', `/api/v2/projects/${body.id}/`)).status).toBe(204)
  })

  test('templates choose from the playbooks of the last update, or from any where branches may differ', async () => {
    const { body } = await app.call('POST', '/api/v2/projects/', { ...git, name: 'fetched' })
    await app.store.db
      .update(projects)
      .set({ playbookFiles: ['site.yml'] })
      .where(eq(projects.id, body.id))
    const template = (playbook: string) =>
      app.call('POST', '/api/v2/job_templates/', { name: playbook, project: body.id, inventory: 3, playbook })
    expect((await template('site.yml')).body).toMatchObject({ organization: 2, playbook: 'site.yml' })
    expect((await template('other.yml')).body).toEqual({ playbook: ['Playbook not found for project.'] })
    await app.call('PATCH', `/api/v2/projects/${body.id}/`, { allow_override: true })
    expect((await template('other.yml')).status).toBe(201)
    expect((await app.call('GET', `/api/v2/projects/${body.id}/playbooks/`)).body).toEqual(['site.yml'])
  })

  test.each([
    ['git@git.example.org:a/b.git', 201],
    ['ssh://git@git.example.org/a.git', 201],
    ['/srv/git/a.git', 201],
    ['--upload-pack=x', 400],
    ['relative/path', 400],
    ['https://me@git.example.org/a.git', 201],
    ['https://me:hunter2@git.example.org/a.git', 400],
    ['ssh://git:hunter2@git.example.org/a.git', 400],
    [`https://ghp_${'x'.repeat(36)}@github.com/a/b.git`, 400],
    ['https://git.example.org/a.git?private_token=hunter2', 400],
    ['https://git.example.org/a.git?ref=token', 201],
  ])('URL %s: %i', async (scm_url, status) => {
    const answer = await app.call('POST', '/api/v2/projects/', { ...git, name: scm_url, scm_url })
    expect(answer.status).toBe(status)
    if (status === 400) expect(JSON.stringify(answer.body)).not.toContain('hunter2')
  })
})

describe('a manual project', () => {
  test('has the status of its folder', async () => {
    await mkdir(join(root, 'fresh'))
    const { body } = await app.call('POST', '/api/v2/projects/', { name: 'm', organization: 2, local_path: 'fresh' })
    expect(body).toMatchObject({ status: 'ok', scm_type: '', summary_fields: { user_capabilities: { start: false } } })
    const none = await app.call('POST', '/api/v2/projects/', { name: 'n', organization: 2 })
    expect(none.body.status).toBe('missing')
  })

  test('has no revision, also when it was a repository before', async () => {
    await mkdir(join(root, 'was-git'))
    const { body } = await app.call('POST', '/api/v2/projects/', { ...git, name: 'was git' })
    await app.store.db
      .update(projects)
      .set({ scmRevision: 'a1', playbookFiles: ['x.yml'] })
      .where(eq(projects.id, body.id))
    const now = await app.call('PATCH', `/api/v2/projects/${body.id}/`, {
      scm_type: '',
      scm_url: '',
      local_path: 'was-git',
    })
    expect(now.body).toMatchObject({ scm_type: '', status: 'ok', scm_revision: '', local_path: 'was-git' })
    expect((await app.call('GET', `/api/v2/projects/${body.id}/playbooks/`)).body).toEqual([])
  })

  test('lists what is in its folder', async () => {
    expect((await app.call('GET', '/api/v2/projects/15/playbooks/')).body).toEqual(['fail.yml', 'ok.yml'])
    await writeFile(join(root, 'rec-m', 'hosts.ini'), 'h1\n')
    expect((await app.call('GET', '/api/v2/projects/15/inventories/')).body).toEqual(['hosts.ini'])
  })
})

describe('folders', () => {
  test('playbooks are found by what they say, parts and hidden files are not', async () => {
    const folder = join(root, 'many')
    for (const path of ['plays', 'roles/web/tasks', '.git']) await mkdir(join(folder, path), { recursive: true })
    const files = { 'B.yml': '- hosts: all', 'a.yaml': '- import_playbook: B.yml', 'vars.yml': 'a: 1', 'readme.md': '' }
    const deeper = {
      'plays/c.yml': '---\n- name: c\n  hosts: web',
      'roles/web/tasks/main.yml': '- hosts: x',
      '.git/x.yml': '- hosts: x',
    }
    for (const [path, text] of Object.entries({ ...files, ...deeper })) await writeFile(join(folder, path), text)
    await symlink('B.yml', join(folder, 'link.yml'))
    await symlink('/etc/hostname', join(folder, 'out.yml'))
    expect(await listPlaybooks(folder)).toEqual(['a.yaml', 'B.yml', 'link.yml', 'plays/c.yml'])
    expect(await listInventoryFiles(folder)).toEqual(['vars.yml'])
  })

  test('none lies outside of the projects root', async () => {
    await symlink('/etc', join(root, 'escape'))
    for (const path of ['', '.', '..', '../x', 'a/b', '/etc', 'escape', 'nosuch']) {
      expect([path, await projectFolder(root, path)]).toEqual([path, null])
    }
    expect(await projectFolder(root, 'p1')).toMatch(/p1$/)
  })
})

test('the configuration offers the folders that no project has yet', async () => {
  for (const name of ['free', 'taken', '_own', '.hidden']) await mkdir(join(root, name))
  await writeFile(join(root, 'file'), '')
  const offered = async () => (await app.call('GET', '/api/v2/config/')).body.project_local_paths
  expect(await offered()).toEqual(expect.arrayContaining(['free', 'taken']))
  expect(await offered()).not.toEqual(expect.arrayContaining([expect.stringMatching(/^[._]|^file$/)]))
  const project = { name: 'takes a folder', organization: 2, scm_type: '', local_path: 'taken' }
  expect((await app.call('POST', '/api/v2/projects/', project)).status).toBe(201)
  expect(await offered()).not.toContain('taken')
})

test('an organization asks its Galaxy servers in the order in which they were attached', async () => {
  const { results } = (await app.call('GET', '/api/v2/credential_types/?namespace=galaxy_api_token')).body
  const list = '/api/v2/organizations/2/galaxy_credentials/'
  const server = async (name: string) => {
    const inputs = { url: `https://${name}.example.org/`, token: 'hub-t0ken' }
    const body = { name, organization: 2, credential_type: results[0].id, inputs }
    return (await app.call('POST', '/api/v2/credentials/', body)).body.id
  }
  const [second, first] = [await server('a second'), await server('z first')]
  expect((await app.call('POST', list, { id: first })).status).toBe(204)
  expect((await app.call('POST', list, { id: second })).status).toBe(204)
  const listed = await app.call('GET', list)
  expect(listed.body.results.map((row: { name: string }) => row.name)).toEqual(['z first', 'a second'])
  expect(JSON.stringify(listed.body)).not.toContain('hub-t0ken')
  expect((await app.call('POST', list, { id: 7 })).body).toEqual({
    msg: 'Credential must be a Galaxy credential, not Machine.',
  })
  await app.call('POST', list, { id: first, disassociate: true })
  await app.call('POST', list, { id: first })
  expect((await app.call('GET', list)).body.results.map((row: { id: number }) => row.id)).toEqual([second, first])
  expect((await app.call('GET', '/api/v2/organizations/2/')).body.related.galaxy_credentials).toBe(list)
})

test('the public Galaxy is a credential that nobody changes, and the first organization has it', async () => {
  const { results } = (await app.call('GET', '/api/v2/organizations/1/galaxy_credentials/')).body
  expect(results).toMatchObject([
    {
      name: 'Ansible Galaxy',
      managed: true,
      organization: null,
      kind: 'galaxy_api_token',
      inputs: { url: 'https://galaxy.ansible.com/' },
      summary_fields: { user_capabilities: { edit: false, delete: false, copy: true, use: true } },
    },
  ])
  const path = `/api/v2/credentials/${results[0].id}/`
  expect(await app.call('PATCH', path, { name: 'x' })).toMatchObject({
    status: 403,
    body: { detail: 'Modifications not allowed for managed credentials' },
  })
  expect((await app.call('DELETE', path)).status).toBe(403)
})
