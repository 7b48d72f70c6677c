import { expect, test } from 'vitest'
import type { Container } from './pod-template-types.ts'
import { podUsage } from './pod-usage.ts'
import { formatQuantity } from './quantity.ts'
import { type CountedPod, type Quota, quotaRoom } from './quota-room.ts'

const pod = (resources: Container['resources'] = { requests: { cpu: '250m', memory: '100Mi' } }): CountedPod => ({
  usage: podUsage({ spec: { containers: [{ name: 'worker', ...(resources ? { resources } : {}) }] } }),
  hasDeadline: true,
  priorityClass: '',
})
const quota = (
  hard: Record<string, string>,
  used: Record<string, string> = {},
  scopes: Quota['scopes'] = [],
): Quota => ({
  ...{ name: 'team', scopes, hard, used },
})
const exists = (scopeName: string) => [{ scopeName, operator: 'Exists' }]

test.each<[string, Quota[], CountedPod, number, string | null]>([
  ['no quota', [], pod(), Number.POSITIVE_INFINITY, null],
  ['room for the whole pods', [quota({ pods: '5' }, { pods: '2' })], pod(), 3, null],
  [
    'the tightest resource decides',
    [quota({ pods: '9', 'requests.cpu': '1' }, { 'requests.cpu': '400m' })],
    pod(),
    2,
    null,
  ],
  [
    'cpu is what is requested',
    [quota({ cpu: '1' }, { cpu: '900m' })],
    pod(),
    0,
    'Quota team is used up: cpu 900m of 1 in use, 250m requested.',
  ],
  ['a sum that floating point misses', [quota({ cpu: '300m' }, { cpu: '50m' })], pod(), 1, null],
  [
    'every resource that lacks',
    [quota({ pods: '2', memory: '200Mi' }, { pods: '2', memory: '150Mi' })],
    pod(),
    0,
    'Quota team is used up: pods 2 of 2 in use, 1 requested; memory 150Mi of 200Mi in use, 100Mi requested.',
  ],
  [
    'what never fits is for the API server to say',
    [quota({ cpu: '100m', pods: '1' }, { pods: '1' })],
    pod(),
    Number.POSITIVE_INFINITY,
    null,
  ],
  [
    'two quotas',
    [quota({ pods: '5' }), { ...quota({ pods: '1' }, { pods: '1' }), name: 'other' }],
    pod(),
    0,
    'Quota other is used up: pods 1 of 1 in use, 1 requested.',
  ],
  [
    'more used than allowed',
    [quota({ pods: '1' }, { pods: '4' })],
    pod(),
    0,
    'Quota team is used up: pods 4 of 1 in use, 1 requested.',
  ],
  [
    'what the pod does not name',
    [quota({ 'limits.memory': '1Gi', services: '0' })],
    pod(),
    Number.POSITIVE_INFINITY,
    null,
  ],
  [
    'pods that end by themselves',
    [quota({ pods: '1' }, { pods: '1' }, exists('NotTerminating'))],
    pod(),
    Number.POSITIVE_INFINITY,
    null,
  ],
  ['pods with a deadline', [quota({ pods: '1' }, {}, exists('Terminating'))], pod(), 1, null],
  ['best effort', [quota({ pods: '1' }, {}, exists('BestEffort'))], pod({}), 1, null],
  ['not best effort', [quota({ pods: '1' }, {}, exists('BestEffort'))], pod(), Number.POSITIVE_INFINITY, null],
  [
    'a class of its own',
    [quota({ pods: '1' }, {}, [{ scopeName: 'PriorityClass', operator: 'In', values: ['high'] }])],
    { ...pod(), priorityClass: 'high' },
    1,
    null,
  ],
  [
    'a class of others',
    [quota({ pods: '1' }, {}, [{ scopeName: 'PriorityClass', operator: 'In', values: ['high'] }])],
    pod(),
    Number.POSITIVE_INFINITY,
    null,
  ],
  [
    'a scope that nobody knows',
    [quota({ pods: '1' }, {}, exists('CrossNamespacePodAffinity'))],
    pod(),
    Number.POSITIVE_INFINITY,
    null,
  ],
  [
    'an extended resource',
    [quota({ 'requests.example.com/gpu': '2' })],
    pod({ limits: { 'example.com/gpu': 1 } }),
    2,
    null,
  ],
])('%s', (_what, quotas, counted, fits, reason) => {
  expect(quotaRoom(quotas, counted)).toEqual({ fits, reason })
})

test('a pod requests what its containers do, its largest init container, its defaults and its overhead', () => {
  const container = (cpu: string, more: Partial<Container> = {}): Container => ({
    ...{ name: 'c', resources: { requests: { cpu } } },
    ...more,
  })
  expect(podUsage({ spec: { containers: [container('1'), container('500m')] } }).requests.cpu).toBe(1.5)
  const init = { containers: [container('1')], initContainers: [container('3'), container('2')] }
  expect(podUsage({ spec: init }).requests.cpu).toBe(3)
  const sidecar = { ...init, initContainers: [container('2', { restartPolicy: 'Always' }), container('500m')] }
  expect(podUsage({ spec: sidecar }).requests.cpu).toBe(3)
  const defaults = { requests: { memory: '64Mi' }, limits: { memory: '128Mi' } }
  expect(podUsage({ spec: { containers: [container('1')], overhead: { cpu: '100m' } } }, defaults)).toEqual({
    requests: { cpu: 1.1, memory: 64 * 2 ** 20 },
    limits: { memory: 128 * 2 ** 20 },
  })
  const limited = { name: 'c', resources: { limits: { cpu: '2' } } }
  expect(podUsage({ spec: { containers: [limited] } }).requests.cpu).toBe(2)
})

test.each([
  [0.25, '250m'],
  [1, '1'],
  [1.5, '1500m'],
  [100 * 2 ** 20, '100Mi'],
  [2 ** 30, '1Gi'],
  [1000, '1000'],
  [0.0001, '1m'],
])('%d reads %s', (amount, text) => {
  expect(formatQuantity(amount)).toBe(text)
})
