import { describe, expect, test } from 'vitest'
import { effectiveManifest } from './pod-template-manifest.ts'
import type { ManifestInput } from './pod-template-types.ts'

const input: ManifestInput = {
  override: '',
  image: 'registry/ee:1',
  pull: '',
  defaultNamespace: 'jobs',
  name: 'automation-job-7-1',
  labels: { 'ansible-awx-job-id': '7' },
  annotations: { 'mayfly.dev/run-id': 'r' },
  args: ['sh', '-c', 'wrapper'],
  activeDeadlineSeconds: 3600,
}
const manifest = (override: string, more: Partial<ManifestInput> = {}) =>
  effectiveManifest({ ...input, override, ...more })
const workerOf = (override: string, more?: Partial<ManifestInput>) =>
  manifest(override, more).spec.containers.find(({ name }) => name === 'worker')

test('without override', () => {
  expect(manifest('', { payloadVolumeBytes: 1 })).toEqual({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: 'automation-job-7-1',
      namespace: 'jobs',
      labels: { 'ansible-awx-job-id': '7' },
      annotations: { 'mayfly.dev/run-id': 'r' },
    },
    spec: {
      serviceAccountName: 'default',
      automountServiceAccountToken: false,
      restartPolicy: 'Never',
      activeDeadlineSeconds: 3600,
      terminationGracePeriodSeconds: 30,
      containers: [
        {
          name: 'worker',
          image: 'registry/ee:1',
          args: ['sh', '-c', 'wrapper'],
          resources: { requests: { cpu: '250m', memory: '100Mi' } },
          volumeMounts: [
            { name: 'mayfly-in', mountPath: '/mayfly/in' },
            { name: 'mayfly-spool', mountPath: '/mayfly/spool' },
          ],
        },
      ],
      volumes: [
        { name: 'mayfly-in', emptyDir: { medium: 'Memory', sizeLimit: '16777216' } },
        { name: 'mayfly-spool', emptyDir: {} },
      ],
    },
  })
})

/** Pod specs as they stand in AWX's and other people's documentation. */
const documented = {
  'sleep infinity': `
apiVersion: v1
kind: Pod
metadata:
  namespace: default
spec:
  serviceAccountName: default
  automountServiceAccountToken: false
  containers:
    - image: quay.io/ansible/awx-ee:latest
      name: worker
      args:
        - sleep
        - infinity
      resources:
        requests:
          cpu: 250m
          memory: 100Mi
`,
  'runner args': `
apiVersion: v1
kind: Pod
metadata:
  namespace: awx
spec:
  containers:
    - args: [ansible-runner, worker, --private-data-dir=/runner]
      image: quay.io/ansible/awx-ee:24.6.1
      name: worker
      resources:
        requests: {cpu: 250m, memory: 100Mi}
`,
  JSON: '{"spec": {"containers": [{"name": "worker", "image": "x", "args": ["sleep", "infinity"]}]}}',
}

test.each(Object.entries(documented))(
  'the documented example %s runs our wrapper in the environment image',
  (_name, text) => {
    const { spec } = manifest(text)
    expect(spec.containers).toHaveLength(1)
    expect(spec.containers[0]).toMatchObject({
      name: 'worker',
      image: 'registry/ee:1',
      args: ['sh', '-c', 'wrapper'],
      resources: { requests: { cpu: '250m', memory: '100Mi' } },
    })
  },
)

describe('what is always ours', () => {
  test('namespace of the override wins over the default', () => {
    expect(manifest('metadata: {namespace: awx}').metadata.namespace).toBe('awx')
  })

  test('name and own labels win, other labels stay', () => {
    const { metadata } = manifest('metadata: {name: x, generateName: y, labels: {a: b, ansible-awx-job-id: "9"}}')
    expect(metadata).toMatchObject({ name: 'automation-job-7-1', labels: { a: 'b', 'ansible-awx-job-id': '7' } })
    expect(metadata.generateName).toBeUndefined()
  })

  test('restart policy, deadline and grace', () => {
    const { spec } = manifest(
      'spec: {restartPolicy: Always, activeDeadlineSeconds: 9999, terminationGracePeriodSeconds: 5}',
    )
    expect(spec).toMatchObject({
      restartPolicy: 'Never',
      activeDeadlineSeconds: 3600,
      terminationGracePeriodSeconds: 30,
    })
  })

  test('a shorter deadline and a longer grace are the user’s to choose', () => {
    const { spec } = manifest('spec: {activeDeadlineSeconds: 60, terminationGracePeriodSeconds: 120}')
    expect(spec).toMatchObject({ activeDeadlineSeconds: 60, terminationGracePeriodSeconds: 120 })
  })

  test('no terminal and no stdin', () => {
    expect(workerOf('spec: {containers: [{stdin: true, stdinOnce: true, tty: true}]}')).not.toMatchObject({ tty: true })
    expect(Object.keys(workerOf('spec: {containers: [{stdin: true}]}') ?? {})).not.toContain('stdin')
  })

  test('the environment’s image even when the worker is not the first container', () => {
    const { spec } = manifest('spec: {containers: [{name: side, image: a}, {name: worker, image: b}]}')
    expect(spec.containers.map(({ name, image }) => [name, image])).toEqual([
      ['worker', 'registry/ee:1'],
      ['side', 'a'],
    ])
  })
})

test.each([
  ['always', 'Always'],
  ['missing', 'IfNotPresent'],
  ['never', 'Never'],
  ['', 'FromOverride'],
] as const)('pull %j gives %s', (pull, policy) => {
  expect(workerOf('spec: {containers: [{imagePullPolicy: FromOverride}]}', { pull })?.imagePullPolicy).toBe(policy)
})

test('the environment’s pull secret replaces those of the override', () => {
  const override = 'spec: {imagePullSecrets: [{name: mine}]}'
  expect(manifest(override).spec.imagePullSecrets).toEqual([{ name: 'mine' }])
  expect(manifest(override, { imagePullSecret: 'ee' }).spec.imagePullSecrets).toEqual([{ name: 'ee' }])
})

describe('a read-only root file system', () => {
  const readOnly = 'securityContext: {readOnlyRootFilesystem: true}'

  test('gets volumes for what the runner writes', () => {
    const { spec } = manifest(`spec: {containers: [{${readOnly}}]}`)
    expect(spec.containers[0]?.volumeMounts?.map(({ mountPath }) => mountPath)).toEqual([
      '/mayfly/in',
      '/mayfly/spool',
      '/runner',
      '/tmp',
    ])
    expect(spec.volumes.map(({ name }) => name)).toEqual(['mayfly-in', 'mayfly-spool', 'mayfly-runner', 'mayfly-tmp'])
  })

  test('keeps the volumes that the override brings', () => {
    const { spec } = manifest(
      `spec: {containers: [{${readOnly}, volumeMounts: [{name: own, mountPath: /runner/}]}], volumes: [{name: own, emptyDir: {}}]}`,
    )
    expect(spec.volumes.map(({ name }) => name)).toEqual(['own', 'mayfly-in', 'mayfly-spool', 'mayfly-tmp'])
  })
})

test('the payload’s volume is at least 16 MiB', () => {
  const limit = (bytes: number | undefined) => manifest('', { payloadVolumeBytes: bytes }).spec.volumes[0]?.emptyDir
  expect(limit(100_000_000)).toEqual({ medium: 'Memory', sizeLimit: '100000000' })
  expect(limit(undefined)).toEqual({ medium: 'Memory' })
})
