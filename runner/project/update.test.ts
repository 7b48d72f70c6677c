import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { EventRow } from '../../model/event.ts'
import { findPreparedProject, type ProjectUpdateOptions, runProjectUpdate } from './update.ts'

let folder = ''
let repository = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mayfly-update-'))
  repository = makeRepository('repo')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

function git(cwd: string, ...words: string[]): string {
  const identity = ['-c', 'user.name=T', '-c', 'user.email=t@example.org', '-c', 'protocol.file.allow=always']
  return execFileSync('git', [...identity, ...words], {
    cwd,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  }).trim()
}

function makeRepository(name: string): string {
  const path = join(folder, name)
  mkdirSync(path)
  git(path, 'init', '--quiet', '-b', 'main')
  commit(path, { 'site.yml': '- hosts: all\n', 'roles/r/tasks/main.yml': '- hosts: x\n' })
  return path
}

/** Writes files, commits them and answers the commit's id. */
function commit(path: string, files: Record<string, string>): string {
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(join(path, name, '..'), { recursive: true })
    writeFileSync(join(path, name), content)
  }
  git(path, 'add', '-A')
  git(path, 'commit', '--quiet', '-m', 'change')
  return git(path, 'rev-parse', 'HEAD')
}

async function update(changes: Partial<ProjectUpdateOptions> = {}) {
  const rows: EventRow[] = []
  const result = await runProjectUpdate(
    {
      dataFolder: join(folder, 'data'),
      projectId: 12,
      scmType: 'git',
      scmUrl: repository,
      scmBranch: '',
      scmRefspec: '',
      scmTrackSubmodules: false,
      scmDeleteOnUpdate: false,
      credential: null,
      galaxy: null,
      refreshContent: true,
      timeout: 0,
      signal: new AbortController().signal,
      ...changes,
    },
    (more) => {
      rows.push(...more)
    },
  )
  return { result, rows, text: rows.map((row) => (row.endLine > row.startLine ? `${row.stdout}\r\n` : '')).join('') }
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: colours begin with one
const plain = (text: string) => text.replaceAll('\r\n', '\n').replaceAll(/\x1b\[[0-9;]*m/g, '')
const read = (project: { folder: string } | null, file: string) =>
  readFileSync(join(project?.folder ?? '', file), 'utf8')

describe('an update that succeeds', () => {
  test('is told like the recorded one of AWX', async () => {
    const head = git(repository, 'rev-parse', 'HEAD')
    await update()
    const { result, rows, text } = await update()
    expect(result).toMatchObject({
      status: 'successful',
      cause: null,
      project: { revision: head, rolesFolder: null, collectionsFolder: null },
      playbooks: ['site.yml'],
      hostStatusCounts: { ok: 1 },
      playbookCounts: { playCount: 3, taskCount: 6 },
      eventsEmitted: rows.length,
    })
    expect(rows.map((row) => row.counter)).toEqual(rows.map((_, index) => index + 1))
    expect(rows.map((row) => row.startLine)).toEqual([0, ...rows.slice(0, -1).map((row) => row.endLine)])
    expect(rows.slice(0, 5).map(({ event, startLine, endLine }) => [event, startLine, endLine])).toEqual([
      ['playbook_on_start', 0, 0],
      ['playbook_on_play_start', 0, 2],
      ['playbook_on_task_start', 2, 4],
      ['runner_on_start', 4, 4],
      ['runner_on_ok', 4, 5],
    ])
    expect(rows.every((row) => row.hostName === 'localhost')).toBe(true)
    expect(rows.slice(1).every((row) => rows.some((parent) => parent.uuid === row.parentUuid))).toBe(true)
    expect(plain(text)).toBe(`
PLAY [Update source tree if necessary] *****************************************

TASK [Update project using git] ************************************************
ok: [localhost]

TASK [Set the git repository version] ******************************************
ok: [localhost]

TASK [Repository Version] ******************************************************
ok: [localhost] => {
    "msg": "Repository Version ${head}"
}

PLAY [Perform project signature/checksum verification] *************************

PLAY [Install content with ansible-galaxy command if necessary] ****************

TASK [Fetch galaxy roles from roles/requirements.(yml/yaml)] *******************
skipping: [localhost]

TASK [Fetch galaxy collections from collections/requirements.(yml/yaml)] *******
skipping: [localhost]

TASK [Fetch galaxy roles and collections from requirements.(yml/yaml)] *********
skipping: [localhost]

PLAY RECAP *********************************************************************
localhost                  : ok=3    changed=0    unreachable=0    failed=0    skipped=3    rescued=0    ignored=0   
`)
    expect(rows.find((row) => row.event === 'runner_on_ok')?.stdout).toBe('\u001b[0;32mok: [localhost]\u001b[0m')
  })

  test('two revisions stand beside each other, and each is found again', async () => {
    const first = git(repository, 'rev-parse', 'HEAD')
    const one = await update()
    const second = commit(repository, { 'site.yml': '- hosts: second\n' })
    const two = await update()
    expect(one.result.project?.revision).toBe(first)
    expect(two.result.project?.revision).toBe(second)
    expect(read(one.result.project, 'site.yml')).toBe('- hosts: all\n')
    expect(read(two.result.project, 'site.yml')).toBe('- hosts: second\n')
    const find = (revision: string) => findPreparedProject(join(folder, 'data'), 12, revision)
    expect(await find(first)).toEqual(one.result.project)
    expect(await find(second)).toEqual(two.result.project)
    expect(await find('main')).toBeNull()
    expect(await find('0'.repeat(40))).toBeNull()
    expect(readdirSync(two.result.project?.folder ?? '')).not.toContain('.git')
  })

  test('branches, tags, commits, refspecs and refs that nobody fetches', async () => {
    const main = git(repository, 'rev-parse', 'HEAD')
    git(repository, 'tag', '-a', 'v1', '-m', 'v1')
    git(repository, 'checkout', '--quiet', '-b', 'feature/x')
    const feature = commit(repository, { 'a.yml': '' })
    git(repository, 'checkout', '--quiet', '--detach')
    const pull = commit(repository, { 'b.yml': '' })
    git(repository, 'update-ref', 'refs/pull/7/head', pull)
    git(repository, 'checkout', '--quiet', 'main')
    const cases = [
      { scmBranch: 'feature/x', expected: feature },
      { scmBranch: 'origin/feature/x', expected: feature },
      { scmBranch: 'v1', expected: main },
      { scmBranch: feature, expected: feature },
      { scmBranch: feature.slice(0, 8), expected: feature },
      { scmBranch: 'refs/pull/7/head', expected: pull },
      { scmBranch: 'pull/7/head', scmRefspec: 'refs/pull/*:refs/remotes/origin/pull/*', expected: pull },
    ]
    for (const { expected, ...options } of cases)
      expect((await update(options)).result.project?.revision).toBe(expected)
    git(repository, 'branch', '--quiet', '-D', 'feature/x')
    expect((await update({ scmBranch: 'feature/x' })).result.status).toBe('failed')
  })

  test('submodules come along, tracked ones at their newest', async () => {
    const library = makeRepository('library')
    git(repository, 'submodule', '--quiet', 'add', '-b', 'main', library, 'lib')
    commit(repository, {})
    const pinned = await update()
    expect(read(pinned.result.project, 'lib/site.yml')).toBe('- hosts: all\n')
    commit(library, { 'site.yml': '- hosts: newer\n' })
    expect(read((await update()).result.project, 'lib/site.yml')).toBe('- hosts: all\n')
    const tracked = await update({ scmTrackSubmodules: true })
    expect(read(tracked.result.project, 'lib/site.yml')).toBe('- hosts: newer\n')
    expect(read(pinned.result.project, 'lib/site.yml')).toBe('- hosts: all\n')
  })

  test('a rewritten history and a deleted mirror', async () => {
    await update()
    writeFileSync(join(repository, 'site.yml'), '- hosts: rewritten\n')
    git(repository, 'commit', '--quiet', '-a', '--amend', '-m', 'rewritten')
    const { result } = await update()
    expect(read(result.project, 'site.yml')).toBe('- hosts: rewritten\n')
    const again = await update({ scmDeleteOnUpdate: true })
    expect(again.result.project).toEqual(result.project)
  })

  test('two at once do not disturb each other', async () => {
    const results = await Promise.all([update(), update(), update()])
    expect(results.map(({ result }) => result.status)).toEqual(['successful', 'successful', 'successful'])
  })
})

describe('an update that fails', () => {
  test('says what git said, without credentials, and nothing secret stays', async () => {
    const scmUrl = 'https://me:hunter22@127.0.0.1:1/x.git'
    const { result, rows, text } = await update({ scmUrl })
    expect(result).toMatchObject({ status: 'failed', project: null, hostStatusCounts: { failures: 1 }, playbooks: [] })
    expect(result.cause?.message).toMatch(
      /^Project update failed: fatal: unable to access 'https:\/\/127.0.0.1:1\/x.git\/'/,
    )
    const failed = rows.find((row) => row.event === 'runner_on_failed')
    expect(failed).toMatchObject({ failed: true, task: 'Update project using git', eventData: { res: { rc: 128 } } })
    expect(plain(text)).toContain('fatal: [localhost]: FAILED! => {')
    expect(plain(text)).toContain('failed=1')
    expect(rows.at(-1)).toMatchObject({ event: 'playbook_on_stats', failed: true })
    expect(JSON.stringify([result, rows])).not.toContain('hunter22')
    expect(readdirSync(join(folder, 'data/12')).filter((name) => name.startsWith('access'))).toEqual([])
  })

  test.each([
    ['--upload-pack=touch /tmp/x', 'not one that git may be given'],
    ['ext::sh -c "touch x"', 'not one that git may be given'],
    ['ssh://-oProxyCommand=x/y', 'no valid host'],
    ['-oProxyCommand=x:y', 'not one that git may be given'],
    ['svn://host/x', 'Unsupported SCM URL scheme "svn"'],
    ['../relative', 'neither a URL'],
    ['', 'no SCM URL'],
  ])('%s is refused', async (scmUrl, message) => {
    const { result, rows } = await update({ scmUrl })
    expect(result.cause?.message).toContain(message)
    expect(rows.at(-1)?.event).toBe('playbook_on_stats')
  })

  test.each(['--all', 'a..b', 'a b', 'nowhere'])('branch %s', async (scmBranch) => {
    const { result } = await update({ scmBranch })
    expect(result.status).toBe('failed')
    expect(result.cause?.message).toContain(scmBranch)
  })

  test('a repository without a commit', async () => {
    const empty = join(folder, 'empty')
    mkdirSync(empty)
    git(empty, 'init', '--quiet')
    expect((await update({ scmUrl: empty })).result.cause?.message).toContain('repository is empty')
  })

  test('another kind of source control', async () => {
    expect((await update({ scmType: 'svn' })).result.cause?.message).toContain('"svn" cannot be updated')
  })

  test('what emit throws comes through', async () => {
    const signal = new AbortController().signal
    const options = {
      dataFolder: join(folder, 'data'),
      projectId: 1,
      scmType: 'git',
      scmUrl: repository,
      scmBranch: '',
    }
    const rest = { scmRefspec: '', scmTrackSubmodules: false, scmDeleteOnUpdate: false, credential: null, galaxy: null }
    const failing = runProjectUpdate({ ...options, ...rest, refreshContent: false, timeout: 0, signal }, (rows) => {
      if (rows[0]?.event === 'runner_on_start') throw new Error('database away')
    })
    await expect(failing).rejects.toThrow('database away')
  })
})

/** False also for a process that has ended and waits for its parent to notice. */
function isRunning(pid: string): boolean {
  try {
    return !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ')
  } catch {
    return false
  }
}

describe('an update that is stopped', () => {
  /** A helper in git's way that never ends, and says so by a file. */
  function hangingGit(): { env: Record<string, string>; started: string } {
    const bin = join(folder, 'bin')
    const started = join(folder, 'started')
    mkdirSync(bin)
    const script = `#!/bin/sh\nif [ "$1" = fetch ]; then sleep 1000 & echo $! > '${started}.tmp'; mv '${started}.tmp' '${started}'; wait; fi\nexec /usr/bin/env PATH="$REAL_PATH" git "$@"\n`
    writeFileSync(join(bin, 'git'), script, { mode: 0o755 })
    return { env: { PATH: `${bin}:${process.env.PATH}`, REAL_PATH: process.env.PATH ?? '' }, started }
  }

  test('by abort: canceled, without a recap, children gone, and the next one works', async () => {
    const { env, started } = hangingGit()
    const controller = new AbortController()
    const running = update({ env, signal: controller.signal })
    await expect.poll(() => readdirSync(folder).includes('started')).toBe(true)
    controller.abort()
    const { result, rows } = await running
    expect(result).toMatchObject({ status: 'canceled', cause: { kind: 'canceled', message: '' }, project: null })
    expect(rows.at(-1)?.event).toBe('runner_on_start')
    const grandchild = readFileSync(started, 'utf8').trim()
    await expect.poll(() => isRunning(grandchild)).toBe(false)
    expect((await update()).result.status).toBe('successful')
  })

  test('by its timeout', async () => {
    const { result } = await update({ env: hangingGit().env, timeout: 1 })
    expect(result).toMatchObject({
      status: 'failed',
      cause: { kind: 'timed_out', message: 'Job terminated due to timeout' },
    })
  })
})
