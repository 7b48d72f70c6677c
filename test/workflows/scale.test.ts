/** Many nodes: wide, long, and five thousand. `MAYFLY_SCALE=full` runs the sizes that are promised; else sizes that a machine checks in passing. */
import { Client, Connection } from '@temporalio/client'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { until } from '../../dev/wait.ts'
import { cancelJob } from '../../store/cancel-job.ts'
import { type Mayfly, startMayfly } from '../setup/mayfly.ts'
import { type EdgeOf, type NodeOf, Workflows } from '../setup/workflows.ts'

const full = process.env.MAYFLY_SCALE === 'full'
/** Three events for each child alone are more than a history may have before it is begun anew. */
const wide = full ? 1000 : 170
const long = full ? 200 : 25
const minutes = full ? 20 : 10

let mayfly: Mayfly
let workflows: Workflows
/** A workflow without nodes is done at once and needs no pod: what is left is the engine. */
let nothing: NodeOf

beforeAll(async () => {
  mayfly = await startMayfly()
  workflows = await Workflows.open(mayfly)
  nothing = { template: await workflows.template({}, []), type: 'workflow_job_template' }
})
afterAll(async () => {
  await workflows?.close()
  await mayfly?.stop()
})

const many = (count: number, name = 'n'): Record<string, NodeOf> =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`${name}${index}`, nothing]))

test(`a fan-out of ${wide} and a chain of ${long} run to their end`, { timeout: minutes * 60_000 }, async () => {
  const fan = await workflows.template({ ...many(wide), last: { ...nothing, all: true } }, [
    ...Array.from({ length: wide }, (_, index): EdgeOf => `n${index} success last`),
  ])
  const chain = await workflows.template(
    many(long),
    Array.from({ length: long - 1 }, (_, index): EdgeOf => `n${index} success n${index + 1}`),
  )
  const runs = [await workflows.launch(fan), await workflows.launch(chain)]
  for (const run of runs) {
    expect(await workflows.ended(run, minutes * 60)).toMatchObject({ status: 'successful' })
    expect(new Set(Object.values(await workflows.statuses(run)))).toEqual(new Set(['successful']))
  }
})

test('5,000 nodes start, and are cancelled as one', { timeout: minutes * 60_000 }, async () => {
  const size = 5000
  const approval = await workflows.approvalTemplate('wait')
  const nodes = Object.fromEntries(
    Array.from({ length: size }, (_, index) => [
      `n${index}`,
      index < 10 ? { template: approval, type: 'workflow_approval_template' as const } : nothing,
    ]),
  )
  const edges = Array.from({ length: size - 10 }, (_, index): EdgeOf => `n${index} success n${index + 10}`)
  const template = await workflows.template(nodes, edges)
  const run = await workflows.launch(template)
  await workflows.jobOf(run, 'n9')
  expect(Object.keys(await workflows.statuses(run))).toHaveLength(size)
  await workflows.store.db.transaction((tx) => cancelJob(tx, run))
  expect(await workflows.ended(run)).toMatchObject({ status: 'canceled' })
  const statuses = Object.values(await workflows.statuses(run))
  expect(statuses.filter((status) => status === 'canceled')).toHaveLength(10)
  expect(statuses.filter((status) => status === 'never')).toHaveLength(size - 10)
})

test('the history of no workflow passes 10,000 events: it is begun anew', async () => {
  const connection = await Connection.connect({ address: mayfly.stack.temporalAddress })
  try {
    const client = new Client({ connection, namespace: mayfly.temporalNamespace })
    let longest = 0
    let begunAnew = 0
    await until({ what: 'the list of workflows', seconds: 180, everyMs: 500 }, async () => {
      const { count } = await client.workflow.count('WorkflowType = "workflowJob"')
      return count > wide + long || undefined
    })
    for await (const { historyLength, status } of client.workflow.list({ query: 'WorkflowType = "workflowJob"' })) {
      longest = Math.max(longest, historyLength)
      if (status.name === 'CONTINUED_AS_NEW') begunAnew++
    }
    expect(begunAnew).toBeGreaterThan(0)
    expect(longest).toBeLessThan(10_000)
  } finally {
    await connection.close()
  }
})
