import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { testCredential } from '../testing.ts'
import type { InventoryUpdateJob } from './job.ts'
import { buildInventoryPayload } from './payload.ts'
import { type Places, planUpdate, SourceUnusableError } from './plan.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mayfly-plan-'))
  writeFileSync(join(folder, 'hosts.ini'), 'web1\n')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const places: Places = {
  folder: '/runner',
  project: '/runner/project',
  collections: null,
  output: '/runner/output.json',
}
const update = (changes: Partial<InventoryUpdateJob> = {}): InventoryUpdateJob => ({
  id: 77,
  inventorySourceId: 5,
  source: 'scm',
  sourcePath: 'hosts.ini',
  sourceVars: {},
  limit: '',
  verbosity: 1,
  timeout: 0,
  project: { folder, rolesFolder: null, collectionsFolder: null },
  inputs: [],
  credentials: [],
  taskEnv: {},
  ...changes,
})

describe('a run of ansible-inventory', () => {
  test('on a file of a project', async () => {
    const plan = await planUpdate(update({ limit: 'web:!web1' }), places)
    expect(plan.arguments).toEqual([
      ...['--list', '--export', '-i', '/runner/project/hosts.ini', '--limit=web:!web1'],
      ...['--output', '/runner/output.json', '--playbook-dir', '/runner/project', '-vvv'],
    ])
    expect(plan).toMatchObject({ cwd: '/runner/project', files: [] })
    expect(plan.env).toMatchObject({
      INVENTORY_SOURCE_ID: '5',
      INVENTORY_UPDATE_ID: '77',
      ANSIBLE_INVENTORY_EXPORT: 'True',
    })
  })

  test.each([
    ['', '/runner/project'],
    ['/', '/runner/project'],
    ['a/./b', '/runner/project/a/b'],
  ])('the source path %j is %s', async (sourcePath, path) => {
    const { arguments: words } = await planUpdate(update({ sourcePath }), places)
    expect(words[words.indexOf('-i') + 1]?.replace(/\/$/, '')).toBe(path)
  })

  test.each(['..', '../x', 'a/../../x'])('the source path %s is refused', async (sourcePath) => {
    await expect(planUpdate(update({ sourcePath }), places)).rejects.toThrow(SourceUnusableError)
  })

  test('variables of a project’s source are environment, but for what the run itself depends on', async () => {
    const sourceVars = {
      REGION: 'here',
      COUNT: 3,
      PATH: '/tmp',
      LD_PRELOAD: 'x',
      PYTHONPATH: 'x',
      'no name': 'x',
      INVENTORY_UPDATE_ID: '1',
    }
    const { env } = await planUpdate(update({ sourceVars }), places)
    expect(env).toMatchObject({ REGION: 'here', COUNT: '3', INVENTORY_UPDATE_ID: '77' })
    for (const name of ['PATH', 'LD_PRELOAD', 'PYTHONPATH', 'no name']) expect(env).not.toHaveProperty(name)
  })

  test('of a plugin, whose options are in a file of the name that it wants', async () => {
    const sourceVars = { plugin: 'another', regions: ['a'] }
    const plan = await planUpdate(update({ source: 'ec2', project: null, sourceVars, verbosity: 0 }), places)
    expect(plan.files).toEqual([
      { path: 'inventory/aws_ec2.yml', content: '{"plugin": "amazon.aws.aws_ec2", "regions": ["a"]}\n', mode: 0o600 },
    ])
    expect(plan.arguments.slice(2)).toEqual([
      ...[
        '-i',
        '/runner/inventory/aws_ec2.yml',
        '--output',
        '/runner/output.json',
        '--playbook-dir',
        '/runner/inventory',
      ],
    ])
    expect(plan.env).not.toHaveProperty('regions')
  })

  test('of a constructed inventory: its inputs come first, in their order', async () => {
    const inventory = { variables: '', hosts: [{ id: 1, name: 'h1', enabled: true, variables: '' }], groups: [] }
    const inputs = [9, 4].map((id) => ({ id, inventory }))
    const plan = await planUpdate(update({ source: 'constructed', project: null, inputs }), places)
    expect(plan.files.map(({ path, mode }) => [path, mode])).toEqual([
      ['inventory/hosts_9', 0o700],
      ['inventory/hosts_4', 0o700],
      ['inventory/constructed.yml', 0o600],
    ])
    expect(plan.files[0]?.content).toContain('"remote_tower_id": 1')
  })

  test('a credential brings its environment and files', async () => {
    const injectors = {
      env: { CLOUD_KEY: '{{ key }}', CLOUD_FILE: '{{ tower.filename }}' },
      file: { template: '[{{ key }}]' },
    }
    const credentials = [testCredential('cloud', { key: 'k3y' }, { injectors, secret: ['key'] })]
    const plan = await planUpdate(update({ credentials }), places)
    expect(plan.env).toMatchObject({ CLOUD_KEY: 'k3y', CLOUD_FILE: '/runner/env/tmp_3_file' })
    expect(plan.files).toEqual([{ path: 'env/tmp_3_file', content: '[k3y]', mode: 0o600 }])
    expect(plan.effects.secrets).toEqual(['k3y'])
  })

  test('a source that is none is refused', async () => {
    await expect(planUpdate(update({ source: 'file', project: null }), places)).rejects.toThrow(SourceUnusableError)
  })
})

test('in a pod it is the runner’s raw mode', async () => {
  const payload = await buildInventoryPayload(update())
  const sent = await text(payload.stream())
  expect(Buffer.byteLength(sent)).toBe(payload.size)
  const { kwargs } = JSON.parse(sent.split('\n')[0] ?? '')
  expect(kwargs).toMatchObject({ ident: 77, suppress_env_files: true, fact_cache_type: '' })
  expect(kwargs).not.toHaveProperty('playbook')
  expect(kwargs).not.toHaveProperty('inventory')
})
