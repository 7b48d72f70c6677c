import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { EventRow } from '../../model/event.ts'
import { Redactor } from '../redact.ts'
import { Checkouts } from './checkouts.ts'
import { syncContent } from './content.ts'
import { Narrator } from './narrator.ts'

let folder = ''
let log = ''
let checkouts: Checkouts
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'mayfly-content-'))
  log = join(folder, 'log')
  writeFileSync(log, '')
  mkdirSync(join(folder, 'project/roles'), { recursive: true })
  mkdirSync(join(folder, 'project/collections'), { recursive: true })
  checkouts = new Checkouts(join(folder, 'data'), 1)
  await checkouts.prepare()
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const put = (name: string, text: string) => writeFileSync(join(folder, 'project', name), text)
const calls = () => readFileSync(log, 'utf8').split('\n').filter(Boolean)

/** Stands for ansible-galaxy: notes its words, and makes the folder it was told to install into. */
function galaxy(ending = 'exit 0') {
  const path = join(folder, 'galaxy')
  writeFileSync(
    path,
    `#!/bin/sh\necho "$1 $4 $ANSIBLE_GALAXY_SERVER_LIST" >> '${log}'\nmkdir -p "$6/it"\n${ending}\n`,
    { mode: 0o755 },
  )
  return { command: [path], env: {} }
}

async function sync(options: Parameters<typeof syncContent>[0]['options'], project = 'project') {
  const rows: EventRow[] = []
  const narrator = new Narrator((more) => {
    rows.push(...more)
  }, new Redactor([]))
  const env = { PATH: process.env.PATH ?? '' }
  const request = {
    folder: join(folder, project),
    isLocal: false,
    env,
    options,
    checkouts,
    signal: new AbortController().signal,
    patienceMs: 60_000,
  }
  const ended = await syncContent(request, narrator).catch((error: unknown) => error)
  const results = rows.filter((row) => row.event.startsWith('runner_on_') && row.event !== 'runner_on_start')
  return { ended, results: results.map((row) => [row.event.slice('runner_on_'.length), row.changed]), rows }
}

describe('requirements', () => {
  test('of all places are installed once for equal files, and anew when asked', async () => {
    put('roles/requirements.yml', '- src: a\n')
    put('collections/requirements.yaml', 'collections: [b.c]\n')
    put('requirements.yml', 'roles: [{src: d}]\ncollections: []\n')
    const first = await sync({ galaxy: galaxy(), refreshContent: false })
    expect(calls().map((call) => call.split(' ')[0])).toEqual(['role', 'collection', 'role'])
    expect(calls()[0]).toContain('/project/roles/requirements.yml')
    expect(first.results).toEqual([
      ['ok', true],
      ['ok', true],
      ['ok', true],
    ])
    expect(first.ended).toMatchObject({
      rolesFolder: expect.stringMatching(/\/trees\/content-[0-9a-f]+\/roles$/),
      collectionsFolder: expect.stringMatching(/\/collections$/),
    })
    const second = await sync({ galaxy: galaxy(), refreshContent: false })
    expect(second.ended).toEqual(first.ended)
    expect(second.results[0]).toEqual(['ok', false])
    expect(calls()).toHaveLength(3)
    const anew = await sync({ galaxy: galaxy(), refreshContent: true })
    expect(anew.ended).not.toEqual(first.ended)
    expect(calls()).toHaveLength(6)
    put('requirements.yml', 'roles: [{src: e}]\n')
    await sync({ galaxy: galaxy(), refreshContent: false })
    expect(calls()).toHaveLength(9)
  })

  test('none', async () => {
    const { ended, results } = await sync({ galaxy: galaxy(), refreshContent: true })
    expect(ended).toEqual({ rolesFolder: null, collectionsFolder: null })
    expect(results).toEqual([
      ['skipped', false],
      ['skipped', false],
      ['skipped', false],
    ])
    expect(calls()).toEqual([])
  })

  test('that ask for nothing are skipped', async () => {
    put('requirements.yml', 'roles: []\n')
    const { ended, results } = await sync({ galaxy: galaxy(), refreshContent: true })
    expect(ended).toEqual({ rolesFolder: null, collectionsFolder: null })
    expect(results[2]).toEqual(['skipped', false])
  })

  test('without ansible-galaxy or a server to ask are named', async () => {
    put('requirements.yml', 'roles: [x]\n')
    const { ended, rows } = await sync({ galaxy: null, refreshContent: true })
    expect(ended).toEqual({ rolesFolder: null, collectionsFolder: null })
    expect(rows.at(-1)?.stdout).toContain(
      'The content of requirements.yml is not installed: ansible-galaxy was not found',
    )
    const none = await sync({ galaxy: galaxy(), galaxyServers: [], refreshContent: true })
    expect(none.ended).toEqual(ended)
    expect(none.rows.at(-1)?.stdout).toContain('has no Galaxy credential')
    expect(calls()).toEqual([])
  })

  test('that are no YAML, or not to be had, fail with a reason and leave nothing behind', async () => {
    put('requirements.yml', 'roles: [\n')
    expect((await sync({ galaxy: galaxy(), refreshContent: true })).ended).toMatchObject({
      message: expect.stringMatching(/^requirements.yml is not YAML/),
    })
    put('requirements.yml', 'roles: [x]\n')
    const failed = await sync({ galaxy: galaxy('echo "ERROR! no such role" >&2; exit 1'), refreshContent: true })
    expect(failed.ended).toMatchObject({ message: 'ERROR! no such role' })
    expect(failed.results.at(-1)).toEqual(['failed', false])
    const { results } = await sync({ galaxy: galaxy(), refreshContent: false })
    expect(results.at(-1)).toEqual(['ok', true])
  })

  test('that name files of the project are installed for each tree of it; places outside are refused', async () => {
    const own = 'collections: [{name: ./collections/own, type: dir}]\n'
    put('requirements.yml', own)
    mkdirSync(join(folder, 'later'))
    writeFileSync(join(folder, 'later/requirements.yml'), own)
    const [first, later, again] = [
      await sync({ galaxy: galaxy(), refreshContent: false }),
      await sync({ galaxy: galaxy(), refreshContent: false }, 'later'),
      await sync({ galaxy: galaxy(), refreshContent: false }),
    ]
    expect(later.ended).not.toEqual(first.ended)
    expect(again.ended).toEqual(first.ended)
    expect(calls()).toHaveLength(2)
    put('requirements.yml', 'roles: [{src: "file:///srv/role.tar.gz"}]\n')
    const refused = await sync({ galaxy: galaxy(), refreshContent: false })
    expect(refused.ended).toMatchObject({
      message:
        'requirements.yml names "file:///srv/role.tar.gz", which is on the control plane and not in the project.',
    })
    expect(calls()).toHaveLength(2)
  })

  test('servers are told to ansible-galaxy, and a link is not followed', async () => {
    symlinkSync('/etc/hostname', join(folder, 'project/roles/requirements.yml'))
    put('requirements.yml', 'roles: [x]\n')
    const galaxyServers = [{ url: 'https://hub.example.org/', authUrl: '', token: 't' }]
    const { results } = await sync({ galaxy: galaxy(), galaxyServers, refreshContent: true })
    expect(results[0]).toEqual(['skipped', false])
    expect(calls()[0]).toMatch(/server0$/)
  })
})
