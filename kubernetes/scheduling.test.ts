import { expect, test } from 'vitest'
import type { Node, Pod } from './objects.ts'
import { largerThanAnyNode, ruledOutEverywhere } from './scheduling.ts'

const selector = "node(s) didn't match Pod's node affinity/selector"
const taint = (key: string) => `node(s) had untolerated taint {${key}: }`

test.each<[string, boolean]>([
  [`0/3 nodes are available: 3 ${selector}.`, true],
  [
    `0/3 nodes are available: 3 ${selector}. preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling.`,
    true,
  ],
  [`0/3 nodes are available: 1 ${taint('node-role.kubernetes.io/control-plane')}, 2 ${selector}.`, true],
  [`0/3 nodes are available: 1 Insufficient cpu, 2 ${selector}.`, false],
  [`0/1 nodes are available: 1 ${taint('node.kubernetes.io/not-ready')}.`, false],
  [`0/1 nodes are available: 1 ${taint('ToBeDeletedByClusterAutoscaler')}.`, false],
  ['0/2 nodes are available: 2 node(s) were unschedulable.', false],
  [
    '0/1 nodes are available: 1 Insufficient cpu, 1 Insufficient memory. preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.',
    false,
  ],
  ['no nodes available to schedule pods', false],
  ['', false],
])('%s', (message, expected) => {
  expect(ruledOutEverywhere(message)).toBe(expected)
})

const pod = (requests: Record<string, string>) =>
  ({ metadata: { name: 'p' }, spec: { containers: [{ name: 'worker', resources: { requests } }] } }) as unknown as Pod
const node = (allocatable?: Record<string, string>) =>
  ({ metadata: { name: 'n' }, status: allocatable ? { allocatable } : {} }) as unknown as Node

test.each<[string, Record<string, string>, (Record<string, string> | undefined)[], string | null]>([
  ['one node could', { cpu: '4' }, [{ cpu: '2' }, { cpu: '4' }], null],
  [
    'none could',
    { cpu: '64' },
    [{ cpu: '3900m' }, { cpu: '2' }],
    'it requests cpu 64, and no node has more than 3900m',
  ],
  [
    'none could with both',
    { cpu: '4', memory: '8Gi' },
    [
      { cpu: '4', memory: '4Gi' },
      { cpu: '2', memory: '16Gi' },
    ],
    'it requests cpu 4 and memory 8Gi, and no node has all of that',
  ],
  [
    'what no node offers',
    { 'example.com/gpu': '1' },
    [{ cpu: '4' }],
    'it requests example.com/gpu 1, and no node has more than 0',
  ],
  ['no nodes', { cpu: '4' }, [], null],
  ['a node that has said nothing yet', { cpu: '4' }, [{ cpu: '1' }, undefined], null],
])('%s', (_what, requests, nodes, expected) => {
  expect(largerThanAnyNode(pod(requests), nodes.map(node))).toBe(expected)
})
