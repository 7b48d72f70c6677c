import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, inject, test } from 'vitest'
import type { EventRow } from '../../model/event.ts'
import { findPreparedProject, runProjectUpdate } from '../../runner/project/update.ts'

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

async function update(scmUrl: string) {
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
      timeout: 120,
      signal: new AbortController().signal,
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
