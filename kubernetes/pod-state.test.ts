import { describe, expect, test } from 'vitest'
import type { ContainerState, Pod, PodStatus } from './objects.ts'
import { causeOfRunnerExit, causeOfTermination } from './pod-end.ts'
import { followFate, isLive, podFate, unschedulableMessage } from './pod-state.ts'

const pod = (status: PodStatus, metadata: object = {}): Pod => ({
  metadata: { name: 'automation-job-7-1', namespace: 'jobs', uid: 'u', resourceVersion: '1', ...metadata },
  spec: {
    containers: [
      { name: 'worker', image: 'registry/ee:1', resources: { limits: { memory: '256Mi' } } },
      { name: 'side', image: 's' },
    ],
    initContainers: [{ name: 'prepare', image: 'registry/init:1' }],
  },
  status,
})
const worker = (state: ContainerState, more: Partial<PodStatus> = {}) =>
  pod({
    phase: 'Pending',
    containerStatuses: [
      { name: 'side', state: { running: {} } },
      { name: 'worker', state },
    ],
    ...more,
  })
const waiting = (reason: string, message = '') => worker({ waiting: { reason, message } })
const ended = (exitCode: number, reason = 'Error', message = '') =>
  worker({ terminated: { exitCode, reason, message } }, { phase: 'Running' })
const failed = (status: Partial<PodStatus>) => pod({ phase: 'Failed', ...status })
const now = Date.parse('2026-01-01T00:00:00Z')
const fate = (state: Pod, pullFailingSince: number | null = null) => podFate(state, { now, pullFailingSince })

describe('on its way', () => {
  test.each([
    ['just created', pod({}), 'starting'],
    ['without status', { ...pod({}), status: undefined } as Pod, 'starting'],
    ['being created', waiting('ContainerCreating'), 'starting'],
    ['initialising', waiting('PodInitializing'), 'starting'],
    ['running', worker({ running: {} }, { phase: 'Running' }), 'running'],
    [
      'being deleted while it runs',
      { ...worker({ running: {} }), metadata: { ...pod({}).metadata, deletionTimestamp: 'x' } },
      'running',
    ],
  ])('%s', (_name, state, expected) => expect(fate(state).state).toBe(expected))

  test('an unschedulable pod says what the scheduler says', () => {
    const message = '0/3 nodes are available: 3 Insufficient memory.'
    const state = pod({
      phase: 'Pending',
      conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message }],
    })
    expect(fate(state)).toEqual({ state: 'starting', note: message, pullFailing: false })
    expect(unschedulableMessage(state)).toBe(message)
    expect(unschedulableMessage(pod({ conditions: [{ type: 'PodScheduled', status: 'True' }] }))).toBeNull()
  })
})

describe('cannot start', () => {
  test.each([
    ['InvalidImageName', '', 'image_not_pullable'],
    ['ErrImageNeverPull', 'not present with pull policy of Never', 'image_not_pullable'],
    ['ErrImagePull', 'failed to resolve reference "registry/ee:1": registry/ee:1: not found', 'image_not_pullable'],
    ['ErrImagePull', 'pull access denied, repository does not exist', 'image_not_pullable'],
    ['ErrImagePull', 'unexpected status code 401 Unauthorized', 'image_not_pullable'],
    ['CreateContainerConfigError', 'secret "x" not found', 'container_not_created'],
    ['CreateContainerError', 'context deadline exceeded', 'container_not_created'],
    ['RunContainerError', 'exec: "sh": not found', 'container_not_created'],
  ])('%s %s', (reason, message, kind) => {
    const result = fate(waiting(reason, message))
    expect(result).toMatchObject({ state: 'failed-to-start', cause: { kind } })
    expect(result.state === 'failed-to-start' && result.cause.detail).toContain(reason)
  })

  test('an image is named', () => {
    expect(fate(waiting('InvalidImageName'))).toMatchObject({
      cause: { message: 'The image name registry/ee:1 is not valid.' },
    })
  })

  test('an init container’s image counts as well', () => {
    const state = pod({
      initContainerStatuses: [
        { name: 'prepare', state: { waiting: { reason: 'ErrImagePull', message: 'x: not found' } } },
      ],
    })
    expect(fate(state)).toMatchObject({
      state: 'failed-to-start',
      cause: { kind: 'image_not_pullable', message: expect.stringContaining('registry/init:1') },
    })
  })

  test('an init container that failed', () => {
    const state = pod({
      phase: 'Pending',
      initContainerStatuses: [{ name: 'prepare', state: { terminated: { exitCode: 4, reason: 'Error' } } }],
    })
    expect(fate(state)).toMatchObject({
      state: 'failed-to-start',
      cause: { kind: 'pod_failed', message: 'The init container prepare failed with exit code 4.' },
    })
  })
})

describe('an image that cannot be pulled just now', () => {
  const timedOut = waiting('ErrImagePull', 'dial tcp: i/o timeout')
  const backOff = waiting('ImagePullBackOff', 'Back-off pulling image')

  test('is tried for a minute', () => {
    expect(fate(timedOut)).toMatchObject({ state: 'starting', pullFailing: true })
    expect(fate(backOff, now - 59_000)).toMatchObject({ state: 'starting' })
    expect(fate(backOff, now - 60_000)).toMatchObject({
      state: 'failed-to-start',
      cause: { kind: 'image_not_pullable' },
    })
  })

  test('followFate counts from the first failure, whatever lies between', () => {
    const follow = followFate()
    expect(follow(timedOut, now).state).toBe('starting')
    expect(follow(waiting('ContainerCreating'), now + 20_000).state).toBe('starting')
    expect(follow(backOff, now + 40_000).state).toBe('starting')
    expect(follow(backOff, now + 61_000).state).toBe('failed-to-start')
  })

  test('with BackOff that quotes a hopeless message it ends at once', () => {
    expect(fate(waiting('ImagePullBackOff', 'Back-off pulling image "x": ErrImagePull: x: not found')).state).toBe(
      'failed-to-start',
    )
  })
})

describe('has ended', () => {
  test.each<[string, Pod, string | null]>([
    ['well', ended(0, 'Completed'), null],
    ['killed for memory', ended(137, 'OOMKilled'), 'out_of_memory'],
    ['killed', ended(137), 'out_of_memory'],
    [
      'without shell',
      ended(128, 'StartError', 'failed to create containerd task: exec: "sh": executable file not found in $PATH'),
      'image_without_runner',
    ],
    [
      'not started for another reason',
      ended(128, 'StartError', 'mounting "/x" not a directory'),
      'container_not_created',
    ],
    ['without runner', ended(127), 'image_without_runner'],
    ['with a runner that is not executable', ended(126), 'image_without_runner'],
    ['never given work', ended(75), 'pod_failed'],
    ['with another code', ended(3), 'pod_failed'],
    [
      'evicted',
      failed({ reason: 'Evicted', message: 'The node was low on resource: ephemeral-storage.' }),
      'pod_evicted',
    ],
    [
      'past its deadline',
      failed({ reason: 'DeadlineExceeded', message: 'Pod was active on the node longer than the specified deadline' }),
      'pod_deadline_exceeded',
    ],
    ['on a lost node', failed({ reason: 'NodeLost' }), 'node_lost'],
    [
      'by node shutdown',
      failed({ reason: 'Terminated', message: 'Pod was terminated in response to imminent node shutdown.' }),
      'pod_evicted',
    ],
    [
      'refused by the node',
      failed({ reason: 'OutOfcpu', message: 'Node did not have enough resource' }),
      'node_refused',
    ],
    [
      'preempted',
      failed({ conditions: [{ type: 'DisruptionTarget', status: 'True', reason: 'PreemptionByScheduler' }] }),
      'pod_evicted',
    ],
    [
      'drained',
      {
        ...ended(143),
        status: {
          ...ended(143).status,
          conditions: [{ type: 'DisruptionTarget', status: 'True', reason: 'EvictionByEvictionAPI' }],
        },
      },
      'pod_evicted',
    ],
    ['for no reason', failed({}), 'pod_failed'],
    ['deleted', { ...ended(254), metadata: { ...pod({}).metadata, deletionTimestamp: 'x' } }, 'pod_deleted'],
    [
      'with its init container',
      failed({ initContainerStatuses: [{ name: 'prepare', state: { terminated: { exitCode: 1 } } }] }),
      'pod_failed',
    ],
  ])('%s', (_name, state, kind) => {
    const result = fate(state)
    expect(result.state).toBe('ended')
    expect((result.state === 'ended' && result.cause?.kind) || null).toBe(kind)
  })

  test('when nobody says so, because its node is lost, it has ended some time after it had to', () => {
    const conditions = [{ type: 'DisruptionTarget', status: 'True' as const, reason: 'DeletionByTaintManager' }]
    const containerStatuses = [{ name: 'worker', state: { running: {} } }]
    const left = pod({ phase: 'Running', conditions, containerStatuses }, { deletionTimestamp: '2026-11-21T13:00:00Z' })
    const at = (time: string) => podFate(left, { now: Date.parse(time) })
    expect(at('2026-11-21T13:00:14Z')).toMatchObject({ state: 'running' })
    expect(at('2026-11-21T13:00:16Z')).toMatchObject({ state: 'ended', cause: { kind: 'pod_evicted' } })
  })

  test('an eviction names the resource, memory its limit', () => {
    expect(fate(failed({ reason: 'Evicted', message: 'low on resource: memory' }))).toMatchObject({
      cause: { message: 'The node evicted the pod: low on resource: memory' },
    })
    expect(fate(ended(137, 'OOMKilled'))).toMatchObject({ cause: { message: expect.stringContaining('256Mi') } })
  })
})

test.each<[Pod, boolean]>([
  [pod({}), true],
  [pod({ phase: 'Running' }), true],
  [pod({ phase: 'Unknown' }), true],
  [pod({ phase: 'Running' }, { deletionTimestamp: 'x' }), true],
  [pod({ phase: 'Succeeded' }), false],
  [pod({ phase: 'Failed' }), false],
])('live %#', (state, live) => expect(isLive(state)).toBe(live))

test.each<[string, Pod, string | null]>([
  ['left alone', pod({ phase: 'Running' }), null],
  ['deleted', pod({ phase: 'Running' }, { deletionTimestamp: 'x' }), 'pod_deleted'],
  [
    'deleted by the taint manager',
    pod(
      { conditions: [{ type: 'DisruptionTarget', status: 'True', reason: 'DeletionByTaintManager' }] },
      { deletionTimestamp: 'x' },
    ),
    'pod_evicted',
  ],
])('a running pod that is %s', (_name, state, kind) => expect(causeOfTermination(state)?.kind ?? null).toBe(kind))

test.each([
  [0, '', null, ''],
  [127, 'sh: exec: ansible-runner: not found', 'image_without_runner', 'has no ansible-runner'],
  [126, '', 'image_without_runner', 'cannot be executed'],
  [137, '', 'out_of_memory', 'memory'],
  [
    1,
    'Traceback\nOSError: [Errno 28] No space left on device\n',
    'runner_error',
    'exit code 1: OSError: [Errno 28] No space left on device',
  ],
])('a runner’s exit code %i', (exitCode, stderrTail, kind, words) => {
  const found = causeOfRunnerExit({ exitCode, stderrTail })
  expect(found?.kind ?? null).toBe(kind)
  expect(found?.message ?? '').toContain(words)
})
