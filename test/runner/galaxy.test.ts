import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest'
import type { EventRow } from '../../model/event.ts'
import { findPreparedProject, type ProjectUpdateOptions, runProjectUpdate } from '../../runner/project/update.ts'

/** A project update with the real ansible-galaxy, from repositories and folders on this machine. */

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mayfly-galaxy-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

function makeRepository(name: string, files: Record<string, string>): string {
  const path = join(folder, name)
  const git = (...words: string[]) =>
    execFileSync('git', ['-C', path, '-c', 'user.name=T', '-c', 'user.email=t@example.org', ...words], {
      stdio: 'pipe',
    })
  for (const [file, content] of Object.entries(files)) {
    mkdirSync(join(path, file, '..'), { recursive: true })
    writeFileSync(join(path, file), content)
  }
  git('init', '--quiet', '-b', 'main')
  git('add', '-A')
  git('commit', '--quiet', '-m', 'c')
  return path
}

async function update(scmUrl: string, more: Partial<ProjectUpdateOptions> = {}) {
  const rows: EventRow[] = []
  const dataFolder = join(folder, 'data')
  const result = await runProjectUpdate(
    {
      dataFolder,
      projectId: 1,
      scmType: 'git',
      scmUrl,
      scmBranch: 'main',
      scmRefspec: '',
      scmTrackSubmodules: false,
      scmDeleteOnUpdate: false,
      credential: null,
      galaxy: inject('stack').ansibleGalaxy,
      refreshContent: true,
      timeout: 600,
      signal: new AbortController().signal,
      ...more,
    },
    (more) => {
      rows.push(...more)
    },
  )
  return { result, rows, dataFolder }
}

test('roles and collections that a project asks for are installed beside it', async () => {
  const role = makeRepository('role', {
    'tasks/main.yml': '- debug: msg=role\n',
    'meta/main.yml': 'galaxy_info: {author: t, description: d, license: MIT, min_ansible_version: "2.9"}\n',
  })
  const galaxy = 'namespace: my\nname: own\nversion: 1.2.3\nreadme: README.md\nauthors: [t]\n'
  const collection = makeRepository('collection', { 'galaxy.yml': galaxy, 'README.md': '', 'plugins/x.txt': 'x' })
  const project = makeRepository('project', {
    'site.yml': '- hosts: all\n',
    'roles/requirements.yml': `- { src: "file://${role}", scm: git, name: fetched }\n`,
    'collections/requirements.yml': `collections:\n  - { name: "file://${collection}", type: git }\n`,
  })
  const { result, rows, dataFolder } = await update(project)
  expect(result.cause).toBeNull()
  const { rolesFolder, collectionsFolder, revision } = result.project ?? {}
  expect(readFileSync(join(rolesFolder ?? '', 'fetched/tasks/main.yml'), 'utf8')).toContain('msg=role')
  const installed = join(collectionsFolder ?? '', 'ansible_collections/my/own/plugins/x.txt')
  expect(readFileSync(installed, 'utf8')).toBe('x')
  expect(rows.filter(({ changed, event }) => changed && event === 'runner_on_ok')).toHaveLength(3)
  expect(await findPreparedProject(dataFolder, 1, revision ?? '')).toEqual(result.project)
})

test('a role that is not to be had fails the update with a readable reason', async () => {
  const project = makeRepository('project', {
    'site.yml': '- hosts: all\n',
    'requirements.yml': `roles:\n  - { src: "file://${folder}/missing", scm: git, name: lost }\n`,
  })
  const { result, rows } = await update(project)
  expect(result).toMatchObject({ status: 'failed', project: null, hostStatusCounts: { failures: 1 } })
  expect(result.cause?.message).toMatch(/lost|missing/)
  expect(rows.at(-1)?.event).toBe('playbook_on_stats')
})

describe('a Galaxy server', () => {
  /** Answers requests by path; the others stay without an answer. */
  const answers: Record<string, (request: IncomingMessage) => unknown> = {}
  const seen: string[] = []
  const server = createServer((request, response) => {
    const path = (request.url ?? '').replace(/\/?(\?.*)?$/, '')
    seen.push(`${path} ${request.headers.authorization ?? ''}`.trim())
    const body = answers[path]?.(request)
    if (body !== undefined) response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  })
  let url = ''
  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  })
  afterAll(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  const wanting = () =>
    makeRepository(`project-${Math.random()}`, {
      'site.yml': '- hosts: all\n',
      'requirements.yml': 'collections: [hub.slow]\n',
    })

  test('that hangs is given up', async () => {
    const galaxyServers = [{ url, authUrl: '', token: '' }]
    // Git, which fetches from this machine, may be silent for twice as long.
    const { result } = await update(wanting(), { galaxyServers, patience: 5 })
    expect(result.status).toBe('failed')
    expect(result.cause?.message).toContain(
      `The Galaxy server ${url} could not be reached: the server was silent for 5 seconds`,
    )
  })

  test('with single sign-on is asked with what the sign-on gives for the token', async () => {
    answers['/sso/token'] = () => ({ access_token: 'short-lived', expires_in: 300 })
    answers['/api'] = () => ({ available_versions: { v3: 'v3/' } })
    answers['/'] = answers['/api']
    answers[''] = answers['/api']
    answers['/api/v3/collections/hub/slow'] = () => ({
      namespace: 'hub',
      name: 'slow',
      updated_at: 'x',
      created_at: 'x',
    })
    answers['/api/v3/collections/hub/slow/versions'] = () => ({ data: [], links: {} })
    answers['/v3/collections/hub/slow'] = answers['/api/v3/collections/hub/slow']
    answers['/v3/collections/hub/slow/versions'] = answers['/api/v3/collections/hub/slow/versions']
    const galaxyServers = [{ url, authUrl: `${url}sso/token`, token: 'offline-t0ken' }]
    const { result, rows } = await update(wanting(), { galaxyServers, patience: 60 })
    expect(result.cause?.message).toContain('hub.slow')
    expect(seen.some((request) => request.startsWith('/sso/token'))).toBe(true)
    expect(
      seen.filter((request) => request.includes('/hub/slow') && request.endsWith('Bearer short-lived')).length,
    ).toBeGreaterThan(0)
    expect(JSON.stringify([result, rows])).not.toContain('offline-t0ken')
  })
})
