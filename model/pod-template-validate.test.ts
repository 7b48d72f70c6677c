import { describe, expect, test } from 'vitest'
import { validateOverride } from './pod-template-validate.ts'

const errorsOf = (text: string) => validateOverride(text).errors.map(({ path, message }) => `${path}: ${message}`)
const warningsOf = (text: string) => validateOverride(text).warnings.map(({ path }) => path)

describe('accepted', () => {
  test.each([
    ['nothing', ''],
    ['a namespace', 'metadata: {namespace: jobs}'],
    ['the documented sleep', 'spec: {containers: [{name: worker, image: x, args: [sleep, infinity]}]}'],
    [
      'the documented runner',
      'spec: {containers: [{name: worker, args: [ansible-runner, worker, --private-data-dir=/runner]}]}',
    ],
    ['an unnamed first container', 'spec: {containers: [{resources: {limits: {memory: 1Gi}}}]}'],
    ['a sidecar with an image', 'spec: {containers: [{name: side, image: x}]}'],
    [
      'tolerations and node selector',
      'spec: {tolerations: [{key: a}], nodeSelector: {disk: ssd}, affinity: {nodeAffinity: {}}}',
    ],
    [
      'a volume',
      'spec: {volumes: [{name: v, secret: {secretName: s}}], containers: [{volumeMounts: [{name: v, mountPath: /v}]}]}',
    ],
    ['null', 'metadata: null\nspec: {containers: null, volumes:}'],
    ['an empty command', 'spec: {containers: [{command: []}]}'],
    ['a deletion', 'spec: {containers: [{name: worker, env: [{name: A, $patch: delete}]}]}'],
    ['numeric quantities', 'spec: {containers: [{resources: {limits: {cpu: 2}}}]}'],
  ])('%s', (_name, text) => expect(validateOverride(text)).toMatchObject({ ok: true, errors: [] }))
})

describe('refused', () => {
  test.each([
    ['text that does not parse', 'spec: [', /^: Line 1, column \d+/],
    ['a list', '[]', /^: .*mapping/],
    ['another kind', 'kind: Deployment', 'kind: Must be Pod.'],
    ['another version', 'apiVersion: v2', 'apiVersion: Must be v1.'],
    ['a misspelt field', 'spec: {container: []}', 'spec.container: Unknown field; did you mean containers?'],
    ['swapped letters', 'spec: {volmues: []}', 'spec.volmues: Unknown field; did you mean volumes?'],
    ['wrong case', 'spec: {nodeselector: {}}', 'spec.nodeselector: Unknown field; did you mean nodeSelector?'],
    [
      'a misspelt field deep down',
      'spec: {containers: [{resources: {request: {}}}]}',
      'spec.containers[0].resources.request: Unknown field; did you mean requests?',
    ],
    ['containers that are no list', 'spec: {containers: {name: x}}', 'spec.containers: Must be a list.'],
    ['a container that is no mapping', 'spec: {containers: [x]}', 'spec.containers[0]: Must be a mapping.'],
    [
      'a number as label',
      'metadata: {labels: {a: 1}}',
      'metadata.labels: Must be a mapping of texts (quote numbers and true/false).',
    ],
    ['a text as number', 'spec: {priority: "1"}', 'spec.priority: Must be a whole number.'],
    ['a text as boolean', 'spec: {hostNetwork: "true"}', 'spec.hostNetwork: Must be true or false.'],
    [
      'args that are no texts',
      'spec: {containers: [{args: [1]}]}',
      'spec.containers[0].args: Must be a list of texts.',
    ],
    [
      'a wrong quantity',
      'spec: {containers: [{resources: {limits: {memory: 1GB}}}]}',
      /resources.limits: Must be a mapping of quantities/,
    ],
    [
      'a limit below the default request',
      'spec: {containers: [{resources: {limits: {memory: 64Mi}}}]}',
      'spec.containers[0].resources.limits.memory: The limit 64Mi is below the request 100Mi (set resources.requests as well).',
    ],
    [
      'an unnamed second container',
      'spec: {containers: [{name: worker}, {image: x}]}',
      /^spec.containers\[1\].name: Is required/,
    ],
    [
      'a name twice',
      'spec: {containers: [{name: worker}, {name: worker}]}',
      'spec.containers[1].name: There is another container named worker.',
    ],
    ['a wrong name', 'spec: {containers: [{name: My_Side, image: x}]}', /^spec.containers\[0\].name: Must consist of/],
    ['a sidecar without image', 'spec: {containers: [{name: side}]}', /^spec.containers\[0\].image: Is required/],
    [
      'an init container without image',
      'spec: {initContainers: [{name: i}]}',
      'spec.initContainers[0].image: Is required.',
    ],
    [
      'an init container called worker',
      'spec: {initContainers: [{name: worker, image: x}]}',
      /^spec.initContainers\[0\].name: worker is/,
    ],
    [
      'command on the worker',
      'spec: {containers: [{name: worker, command: [sh]}]}',
      /^spec.containers\[0\].command: .*Remove command, or/,
    ],
    ['env without name', 'spec: {containers: [{env: [{value: x}]}]}', 'spec.containers[0].env[0].name: Is required.'],
    [
      'a mount of no volume',
      'spec: {containers: [{volumeMounts: [{name: v, mountPath: /v}]}]}',
      'spec.containers[0].volumeMounts: There is no volume named v.',
    ],
    [
      'our volume’s name',
      'spec: {volumes: [{name: mayfly-in, emptyDir: {}}]}',
      /^spec.volumes\[0\].name: mayfly-in is a volume of Mayfly/,
    ],
    [
      'our paths',
      'spec: {volumes: [{name: v}], containers: [{volumeMounts: [{name: v, mountPath: /mayfly/in}]}]}',
      /Paths below \/mayfly/,
    ],
    ['a namespace that cannot exist', 'metadata: {namespace: My Jobs}', /^metadata.namespace: /],
    ['removal of the worker', 'spec: {containers: [{name: worker, $patch: delete}]}', /cannot be removed/],
  ])('%s', (_name, text, message) => {
    expect(validateOverride(text).ok).toBe(false)
    expect(errorsOf(text).join('\n')).toMatch(message)
  })

  test('every error is told at once', () => {
    expect(errorsOf('kind: 3\nspec: {priority: x, containers: [{env: 5}]}')).toHaveLength(3)
  })
})

describe('overruled with a warning', () => {
  test.each([
    ['spec: {containers: [{name: worker, args: [sleep, infinity]}]}', ['spec.containers[0].args']],
    ['spec: {containers: [{name: worker, image: x}]}', ['spec.containers[0].image']],
    ['metadata: {name: x}', ['metadata.name']],
    ['spec: {restartPolicy: Always}', ['spec.restartPolicy']],
    ['spec: {fieldOfTheFuture: 1}', ['spec.fieldOfTheFuture']],
    ['spec: {containers: [{name: worker, args: [ansible-runner, worker, --private-data-dir=/runner]}]}', []],
  ])('%s', (text, paths) => {
    expect(validateOverride(text).ok).toBe(true)
    expect(warningsOf(text)).toEqual(paths)
  })
})
