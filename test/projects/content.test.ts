import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { run } from '../../dev/run.ts'
import { type Catalog, launch, makeCatalog, makeTemplate } from '../setup/catalog.ts'
import { type GalaxyServer, startGalaxyServer } from '../setup/galaxy-server.ts'
import { letGo } from '../setup/gate.ts'
import { type GitServer, startGitServer } from '../setup/git-server.ts'
import { type Mayfly, startMayfly } from '../setup/mayfly.ts'

/** What a project brings into the pod: its revision, and the roles and collections that it asks for. */

const token = 'galaxy-t0ken-of-the-organization'

let mayfly: Mayfly
let catalog: Catalog
let server: GitServer
let galaxy: GalaxyServer
beforeAll(async () => {
  mayfly = await startMayfly()
  server = await startGitServer(join(mayfly.folder, 'repositories'))
  const [content, role] = await Promise.all([collection('1.4.0'), roleArchive()])
  galaxy = await startGalaxyServer(token, {
    collections: [{ namespace: 'hub', name: 'served', version: '1.4.0', content }],
    roles: [{ owner: 'hub', name: 'served_role', version: '2.0.0', content: role }],
  })
  catalog = await makeCatalog(mayfly, { files: { 'site.yml': '- hosts: all\n' } })
})
afterAll(async () => {
  await Promise.all([mayfly?.stop(), server?.stop(), galaxy?.stop()])
})

function write(folder: string, files: Record<string, string>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), text)
  }
}

/** The files of a collection with one role that says where it came from. */
const collectionFiles = (name: string, version: string) => ({
  'galaxy.yml': `namespace: hub\nname: ${name}\nversion: ${version}\nreadme: README.md\nauthors: [t]\n`,
  'README.md': '',
  'roles/say/tasks/main.yml': `- debug: msg="collection ${name} ${version} says hello"\n`,
})

/** A collection as the real tool packs it. */
async function collection(version: string): Promise<Buffer> {
  const folder = join(mayfly.folder, 'collection')
  write(folder, collectionFiles('served', version))
  const { command, env } = mayfly.stack.ansibleGalaxy
  const [program = '', ...words] = command
  const output = join(mayfly.folder, 'built')
  await run(program, [...words, 'collection', 'build', folder, '--output-path', output], {
    env: { ...process.env, ...env },
  })
  return readFileSync(join(output, `hub-served-${version}.tar.gz`))
}

async function roleArchive(): Promise<Buffer> {
  const folder = join(mayfly.folder, 'roles')
  write(folder, {
    'served_role-2.0.0/tasks/main.yml': '- debug: msg="role of the server says hello"\n',
    'served_role-2.0.0/meta/main.yml':
      'galaxy_info: {author: t, description: d, license: MIT, min_ansible_version: "2.9"}\n',
  })
  return execFileSync('tar', ['-cz', '-C', folder, 'served_role-2.0.0'])
}

interface Update {
  id: number
  status: string
  scm_revision: string
  job_explanation: string
}

/** A git project, updated. */
async function project(name: string, fields: Record<string, unknown> = {}): Promise<number> {
  const body = { name, organization: catalog.organization, scm_type: 'git', scm_url: `${server.origin}/public/${name}` }
  const { id } = await mayfly.post('/projects/', { ...body, ...fields })
  await updated(id)
  return id
}

/** The newest update of a project, at its end. */
async function updated(projectId: number): Promise<Update> {
  const { results } = await mayfly.get<{ results: Update[] }>(`/projects/${projectId}/project_updates/?order_by=-id`)
  const path = `/project_updates/${results[0]?.id}/`
  await mayfly.ended(path)
  return await mayfly.get<Update>(path)
}

const stdout = async (path: string) => (await mayfly.api('GET', `${path}stdout/?format=txt`)).text

test('row 25: roles and collections from the organization’s Galaxy server and from git are usable in the pod', async () => {
  const play = `- hosts: all
  gather_facts: false
  roles: [served_role, from_git, hub.served.say, hub.kept.say]
`
  server.repository('role', {
    'tasks/main.yml': '- debug: msg="role of git says hello"\n',
    'meta/main.yml': 'galaxy_info: {author: t, description: d, license: MIT, min_ansible_version: "2.9"}\n',
  })
  server.repository('kept', collectionFiles('kept', '0.1.0'))
  server.repository('wants', {
    'site.yml': play,
    'roles/requirements.yml': `- { src: hub.served_role, name: served_role }\n- { src: "${server.origin}/public/role", scm: git, name: from_git }\n`,
    'collections/requirements.yml': 'collections:\n  - { name: hub.served, version: ">=1.0.0" }\n',
    'requirements.yml': `collections:\n  - { name: "${server.origin}/public/kept", type: git, version: main }\n`,
  })
  const types = await mayfly.get<{ results: { id: number }[] }>('/credential_types/?namespace=galaxy_api_token')
  const credential = async (name: string, inputs: Record<string, string>) => {
    const body = { name, organization: catalog.organization, credential_type: types.results[0]?.id, inputs }
    const { id } = await mayfly.post('/credentials/', body)
    await mayfly.post(`/organizations/${catalog.organization}/galaxy_credentials/`, { id })
  }
  // Without one nothing is asked of anybody, and the update says so.
  const projectId = await project('wants')
  const first = await updated(projectId)
  expect(await stdout(`/project_updates/${first.id}/`)).toContain('has no Galaxy credential')

  await credential('hub', { url: galaxy.url, token })
  await mayfly.post(`/projects/${projectId}/update/`)
  const update = await updated(projectId)
  const told = await stdout(`/project_updates/${update.id}/`)
  expect([update.status, told]).toEqual(['successful', expect.any(String)])
  expect(galaxy.served).toEqual(
    expect.arrayContaining(['/download/hub-served-1.4.0.tar.gz', '/download/hub-served_role-2.0.0.tar.gz']),
  )

  const template = await makeTemplate(mayfly, { ...catalog, project: projectId }, 'site.yml')
  const job = await launch(mayfly, template)
  const { status } = await mayfly.ended(`/jobs/${job}/`)
  const output = await stdout(`/jobs/${job}/`)
  expect([status, output]).toEqual(['successful', expect.any(String)])
  for (const who of ['role of the server', 'role of git', 'collection served 1.4.0', 'collection kept 0.1.0']) {
    expect(output).toContain(`${who} says hello`)
  }
  const document = await mayfly.api('GET', `/project_updates/${update.id}/`)
  expect(told + output + document.text).not.toContain(token)
})

test('a collection that the server does not have, and a token that it does not know, fail the update in words', async () => {
  const { id: organization } = await mayfly.post('/organizations/', { name: 'elsewhere' })
  const types = await mayfly.get<{ results: { id: number }[] }>('/credential_types/?namespace=galaxy_api_token')
  const inputs = { url: galaxy.url, token }
  const body = { name: 'hub', organization, credential_type: types.results[0]?.id, inputs }
  const { id: credential } = await mayfly.post('/credentials/', body)
  await mayfly.post(`/organizations/${organization}/galaxy_credentials/`, { id: credential })
  server.repository('lost', { 'site.yml': '- hosts: all\n', 'requirements.yml': 'collections: [hub.nowhere]\n' })
  const projectId = await project('lost', { organization })
  const lost = await updated(projectId)
  expect(lost.status).toBe('failed')
  expect(lost.job_explanation).toContain('hub.nowhere')
  await mayfly.patch(`/credentials/${credential}/`, { inputs: { url: galaxy.url, token: 'wr0ng-t0ken' } })
  await mayfly.post(`/projects/${projectId}/update/`)
  const refused = await updated(projectId)
  expect([refused.status, refused.job_explanation]).toEqual(['failed', expect.stringMatching(/401/)])
  const all = await stdout(`/project_updates/${refused.id}/`)
  expect(all + JSON.stringify(refused)).not.toMatch(/wr0ng-t0ken|galaxy-t0ken/)
})

test('two jobs at two revisions at once run each its own files, and say which', async () => {
  const play = (word: string) => `- hosts: all
  gather_facts: false
  tasks:
    - debug: msg="begun with ${word}"
    - wait_for: { path: /tmp/go, timeout: 600 }
    - include_tasks: parts/late.yml
    - debug: msg="{{ lookup('file', 'data.txt') }}"
`
  const files = (word: string) => ({
    'site.yml': play(word),
    'parts/late.yml': `- debug: msg="late part of ${word}"\n`,
    'data.txt': `data of ${word}`,
  })
  const repository = server.repository('revisions', files('one'))
  const one = repository.git('rev-parse', 'HEAD')
  repository.git('checkout', '--quiet', '-b', 'next')
  const two = repository.commit(files('two'))
  const projectId = await project('revisions', { scm_branch: 'main', allow_override: true })
  const template = await makeTemplate(mayfly, { ...catalog, project: projectId }, 'site.yml', {
    ask_scm_branch_on_launch: true,
    allow_simultaneous: true,
  })
  const jobs = await Promise.all([launch(mayfly, template), launch(mayfly, template, { scm_branch: 'next' })])
  const begun = async (job: number) => expect.poll(() => stdout(`/jobs/${job}/`)).toContain('begun with')
  await Promise.all(jobs.map(begun))
  // While both run the project moves on, which is nothing to either.
  repository.commit(files('three'))
  await mayfly.post(`/projects/${projectId}/update/`)
  await updated(projectId)
  const pods = await mayfly.get<{ results: { id: number }[] }>('/jobs/?status=running')
  expect(pods.results.map(({ id }) => id).sort()).toEqual([...jobs].sort())
  for (const job of jobs) await letGo(mayfly, job)
  for (const [job, word, revision] of [
    [jobs[0], 'one', one],
    [jobs[1], 'two', two],
  ] as const) {
    const { status } = await mayfly.ended(`/jobs/${job}/`)
    const output = await stdout(`/jobs/${job}/`)
    expect([status, output]).toEqual(['successful', expect.stringContaining(`late part of ${word}`)])
    expect(output).toContain(`data of ${word}`)
    expect((await mayfly.get<Update>(`/jobs/${job}/`)).scm_revision).toBe(revision)
  }
  // The branch of one job is found out by a sync of its own, and the project stays at its own branch.
  const syncs = await mayfly.get<{ results: Record<string, unknown>[] }>(
    `/projects/${projectId}/project_updates/?launch_type=sync`,
  )
  expect(syncs.results).toMatchObject([
    {
      scm_branch: 'next',
      scm_revision: two,
      job_type: 'run',
      status: 'successful',
      launched_by: { type: 'Dependency' },
    },
  ])
  expect((await mayfly.get<Update>(`/projects/${projectId}/`)).scm_revision).toBe(one)
})
