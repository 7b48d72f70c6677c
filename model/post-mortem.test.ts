import { expect, test } from 'vitest'
import { cause } from './cause.ts'
import { causeWithNode, type PostMortemNode } from './post-mortem.ts'

const evicted = cause('pod_evicted', "The pod's node was tainted, so the pod had to leave it.", 'evidence')
const node = (status: string): PostMortemNode => ({
  name: 'node-7',
  conditions: [
    { type: 'MemoryPressure', status: 'Unknown', reason: '', message: '', since: '2026-11-21T13:00:00Z' },
    {
      ...{ type: 'Ready', status, reason: 'NodeStatusUnknown', since: '2026-11-21T13:00:00Z' },
      message: 'Kubelet stopped posting node status.',
    },
  ],
  taints: [],
})

test('a pod that had to leave a node which nobody hears from was lost with it', () => {
  expect(causeWithNode(evicted, node('Unknown'))).toEqual({
    kind: 'node_lost',
    message:
      "The pod's node was lost: nothing is heard of node-7 since 2026-11-21T13:00:00Z (Kubelet stopped posting node status.).",
    detail: 'evidence',
  })
})

test('one that had to leave another node, or did not have to, was not', () => {
  const deleted = cause('pod_deleted', 'The pod was deleted.')
  expect(causeWithNode(evicted, node('True'))).toBe(evicted)
  expect(causeWithNode(evicted, node('False'))).toBe(evicted)
  expect(causeWithNode(evicted, null)).toBe(evicted)
  expect(causeWithNode(deleted, node('Unknown'))).toBe(deleted)
})
