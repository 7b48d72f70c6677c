/** A workflow with everything in it, while the worker is killed again and again: nothing is lost, nothing runs twice. */
import { setTimeout as pause } from 'node:timers/promises'
import { eq } from 'drizzle-orm'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { unifiedJobs } from '../../store/schema/jobs.ts'
import { decideApproval } from '../../store/workflow/approve.ts'
import { type Catalog, makeCatalog } from '../setup/catalog.ts'
import { type Mayfly, type PartName, startMayfly } from '../setup/mayfly.ts'
import { Workflows } from '../setup/workflows.ts'
import { everything, files } from './twelve.ts'

const kills = 20

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

test(`twelve nodes end as they should while the worker is killed at random ${kills} times`, async () => {
  const twelve = await everything(mayfly, catalog, workflows)
  const run = await workflows.launch(twelve.template)
  // Two workers, killed in turn, so that starting takes less of the time; at some moments none is alive.
  const ready = new Map<PartName, Promise<void>>([
    ['worker', Promise.resolve()],
    ['worker-2', mayfly.start('worker-2')],
  ])
  for (let kill = 1; kill <= kills; kill++) {
    const victim: PartName = kill % 2 ? 'worker' : 'worker-2'
    await ready.get(victim)
    // Until this the last node waits, so that every kill before hits a run that is under way.
    if (kill === kills - 1) {
      const approval = await workflows.jobOf(run, 'approval')
      expect(await decideApproval(workflows.store.db, approval, { decision: 'approve', userId: 1 })).toBe(true)
    }
    await pause(Math.random() ** 2 * 1000)
    if (kill < kills - 1) expect((await workflows.row(run)).finished, `ended before kill ${kill}`).toBeNull()
    await mayfly.kill9(victim)
    ready.set(victim, mayfly.start(victim))
  }
  await Promise.all(ready.values())
  await workflows.ended(run)
  await twelve.expectTheEnd(run)
  // Every node's job was made once: slices, nested and all.
  const nodes = await workflows.nodes(run)
  const ofNested = await workflows.nodes(nodes.get('nested')?.jobId ?? 0)
  const ofSliced = await workflows.nodes(nodes.get('sliced')?.jobId ?? 0)
  const children = await Promise.all(
    [run, nodes.get('nested')?.jobId ?? 0, nodes.get('sliced')?.jobId ?? 0].map(
      async (id) =>
        (await workflows.store.db.select().from(unifiedJobs).where(eq(unifiedJobs.workflowJobId, id))).length,
    ),
  )
  expect(children).toEqual([11, ofNested.size, ofSliced.size])
})
