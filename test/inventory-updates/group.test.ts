/** Where the installation wants it so, inventory updates run in pods of their groups, constructed inventories too; and an inventory may be large. */
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Catalog, makeCatalog } from '../setup/catalog.ts'
import { startGitServer } from '../setup/git-server.ts'
import { type Mayfly, startMayfly } from '../setup/mayfly.ts'
import { Undo } from '../setup/own-places.ts'
import { PodRecord } from '../setup/pods.ts'
import { expectNothingLeft } from '../setup/tidy.ts'

interface Update {
  id: number
  status: string
  job_explanation: string
  elapsed: number
  event_processing_finished: boolean
  summary_fields: { instance_group?: { id: number } }
}

const large = `#!/usr/bin/env python3
import json
names = ["host%05d" % number for number in range(10000)]
groups = {"group%03d" % number: {"hosts": names[number * 100:number * 100 + 100]} for number in range(100)}
hostvars = {name: {"address": "10.0.0.1", "tags": ["a", "b"], "number": index, "text": "x" * 200} for index, name in enumerate(names)}
print(json.dumps(dict(groups, _meta={"hostvars": hostvars})))
`

const undo = new Undo()
let mayfly: Mayfly
let catalog: Catalog
let pods: PodRecord
let project: number

beforeAll(async () => {
  mayfly = await startMayfly({ env: { MAYFLY_INVENTORY_UPDATES: 'group' } })
  undo.add(() => mayfly.stop())
  pods = await PodRecord.open(mayfly.stack, mayfly.kubernetesNamespace)
  undo.add(async () => pods.close())
  const server = await startGitServer(join(mayfly.folder, 'repositories'))
  undo.add(() => server.stop())
  const files = {
    'large.py': large,
    'broken.py': '#!/usr/bin/env python3\nimport sys\nsys.exit("the cloud is away")\n',
  }
  const repository = server.repository('inventories', files)
  repository.git('update-index', '--chmod=+x', 'large.py', 'broken.py')
  repository.git('commit', '-qm', 'executable')
  catalog = await makeCatalog(mayfly, { files: { 'none.yml': '- hosts: all\n' }, hosts: ['web1', 'web2', 'db1'] })
  await mayfly.post(`/organizations/${catalog.organization}/instance_groups/`, { id: catalog.group })
  const fields = { name: 'git', organization: catalog.organization, scm_type: 'git' }
  project = (await mayfly.post('/projects/', { ...fields, scm_url: `${server.origin}/public/inventories` })).id
})
afterAll(() => undo.all())

async function updated(source: number): Promise<Update> {
  const { inventory_update: id } = await mayfly.post<{ inventory_update: number }>(
    `/inventory_sources/${source}/update/`,
  )
  await mayfly.ended(`/inventory_updates/${id}/`)
  return await mayfly.get<Update>(`/inventory_updates/${id}/`)
}

const stdoutOf = async (id: number) => (await mayfly.api('GET', `/inventory_updates/${id}/stdout/?format=txt`)).text
const count = async (path: string) => (await mayfly.get<{ count: number }>(path)).count

test('a constructed inventory is made in a pod', async () => {
  const body = {
    name: 'constructed',
    organization: catalog.organization,
    source_vars: 'groups:\n  webs: inventory_hostname.startswith("web")',
  }
  const { id } = await mayfly.post('/constructed_inventories/', body)
  await mayfly.post(`/inventories/${id}/input_inventories/`, { id: catalog.inventory })
  const sources = await mayfly.get<{ results: { id: number }[] }>(`/inventories/${id}/inventory_sources/`)
  const update = await updated(sources.results[0]?.id ?? 0)
  expect(update, `${update.job_explanation}\n${await stdoutOf(update.id)}`).toMatchObject({
    status: 'successful',
    event_processing_finished: true,
    summary_fields: { instance_group: { id: catalog.group } },
  })
  await pods.seenOf(update.id)
  expect(await count(`/inventories/${id}/hosts/`)).toBe(3)
  const groups = await mayfly.get<{ results: { id: number; name: string }[] }>(`/inventories/${id}/groups/?name=webs`)
  expect(await count(`/groups/${groups.results[0]?.id}/hosts/`)).toBe(2)
})

test('ten thousand hosts come out of a pod, and what fails there says why', async () => {
  const inventory = (await mayfly.post('/inventories/', { name: 'large', organization: catalog.organization })).id
  const make = async (source_path: string) => {
    const body = { name: source_path, inventory, source: 'scm', source_project: project, source_path, overwrite: true }
    return (await mayfly.post('/inventory_sources/', body)).id
  }
  const [filled, failed] = await Promise.all([updated(await make('large.py')), updated(await make('broken.py'))])
  expect(filled.status, `${filled.job_explanation}\n${await stdoutOf(filled.id)}`).toBe('successful')
  expect(await count(`/inventories/${inventory}/hosts/`)).toBe(10_000)
  expect(await count(`/inventories/${inventory}/groups/`)).toBe(100)
  expect(await stdoutOf(filled.id)).toMatch(/Inventory import completed for large\.py in [\d.]+s/)
  expect(failed).toMatchObject({ status: 'failed', event_processing_finished: true })
  expect(await stdoutOf(failed.id)).toContain('the cloud is away')
  expect(failed.job_explanation).not.toBe('')
  await expectNothingLeft(mayfly)
})
