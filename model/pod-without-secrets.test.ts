import { expect, test } from 'vitest'
import { hiddenValue, podWithoutSecrets } from './pod-without-secrets.ts'

const secret = 'S3CRET'
const worker = {
  name: 'worker',
  image: 'registry.example.org/ee:1',
  command: ['curl', '-u', `me:${secret}`],
  args: ['--token', secret],
  env: [
    { name: 'PASSWORD', value: secret },
    { name: 'FROM', valueFrom: { secretKeyRef: { name: 'vault', key: 'password' } } },
  ],
  envFrom: [{ secretRef: { name: 'all' } }],
  livenessProbe: { httpGet: { path: '/', httpHeaders: [{ name: 'Authorization', value: secret }] } },
  lifecycle: { postStart: { exec: { command: ['sh', '-c', `login ${secret}`] } } },
  resources: { limits: { memory: '24Mi' } },
  volumeMounts: [{ name: 'share', mountPath: '/share' }],
}
const pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    name: 'automation-job-7-1',
    labels: { 'ansible-awx-job-id': '7' },
    annotations: {
      'kubectl.kubernetes.io/last-applied-configuration': `{"token": "${secret}"}`,
      'example.org/inject': secret,
      'mayfly.dev/job-url': 'https://mayfly.example.org/api/v2/jobs/7/',
    },
    managedFields: [{ manager: secret }],
  },
  spec: {
    nodeName: 'node-1',
    imagePullSecrets: [{ name: 'pull' }],
    containers: [worker],
    initContainers: [{ ...worker, name: 'first' }],
    ephemeralContainers: [{ ...worker, name: 'debug' }],
    volumes: [
      { name: 'share', csi: { driver: 'smb', volumeAttributes: { password: secret } } },
      { name: 'old', flexVolume: { driver: 'cifs', options: { password: secret } } },
      { name: 'code', gitRepo: { repository: `https://me:${secret}@git.example.org/x.git` } },
      { name: 'keys', secret: { secretName: 'ssh' } },
    ],
  },
  status: { phase: 'Failed', message: 'why' },
}

test('no value that may be a secret stays, in containers of any kind', () => {
  expect(JSON.stringify(podWithoutSecrets(pod))).not.toContain(secret)
})

test('what explains an end stays: names, image, limits, references, the program, our own annotations', () => {
  const { metadata, spec, ...rest } = podWithoutSecrets(pod)
  expect(rest).toEqual({ apiVersion: 'v1', kind: 'Pod' })
  expect(metadata).toEqual({
    name: 'automation-job-7-1',
    labels: { 'ansible-awx-job-id': '7' },
    annotations: {
      'kubectl.kubernetes.io/last-applied-configuration': hiddenValue,
      'example.org/inject': hiddenValue,
      'mayfly.dev/job-url': 'https://mayfly.example.org/api/v2/jobs/7/',
    },
  })
  const shown = {
    name: 'worker',
    image: 'registry.example.org/ee:1',
    command: ['curl', hiddenValue, hiddenValue],
    env: [{ name: 'PASSWORD', value: hiddenValue }, worker.env[1]],
    envFrom: worker.envFrom,
    livenessProbe: { httpGet: { path: '/', httpHeaders: [{ name: 'Authorization', value: hiddenValue }] } },
    resources: { limits: { memory: '24Mi' } },
  }
  expect(spec).toMatchObject({
    nodeName: 'node-1',
    imagePullSecrets: [{ name: 'pull' }],
    containers: [shown],
    volumes: [
      { csi: { driver: 'smb', volumeAttributes: { password: hiddenValue } } },
      { flexVolume: { driver: 'cifs', options: { password: hiddenValue } } },
      { gitRepo: { repository: hiddenValue } },
      { name: 'keys', secret: { secretName: 'ssh' } },
    ],
  })
})

test('the pod itself is left as it is', () => {
  expect(pod.spec.containers[0]?.env[0]).toEqual({ name: 'PASSWORD', value: secret })
})
