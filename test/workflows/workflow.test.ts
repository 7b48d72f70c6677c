/** Workflows from launch to end on the real cluster: every kind of node and edge, with variables and artifacts. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { decideApproval } from '../../store/workflow/approve.ts'
import { type Catalog, makeCatalog, makeTemplate } from '../setup/catalog.ts'
import { type Mayfly, startMayfly } from '../setup/mayfly.ts'
import { Workflows } from '../setup/workflows.ts'
import { everything, files } from './twelve.ts'

let mayfly: Mayfly
let catalog: Catalog
let workflows: Workflows

beforeAll(async () => {
  mayfly = await startMayfly()
  catalog = await makeCatalog(mayfly, { files, hosts: ['h1', 'h2', 'h3'] })
  workflows = await Workflows.open(mayfly)
})
afterAll(async () => {
  await workflows?.close()
  await mayfly?.stop()
})

test('two nodes run one after the other, each in a pod', async () => {
  const ok = await makeTemplate(mayfly, catalog, 'ok.yml', { allow_simultaneous: true })
  const template = await workflows.template({ a: { template: ok }, b: { template: ok } }, ['a success b'])
  const run = await workflows.launch(template)
  expect(await workflows.ended(run)).toMatchObject({ status: 'successful' })
  expect(await workflows.statuses(run)).toEqual({ a: 'successful', b: 'successful' })
})

test('twelve nodes of every kind, with every kind of edge, converge and end as they should', async () => {
  const twelve = await everything(mayfly, catalog, workflows)
  const run = await workflows.launch(twelve.template)
  const approval = await workflows.jobOf(run, 'approval')
  expect(await decideApproval(workflows.store.db, approval, { decision: 'approve', userId: 1 })).toBe(true)
  await workflows.ended(run)
  await twelve.expectTheEnd(run)
})
