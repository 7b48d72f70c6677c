import { execFileSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { gzipSync } from 'node:zlib'
import { Client, Connection } from '@temporalio/client'
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js'
import pg from 'pg'
import { pack } from 'tar-stream'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { jobWorkflowId } from '../../workflows/names.ts'
import { type Catalog, launch, makeCatalog, makeTemplate } from '../setup/catalog.ts'
import { type GitServer, startGitServer } from '../setup/git-server.ts'
import { type Mayfly, startMayfly } from '../setup/mayfly.ts'

/** Where projects come from: repositories behind passwords, archives, places that are not there; and no secret is seen anywhere. */

const play = "- hosts: all\n  gather_facts: false\n  tasks: [{debug: {msg: \"{{ lookup('file', 'data.txt') }}\"}}]\n"
const archivePassword = 'p4ss-of-the-archives'
const wrongPassword = 'wr0ng-password-of-nobody'

let mayfly: Mayfly
let catalog: Catalog
let server: GitServer
let archives: Server
let archiveOrigin: string
let good: Buffer
beforeAll(async () => {
  mayfly = await startMayfly({ env: { MAYFLY_LOG_LEVEL: 'debug' } })
  server = await startGitServer(join(mayfly.folder, 'repositories'))
  good = await archive({ 'top-1.0/site.yml': play, 'top-1.0/data.txt': 'data of the archive' })
  const evil = await archive({ 'top/site.yml': play, 'top/../../../evil': 'x' })
  const expected = `Basic ${Buffer.from(`fetcher:${archivePassword}`).toString('base64')}`
  archives = createServer((request, response) => {
    if (request.url === '/evil.tar.gz') response.end(evil)
    else if (request.headers.authorization === expected) response.end(good)
    else response.writeHead(401).end()
  })
  await new Promise<void>((resolve) => archives.listen(0, '127.0.0.1', resolve))
  archiveOrigin = `http://127.0.0.1:${(archives.address() as AddressInfo).port}`
  catalog = await makeCatalog(mayfly, { files: { 'site.yml': play } })
})
afterAll(async () => {
  archives?.close()
  await Promise.all([mayfly?.stop(), server?.stop()])
})

async function archive(files: Record<string, string>): Promise<Buffer> {
  const packing = pack()
  for (const [name, text] of Object.entries(files)) packing.entry({ name }, text)
  packing.finalize()
  return gzipSync(await buffer(packing as unknown as NodeJS.ReadableStream))
}

let made = 0

/** A credential of the type Source Control. */
async function credential(inputs: Record<string, string>): Promise<number> {
  const types = await mayfly.get<{ results: { id: number }[] }>('/credential_types/?namespace=scm')
  const owner = { organization: catalog.organization, credential_type: types.results[0]?.id }
  return (await mayfly.post('/credentials/', { name: `scm ${++made}`, ...owner, inputs })).id
}

interface Update {
  id: number
  status: string
  job_explanation: string
  result_traceback: string
  scm_revision: string
  job_args: string
}

/** A project of these fields, and its first update at its end. */
async function project(fields: Record<string, unknown>): Promise<{ id: number; update: Update }> {
  const body = { name: `project ${++made}`, organization: catalog.organization, scm_type: 'git', ...fields }
  const { id } = await mayfly.post('/projects/', body)
  const { results } = await mayfly.get<{ results: Update[] }>(`/projects/${id}/project_updates/`)
  const path = `/project_updates/${results[0]?.id}/`
  await mayfly.ended(path)
  return { id, update: await mayfly.get<Update>(path) }
}

/** The output of a job of a template that runs the project. */
async function run(projectId: number): Promise<string> {
  const job = await launch(mayfly, await makeTemplate(mayfly, { ...catalog, project: projectId }, 'site.yml'))
  await mayfly.ended(`/jobs/${job}/`)
  return (await mayfly.api('GET', `/jobs/${job}/stdout/?format=txt`)).text
}

test('a repository behind a password, with a submodule behind the same one, and a tag', async () => {
  const library = server.repository('library', { 'data.txt': 'data of the submodule' })
  const repository = server.repository('guarded', { 'site.yml': play.replace('data.txt', 'lib/data.txt') })
  repository.git('submodule', '--quiet', 'add', library.folder, 'lib')
  repository.git('config', '-f', '.gitmodules', 'submodule.lib.url', `${server.origin}/private/library`)
  const revision = repository.commit({})
  repository.git('tag', 'v1')
  repository.commit({ 'site.yml': 'later' })
  const scm = await credential({ username: server.username, password: server.password })
  const { id, update } = await project({
    scm_url: `${server.origin}/private/guarded`,
    scm_branch: 'v1',
    credential: scm,
  })
  expect(update).toMatchObject({ status: 'successful', scm_revision: revision, job_explanation: '' })
  expect(update.job_args).toContain(`${server.origin}/private/guarded`)
  expect(await run(id)).toContain('data of the submodule')
  // A worker that does not have the commit, because another one made the update, brings it to its machine.
  rmSync(join(mayfly.folder, 'data/checkouts', String(id)), { recursive: true })
  expect(await run(id)).toContain('data of the submodule')
  // What was fetched is forgotten and fetched again.
  await mayfly.patch(`/projects/${id}/`, { scm_delete_on_update: true })
  const { project_update: again } = await mayfly.post<{ project_update: number }>(`/projects/${id}/update/`)
  expect((await mayfly.ended(`/project_updates/${again}/`)).status).toBe('successful')
})

test('an archive behind a password', async () => {
  const scm = await credential({ username: 'fetcher', password: archivePassword })
  const scm_url = `${archiveOrigin}/good.tar.gz`
  const { id, update } = await project({ scm_type: 'archive', scm_url, credential: scm })
  expect(update).toMatchObject({ status: 'successful', scm_revision: expect.stringMatching(/^[0-9a-f]{40}$/) })
  expect(await mayfly.get<string[]>(`/projects/${id}/playbooks/`)).toEqual(['site.yml'])
  expect(await run(id)).toContain('data of the archive')
  // An archive that was replaced is not what the job was to run.
  rmSync(join(mayfly.folder, 'data/checkouts', String(id)), { recursive: true })
  good = await archive({ 'site.yml': play, 'data.txt': 'other data' })
  const job = await launch(mayfly, await makeTemplate(mayfly, { ...catalog, project: id }, 'site.yml'))
  expect(await mayfly.ended(`/jobs/${job}/`)).toMatchObject({
    status: 'error',
    job_explanation: expect.stringMatching(/archive has changed since the project was updated.*Update the project/),
  })
})

test('what cannot be fetched says why', async () => {
  server.repository('there', { 'site.yml': play })
  const wrong = await credential({ username: server.username, password: wrongPassword })
  const failures = await Promise.all(
    [
      { fields: { scm_url: `${server.origin}/public/nowhere` }, why: /not found/ },
      { fields: { scm_url: `${server.origin}/public/there`, scm_branch: 'gone' }, why: /Failed to find "gone"/ },
      { fields: { scm_url: `${server.origin}/private/there`, credential: wrong }, why: /Authentication failed/ },
      { fields: { scm_url: `${server.origin}/private/there` }, why: /could not read Username|Authentication failed/ },
      { fields: { scm_url: `${server.origin}/silent/there`, timeout: 2 }, why: /terminated due to timeout/ },
      {
        fields: { scm_type: 'archive', scm_url: `${archiveOrigin}/good.tar.gz`, credential: wrong },
        why: /401.*check the credential/,
      },
      {
        fields: { scm_type: 'archive', scm_url: `${archiveOrigin}/evil.tar.gz` },
        why: /Entry "top\/\.\.\/\.\.\/\.\.\/evil" of the archive leads outside/,
      },
      { fields: { scm_type: 'svn', scm_url: 'svn://127.0.0.1/x' }, why: /"svn" cannot be updated here/ },
      { fields: { scm_type: 'insights', scm_url: '' }, why: /"insights" cannot be updated here/ },
    ].map(async ({ fields, why }) => ({ ...(await project(fields)), why })),
  )
  for (const { id, update, why } of failures) {
    expect(update).toMatchObject({ status: 'failed', job_explanation: expect.stringMatching(why) })
    expect(await mayfly.get(`/projects/${id}/`)).toMatchObject({ status: 'failed', scm_revision: '' })
  }
  expect(execFileSync('find', [mayfly.folder, '-name', 'evil*'], { encoding: 'utf8' })).toBe('')
})

test('no secret of all that is in the API, the database, Temporal, the logs, or on the disk', async () => {
  const secrets = [
    [server.username, server.password],
    ['fetcher', archivePassword],
    [server.username, wrongPassword],
  ] as const
  const forms = secrets.flatMap(([user, secret]) => [
    secret,
    Buffer.from(secret).toString('base64'),
    Buffer.from(`${user}:${secret}`).toString('base64'),
  ])
  const seen = new Map<string, string>()
  for (const path of ['/projects/', '/project_updates/', '/credentials/', '/jobs/', '/unified_jobs/'])
    seen.set(path, (await mayfly.api('GET', `${path}?page_size=200`)).text)
  const updates = await mayfly.get<{ results: { id: number }[] }>('/project_updates/?page_size=200')
  expect(updates.results.length).toBeGreaterThan(10)
  const connection = await Connection.connect({ address: mayfly.stack.temporalAddress })
  const temporal = new Client({ connection, namespace: mayfly.temporalNamespace }).workflow
  for (const { id } of updates.results) {
    for (const below of ['', 'events/', 'stdout/?format=txt']) {
      const path = `/project_updates/${id}/${below}`
      seen.set(path, (await mayfly.api('GET', path)).text)
    }
    seen.set(`history ${id}`, historyToJSON(await temporal.getHandle(jobWorkflowId(id)).fetchHistory()))
  }
  await connection.close()
  for (const part of ['api', 'worker'] as const) seen.set(`log of ${part}`, mayfly.logs(part))
  const database = new pg.Client(mayfly.databaseUrl)
  await database.connect()
  for (const table of ['unified_jobs', 'job_events', 'projects', 'credentials', 'outbox']) {
    const { rows } = await database.query(`SELECT t::text AS row FROM ${table} t`)
    seen.set(`table ${table}`, rows.map(({ row }) => row).join('\n'))
  }
  await database.end()
  const disk = execFileSync('sh', ['-c', 'find . -type f -exec cat {} +'], {
    cwd: join(mayfly.folder, 'data/checkouts'),
    encoding: 'latin1',
    maxBuffer: 1e9,
  })
  seen.set('disk', disk)
  const all = [...seen.values()].join('\n')
  for (const sign of ['data of the submodule', 'Repository Version', 'Authentication failed', 'updateProject'])
    expect(all).toContain(sign)
  for (const [where, text] of seen) {
    for (const form of forms) expect(text.includes(form) ? `${where} shows a secret` : '').toBe('')
  }
})
