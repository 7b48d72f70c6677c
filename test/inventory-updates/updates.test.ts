/** Inventories are filled from projects, scripts and plugins, on the control plane or in a pod, and before the jobs that run on them. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { until } from '../../dev/wait.ts'
import { type Catalog, launch, localHost, makeCatalog, makeTemplate } from '../setup/catalog.ts'
import { type GitServer, startGitServer } from '../setup/git-server.ts'
import { type Mayfly, startMayfly } from '../setup/mayfly.ts'
import { Undo } from '../setup/own-places.ts'
import { PodRecord } from '../setup/pods.ts'
import { expectNothingLeft } from '../setup/tidy.ts'

interface Update {
  id: number
  status: string
  job_explanation: string
  execution_node: string
  controller_node: string
  scm_revision: string
  source_project_update: number | null
  event_processing_finished: boolean
  launch_type: string
  summary_fields: { instance_group?: { name: string; is_container_group: boolean } }
}

interface Page<Item> {
  count: number
  results: Item[]
}

/** A script that is slow and leaves a mark where its environment says so, and tells what it was given. */
const script = `#!/usr/bin/env python3
import json, os, sys, time
key = os.environ.get("CLOUD_KEY", "")
sys.stderr.write("the script speaks of <%s>\\n" % key)
if "MARK" in os.environ: open(os.environ["MARK"], "w").close()
time.sleep(float(os.environ.get("SCRIPT_SECONDS", "0")))
print(json.dumps({
  "slow": {"hosts": ["from-script"], "vars": {"called_with": sys.argv[1:]}},
  "_meta": {"hostvars": {"from-script": {"secret_of_ours": os.environ.get("MAYFLY_SECRET_KEY", "none"), "given": os.environ.get("GIVEN", ""), "key_length": len(key)}}},
}))
`
/** A plugin of a collection that the project itself holds, and where Ansible finds it. */
const plugin = `
from ansible.plugins.inventory import BaseInventoryPlugin, Constructable

DOCUMENTATION = '''
name: our.cloud.things
short_description: things of our cloud
extends_documentation_fragment: [constructed]
options:
  plugin: {description: name of the plugin, required: true}
  count: {description: how many things there are, type: int, default: 1}
'''


class InventoryModule(BaseInventoryPlugin, Constructable):
    NAME = "our.cloud.things"

    def parse(self, inventory, loader, path, cache=True):
        super().parse(inventory, loader, path, cache)
        self._read_config_data(path)
        for number in range(self.get_option("count")):
            host = "thing%d" % number
            self.inventory.add_host(host)
            self.inventory.set_variable(host, "parity", "even" if number % 2 == 0 else "odd")
            self._add_host_to_keyed_groups(self.get_option("keyed_groups"), {"parity": "even" if number % 2 == 0 else "odd"}, host)
`
const inventory = `[web]
web1 port=80 state=on
web2 port=81 state=off
[db]
db1
[site:children]
web
db
[all:vars]
region=here
`

const undo = new Undo()
let mayfly: Mayfly
let catalog: Catalog
let server: GitServer
let pods: PodRecord
let project: number

beforeAll(async () => {
  mayfly = await startMayfly()
  undo.add(() => mayfly.stop())
  pods = await PodRecord.open(mayfly.stack, mayfly.kubernetesNamespace)
  undo.add(async () => pods.close())
  server = await startGitServer(join(mayfly.folder, 'repositories'))
  undo.add(() => server.stop())
  const repository = server.repository('inventories', {
    'hosts.ini': inventory,
    'script.py': script,
    'broken.yml': 'all: [this is no inventory\n',
    'ansible.cfg': '[defaults]\ncollections_path = ./collections\n',
    'collections/ansible_collections/our/cloud/plugins/inventory/things.py': plugin,
    'things.yml':
      'plugin: our.cloud.things\ncount: 3\nkeyed_groups:\n  - { key: parity, prefix: "" , separator: "" }\n',
  })
  repository.git('update-index', '--chmod=+x', 'script.py')
  repository.git('commit', '-qm', 'executable')
  catalog = await makeCatalog(mayfly, {
    files: { 'site.yml': '- hosts: all\n  gather_facts: false\n  tasks: [{ debug: {} }]\n' },
  })
  await mayfly.post(`/organizations/${catalog.organization}/instance_groups/`, { id: catalog.group })
  const fields = { name: 'inventories', organization: catalog.organization, scm_type: 'git' }
  project = (await mayfly.post('/projects/', { ...fields, scm_url: `${server.origin}/public/inventories` })).id
})
afterAll(() => undo.all())

let made = 0
async function newInventory(fields: Record<string, unknown> = {}): Promise<number> {
  return (
    await mayfly.post('/inventories/', { name: `filled ${++made}`, organization: catalog.organization, ...fields })
  ).id
}

async function newSource(inventoryId: number, fields: Record<string, unknown> = {}): Promise<number> {
  const body = { name: `source ${++made}`, inventory: inventoryId, source: 'scm', source_project: project, ...fields }
  return (await mayfly.post('/inventory_sources/', body)).id
}

async function start(source: number): Promise<number> {
  const answer = await mayfly.api<{ inventory_update: number }>('POST', `/inventory_sources/${source}/update/`)
  expect(answer.status).toBe(202)
  return answer.body.inventory_update
}

async function ended(id: number): Promise<Update> {
  await mayfly.ended(`/inventory_updates/${id}/`)
  return await mayfly.get<Update>(`/inventory_updates/${id}/`)
}

const stdoutOf = async (id: number) => (await mayfly.api('GET', `/inventory_updates/${id}/stdout/?format=txt`)).text

async function namesOf(inventoryId: number, kind: 'hosts' | 'groups' = 'hosts'): Promise<string[]> {
  const page = await mayfly.get<Page<{ name: string }>>(`/inventories/${inventoryId}/${kind}/?page_size=200`)
  return page.results.map(({ name }) => name)
}

test('rows 15, 16, 51: an update runs on the control plane, which is its execution node as well, and not in the group', async () => {
  const filled = await newInventory()
  const source = await newSource(filled, {
    source_path: 'hosts.ini',
    overwrite: true,
    enabled_var: 'state',
    enabled_value: 'on',
  })
  const id = await start(source)
  const update = await ended(id)
  expect(update, `${update.job_explanation}\n${await stdoutOf(id)}`).toMatchObject({
    status: 'successful',
    event_processing_finished: true,
    summary_fields: { instance_group: { name: 'controlplane', is_container_group: false } },
  })
  expect(update.execution_node).not.toBe('')
  expect(update.execution_node).toBe(update.controller_node)
  expect(update.scm_revision).toMatch(/^[0-9a-f]{40}$/)
  expect(pods.statesOf(id)).toEqual([])

  expect(await namesOf(filled)).toEqual(['db1', 'web1', 'web2'])
  expect(await namesOf(filled, 'groups')).toEqual(['db', 'site', 'web'])
  const { results } = await mayfly.get<Page<Record<string, unknown>>>(`/inventories/${filled}/hosts/?order_by=name`)
  expect(results).toMatchObject([
    { name: 'db1', enabled: true, has_inventory_sources: true },
    { name: 'web1', enabled: true, variables: '{"port": 80, "state": "on"}' },
    { name: 'web2', enabled: false },
  ])
  expect(await mayfly.get(`/inventories/${filled}/`)).toMatchObject({
    variables: '{"region": "here"}',
    has_inventory_sources: true,
    total_inventory_sources: 1,
    inventory_sources_with_failures: 0,
  })
  expect(await mayfly.get(`/inventory_sources/${source}/`)).toMatchObject({
    status: 'successful',
    last_job_failed: false,
  })
  const output = await stdoutOf(id)
  expect(output).toMatch(/Parsed .*hosts\.ini inventory source with ini plugin/)
  expect(output).toMatch(/ INFO {5}Loaded 3 groups, 3 hosts/)
  expect(output).toMatch(/ INFO {5}Inventory import completed for source \d+ in [\d.]+s/)
  const events = await mayfly.get<Page<{ counter: number; start_line: number }>>(
    `/inventory_updates/${id}/events/?order_by=counter&page_size=200`,
  )
  expect(events.results.map(({ counter, start_line }) => counter - start_line)).toEqual(events.results.map(() => 1))
})

test('a source that names an execution environment is updated in a pod of the group, with the same result', async () => {
  const filled = await newInventory()
  const environments = await mayfly.get<Page<{ id: number }>>('/execution_environments/?managed=false')
  const fields = { source_path: 'hosts.ini', execution_environment: environments.results[0]?.id, limit: 'web' }
  const id = await start(await newSource(filled, fields))
  const update = await ended(id)
  expect(update, `${update.job_explanation}\n${await stdoutOf(id)}`).toMatchObject({
    status: 'successful',
    summary_fields: { instance_group: { is_container_group: true } },
  })
  await pods.seenOf(id)
  expect(await namesOf(filled)).toEqual(['web1', 'web2'])
  expect(await stdoutOf(id)).toMatch(/ INFO {5}Loaded \d groups, 2 hosts/)
  await pods.until(`no pod of update ${id}`, () => !pods.has(id))
})

test('a script is run with its own environment and nothing of ours; what fails says why', async () => {
  const filled = await newInventory()
  const secret = 'k3y-of-the-cloud'
  const type = await mayfly.post('/credential_types/', {
    ...{
      name: 'cloud',
      kind: 'cloud',
      inputs: { fields: [{ id: 'key', label: 'Key', type: 'string', secret: true }] },
    },
    injectors: { env: { CLOUD_KEY: '{{ key }}' } },
  })
  const cloud = { name: 'cloud', organization: catalog.organization, credential_type: type.id, inputs: { key: secret } }
  const credential = (await mayfly.post('/credentials/', cloud)).id
  const fields = { source_path: 'script.py', source_vars: 'GIVEN: something', credential }
  const scripted = await start(await newSource(filled, fields))
  const slow = await start(
    await newSource(filled, { source_path: 'script.py', source_vars: 'SCRIPT_SECONDS: "60"', timeout: 2 }),
  )
  const broken = await start(await newSource(filled, { source_path: 'broken.yml' }))
  const missing = await start(await newSource(filled, { source_path: 'no/such/file' }))
  const all = [scripted, broken, missing, slow]
  const [update, failed, absent, late] = await Promise.all(all.map(ended))
  expect(update?.status, await stdoutOf(scripted)).toBe('successful')
  expect(await stdoutOf(scripted)).toContain('the script speaks of <**********>')
  expect(JSON.stringify(update)).not.toContain(secret)
  expect(late).toMatchObject({ status: 'failed', job_explanation: 'Job terminated due to timeout' })
  const { results } = await mayfly.get<Page<{ variables: string }>>(`/inventories/${filled}/hosts/`)
  expect(results[0]?.variables).toBe('{"given": "something", "key_length": 16, "secret_of_ours": "none"}')
  expect(failed).toMatchObject({ status: 'failed', event_processing_finished: true })
  expect(failed?.job_explanation).toMatch(/^ansible-inventory failed: /)
  expect(absent).toMatchObject({
    status: 'failed',
    job_explanation: 'The project has no file or folder "no/such/file".',
  })
  expect(await mayfly.get(`/inventories/${filled}/`)).toMatchObject({ inventory_sources_with_failures: 3 })
})

test('the inventory plugin of a collection, with groups from keys; hosts are filtered by name', async () => {
  const filled = await newInventory()
  const id = await start(await newSource(filled, { source_path: 'things.yml', host_filter: 'thing[01]$' }))
  const update = await ended(id)
  expect(update.status, `${update.job_explanation}\n${await stdoutOf(id)}`).toBe('successful')
  expect(await namesOf(filled)).toEqual(['thing0', 'thing1'])
  expect(await namesOf(filled, 'groups')).toEqual(['even', 'odd'])
})

test('a constructed inventory is made from its inputs, again before every job', async () => {
  const input = await newInventory()
  for (const name of ['web1', 'web2', 'db1'])
    await mayfly.post('/hosts/', { name, inventory: input, variables: `${localHost}\ntier: ${name.slice(0, -1)}` })
  const body = {
    name: 'constructed',
    organization: catalog.organization,
    source_vars:
      'plugin: constructed\nstrict: true\ngroups:\n  fronts: tier == "web"\nkeyed_groups:\n  - { key: tier, prefix: tier }',
    limit: 'fronts',
  }
  const constructed = await mayfly.post<{ id: number; source_vars: string }>('/constructed_inventories/', body)
  expect(constructed).toMatchObject({
    kind: 'constructed',
    source_vars: body.source_vars,
    limit: 'fronts',
    verbosity: 1,
  })
  await mayfly.post(`/inventories/${constructed.id}/input_inventories/`, { id: input })

  const template = await makeTemplate(mayfly, { ...catalog, inventory: constructed.id }, 'site.yml')
  const job = await launch(mayfly, template)
  const done = await mayfly.ended(`/jobs/${job}/`)
  expect(done.status, done.job_explanation).toBe('successful')
  expect(await namesOf(constructed.id)).toEqual(['web1', 'web2'])
  expect(await namesOf(constructed.id, 'groups')).toEqual(expect.arrayContaining(['fronts', 'tier_web']))
  const { results } = await mayfly.get<Page<{ variables: string; instance_id: string }>>(
    `/inventories/${constructed.id}/hosts/`,
  )
  expect(results[0]?.instance_id).toMatch(/^\d+$/)
  expect(results[0]?.variables).not.toContain('remote_tower_id')
  const updates = await mayfly.get<Page<Update>>(`/inventory_updates/?inventory=${constructed.id}`)
  expect(updates).toMatchObject({ count: 1, results: [{ launch_type: 'dependency', status: 'successful' }] })
})

test('cancelled while it runs, it ends and leaves the inventory as it was', async () => {
  const filled = await newInventory()
  const mark = join(mayfly.folder, 'cancelled')
  const source_vars = `SCRIPT_SECONDS: "120"\nMARK: ${mark}`
  const id = await start(await newSource(filled, { source_path: 'script.py', source_vars }))
  await until({ what: 'the script to run', seconds: 180, everyMs: 50 }, async () => existsSync(mark))
  expect((await mayfly.api('POST', `/inventory_updates/${id}/cancel/`)).status).toBe(202)
  expect(await ended(id)).toMatchObject({ status: 'canceled' })
  expect(await namesOf(filled)).toEqual([])
  expect((await mayfly.api('DELETE', `/inventory_updates/${id}/`)).status).toBe(204)
  await expectNothingLeft(mayfly)
})
