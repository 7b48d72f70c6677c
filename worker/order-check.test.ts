import { expect, test } from 'vitest'
import { checkOrder, verdictOnOrder } from './order-check.ts'
import type { TemporalLink } from './temporal.ts'

test.each([
  ['as it should be', ['urgent', 'one', 'other', 'one again'], 1, []],
  ['fair shares first or second', ['urgent', 'other', 'one', 'one again'], 1, []],
  ['first in first out', ['one', 'one again', 'other', 'urgent'], 1, [/priority/]],
  ['priority without fair shares', ['urgent', 'one', 'one again', 'other'], 1, [/shares of organizations/]],
  ['several partitions', ['urgent', 'one', 'other', 'one again'], 4, [/4 partitions/]],
])('%s', (_name, order, partitions, expected) => {
  const problems = verdictOnOrder(order, partitions)
  expect(problems).toHaveLength(expected.length)
  for (const [index, pattern] of expected.entries()) expect(problems[index]).toMatch(pattern)
})

interface Probe {
  workflowId: string
  priority: { priorityKey: number; fairnessKey: string }
}

/** A server to whose line a workflow comes some time after its start: when somebody looks at the line, or waits at it. What came last is not read at the first `late` polls. */
function serverThat({ fair = true, partitions = 1, counts = true, late = 0 }) {
  const onTheWay: Probe[] = []
  const line: Probe[] = []
  const served: string[] = []
  let unread = late
  const arrive = () => line.push(...onTheWay.splice(0, 1))
  const standing = (probe: Probe) => served.filter((key) => key === probe.priority.fairnessKey).length
  const workflowService = {
    describeTaskQueue: async () => {
      arrive()
      return counts ? { taskQueueStatus: { backlogCountHint: line.length } } : {}
    },
    pollWorkflowTaskQueue: async () => {
      if (line.length === 0) arrive()
      const read = unread-- > 0 ? line.slice(0, -1) : [...line]
      const sorted = read.sort((a, b) => a.priority.priorityKey - b.priority.priorityKey || standing(a) - standing(b))
      const next = fair ? sorted[0] : line[0]
      if (!next) return expect.fail('nobody is in line')
      line.splice(line.indexOf(next), 1)
      if (next.priority.priorityKey > 1) served.push(next.priority.fairnessKey)
      if (line.length + onTheWay.length === 0) served.length = 0
      return { workflowExecution: { workflowId: next.workflowId } }
    },
    listTaskQueuePartitions: async () => ({ activityTaskQueuePartitions: Array(partitions).fill({}) }),
    deleteWorkflowExecution: async () => ({}),
  }
  return {
    namespace: 'n',
    client: {
      workflow: { start: async (_type: string, probe: Probe) => void onTheWay.push(probe) },
    },
    connection: { workflowService, withDeadline: (_end: number, work: () => Promise<unknown>) => work() },
  } as unknown as TemporalLink
}

test('a server is asked for its order when all stand in line, and believed to have none when it says so again and again', async () => {
  expect(await checkOrder(serverThat({}))).toEqual([])
  expect(await checkOrder(serverThat({ late: 1 }))).toEqual([])
  expect(await checkOrder(serverThat({ fair: false }))).toEqual([expect.stringMatching(/priority/)])
  expect(await checkOrder(serverThat({ partitions: 4, counts: false }))).toContainEqual(
    expect.stringMatching(/4 partitions/),
  )
})
