/** Updates before jobs: one for many that wait, a failed one ends them in AWX's words, and a worker that dies costs nothing. */
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { until } from '../../dev/wait.ts'
import { type Catalog, launch, makeCatalog, makeTemplate } from '../setup/catalog.ts'
import { type GitServer, startGitServer } from '../setup/git-server.ts'
import { type Mayfly, startMayfly } from '../setup/mayfly.ts'
import { Undo } from '../setup/own-places.ts'
import { expectNothingLeft } from '../setup/tidy.ts'

/** Waits until it may go on, which a file says, and counts how often it was started. */
const script = `#!/usr/bin/env python3
import json, os, sys, time
folder = os.environ["FOLDER"]
open(os.path.join(folder, "start-%d" % os.getpid()), "w").close()
while not os.path.exists(os.path.join(folder, "go")): time.sleep(0.05)
if os.path.exists(os.path.join(folder, "fail")): sys.exit("the cloud is away")
print(json.dumps({"made": {"hosts": ["made-by-source"]}, "_meta": {"hostvars": {"made-by-source": {
  "ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}}}}))
`

const undo = new Undo()
let mayfly: Mayfly
let catalog: Catalog
let server: GitServer
let project: number

beforeAll(async () => {
  mayfly = await startMayfly()
  undo.add(() => mayfly.stop())
  server = await startGitServer(join(mayfly.folder, 'repositories'))
  undo.add(() => server.stop())
  const repository = server.repository('scripts', { 'script.py': script })
  repository.git('update-index', '--chmod=+x', 'script.py')
  repository.git('commit', '-qm', 'executable')
  catalog = await makeCatalog(mayfly, {
    files: { 'site.yml': '- hosts: made-by-source\n  gather_facts: false\n  tasks: [{ debug: {} }]\n' },
  })
  const fields = { name: 'scripts', organization: catalog.organization, scm_type: 'git' }
  project = (await mayfly.post('/projects/', { ...fields, scm_url: `${server.origin}/public/scripts` })).id
})
afterAll(() => undo.all())

interface Prepared {
  inventory: number
  source: number
  template: number
  folder: string
  /** Times the script was started. */
  starts(): number
  /** Lets the script go on. */
  go(): void
}

/** An inventory that the script fills before every job, a template that runs on it, and the script's folder. */
async function prepare(name: string, fields: Record<string, unknown> = {}): Promise<Prepared> {
  const folder = join(mayfly.folder, name)
  mkdirSync(folder)
  const inventory = (await mayfly.post('/inventories/', { name, organization: catalog.organization })).id
  const source = (
    await mayfly.post('/inventory_sources/', {
      ...{ name, inventory, source: 'scm', source_project: project, source_path: 'script.py' },
      ...{ update_on_launch: true, source_vars: `FOLDER: ${folder}`, ...fields },
    })
  ).id
  const template = await makeTemplate(mayfly, { ...catalog, inventory }, 'site.yml', { allow_simultaneous: true })
  const starts = () => readdirSync(folder).filter((file) => file.startsWith('start-')).length
  return { inventory, source, template, folder, starts, go: () => writeFileSync(join(folder, 'go'), '') }
}

const updatesOf = (inventory: number) =>
  mayfly.get<{ count: number; results: { id: number; name: string; status: string }[] }>(
    `/inventory_updates/?inventory=${inventory}&order_by=id`,
  )

test('many jobs that wait lead to one update, and all run on what it brought; while it is young nobody needs another', async () => {
  const { inventory, template, starts, go } = await prepare('shared', { update_cache_timeout: 3600 })
  const jobs = [await launch(mayfly, template), await launch(mayfly, template), await launch(mayfly, template)]
  await until({ what: 'all to wait for the update', seconds: 180, everyMs: 100 }, async () => {
    const shown = await Promise.all(jobs.map((id) => mayfly.get<{ job_explanation: string }>(`/jobs/${id}/`)))
    return shown.every(({ job_explanation }) => /inventory_update-\d+ to finish/.test(job_explanation))
  })
  go()
  for (const id of jobs) {
    const job = await mayfly.ended(`/jobs/${id}/`)
    expect(job.status, job.job_explanation).toBe('successful')
    expect((await mayfly.api('GET', `/jobs/${id}/stdout/?format=txt`)).text).toContain('ok: [made-by-source]')
  }
  expect(await updatesOf(inventory)).toMatchObject({ count: 1, results: [{ status: 'successful' }] })
  const later = await mayfly.ended(`/jobs/${await launch(mayfly, template)}/`)
  expect(later.status).toBe('successful')
  expect([starts(), (await updatesOf(inventory)).count]).toEqual([1, 1])
})

test('a failed update fails the job in the words that clients parse', async () => {
  const { inventory, template, folder, go } = await prepare('failing')
  writeFileSync(join(folder, 'fail'), '')
  go()
  const job = await mayfly.ended(`/jobs/${await launch(mayfly, template)}/`)
  const { results } = await updatesOf(inventory)
  const link = `{"job_type": "inventory_update", "job_name": "${results[0]?.name}", "job_id": "${results[0]?.id}"}`
  expect(job).toMatchObject({ status: 'failed', job_explanation: `Previous Task Failed: ${link}` })
  expect(results).toMatchObject([{ status: 'failed' }])
})

test('the worker is killed in the middle: the update begins again, ends right, and nothing of it stays on the disk', async () => {
  const { inventory, source, starts, go } = await prepare('killed')
  const { inventory_update: id } = await mayfly.post<{ inventory_update: number }>(
    `/inventory_sources/${source}/update/`,
  )
  await until({ what: 'the script to run', seconds: 180, everyMs: 50 }, async () => starts() === 1)
  await mayfly.restart('worker')
  await until({ what: 'the script to run again', seconds: 180, everyMs: 50 }, async () => starts() === 2)
  go()
  const update = await mayfly.ended(`/inventory_updates/${id}/`)
  expect(update.status, update.job_explanation).toBe('successful')
  const hosts = await mayfly.get<{ results: { name: string }[] }>(`/inventories/${inventory}/hosts/`)
  expect(hosts.results.map(({ name }) => name)).toEqual(['made-by-source'])
  const output = (await mayfly.api('GET', `/inventory_updates/${id}/stdout/?format=txt`)).text
  expect(output.match(/Inventory import completed/g)).toHaveLength(1)
  const left = join(mayfly.folder, 'data', 'inventory-updates')
  expect(existsSync(left) ? readdirSync(left) : []).toEqual([])
  await expectNothingLeft(mayfly)
})
