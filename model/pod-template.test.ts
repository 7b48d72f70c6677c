import { describe, expect, test } from 'vitest'
import { defaultPodTemplate, mergePodTemplate, OverrideSyntaxError, parseOverride } from './pod-template.ts'
import type { PodManifest } from './pod-template-types.ts'

describe('parsing', () => {
  test.each([
    ['empty text', '', {}],
    ['an empty document', '---\n', {}],
    ['YAML', 'spec:\n  priority: 3\n', { spec: { priority: 3 } }],
    ['JSON', '{"spec": {"priority": 3}}', { spec: { priority: 3 } }],
    ['JSON with tabs', '{\n\t"spec": {\n\t\t"priority": 3\n\t}\n}', { spec: { priority: 3 } }],
    ['booleans of YAML 1.1', 'spec: {hostNetwork: yes}', { spec: { hostNetwork: true } }],
    ['no booleans of one letter', 'metadata: {labels: {y: n}}', { metadata: { labels: { y: 'n' } } }],
    ['octal modes', 'spec: {defaultMode: 0644}', { spec: { defaultMode: 420 } }],
    ['dates as texts', 'metadata: {labels: {since: 2026-01-02}}', { metadata: { labels: { since: '2026-01-02' } } }],
    ['anchors and merge keys', 'a: &a {x: 1}\nb: {<<: *a, y: 2}', { a: { x: 1 }, b: { x: 1, y: 2 } }],
  ])('%s', (_name, text, parsed) => expect(parseOverride(text)).toEqual(parsed))

  test.each([
    ['a broken mapping', 'spec:\n  containers: [\n', /^Line \d+, column \d+: /],
    ['a key given twice', 'spec: {}\nspec: {}\n', /^Line 2, column 1: .*unique/],
    ['tabs as indentation', 'spec:\n\tpriority: 3\n', /^Line \d+, column \d+: /],
    ['a list', '- a\n- b\n', /must be a mapping/],
    ['a text', 'nonsense', /must be a mapping/],
    ['two documents', 'a: 1\n---\nb: 2\n', /^Line 2, column/],
  ])('%s is refused', (_name, text, message) => {
    expect(() => parseOverride(text)).toThrow(OverrideSyntaxError)
    expect(() => parseOverride(text)).toThrow(message)
  })

  test.each([
    ['too long', `# ${'x'.repeat(64 * 1024)}`, /longer than 65536 characters/],
    ['brackets', '['.repeat(60_000), /nested deeper than 200 levels/],
  ])('%s is refused at once', (_name, text, message) => {
    expect(() => parseOverride(text)).toThrow(message)
  })

  test('an alias bomb is refused', () => {
    const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x, x]']
    for (let i = 1; i < 9; i++)
      lines.push(
        `a${i}: &a${i} [${Array(10)
          .fill(`*a${i - 1}`)
          .join(', ')}]`,
      )
    expect(() => parseOverride(lines.join('\n'))).toThrow(OverrideSyntaxError)
  })
})

const worker = defaultPodTemplate().spec?.containers?.[0]

describe('merging into the default', () => {
  const merged = (override: PodManifest) => mergePodTemplate(defaultPodTemplate(), override)

  test('nothing changes nothing', () => expect(merged({})).toEqual(defaultPodTemplate()))

  test('mappings merge key by key', () => {
    const result = merged({
      metadata: { namespace: 'jobs', labels: { team: 'a' } },
      spec: { serviceAccountName: 'ansible' },
    })
    expect(result.metadata).toEqual({ namespace: 'jobs', labels: { team: 'a' } })
    expect(result.spec).toEqual({ ...defaultPodTemplate().spec, serviceAccountName: 'ansible' })
  })

  test('containers merge by name and keep what the override does not say', () => {
    const { spec } = merged({ spec: { containers: [{ name: 'worker', resources: { limits: { memory: '1Gi' } } }] } })
    expect(spec?.containers).toEqual([
      { name: 'worker', resources: { requests: { cpu: '250m', memory: '100Mi' }, limits: { memory: '1Gi' } } },
    ])
  })

  test('a first container without name is the worker', () => {
    const { spec } = merged({ spec: { containers: [{ workingDir: '/x' }, { name: 'side', image: 'i' }] } })
    expect(spec?.containers).toEqual([
      { ...worker, workingDir: '/x' },
      { name: 'side', image: 'i' },
    ])
  })

  test('another container stands beside the worker', () => {
    const { spec } = merged({ spec: { containers: [{ name: 'side', image: 'i' }] } })
    expect(spec?.containers).toEqual([worker, { name: 'side', image: 'i' }])
  })

  test('null keeps the default', () => {
    const { spec } = merged({
      spec: { containers: [{ name: 'worker', resources: null }], serviceAccountName: null },
    } as never)
    expect(spec?.containers).toEqual([worker])
    expect(spec?.serviceAccountName).toBe('default')
  })
})

describe('merging as Kubernetes merges', () => {
  const container = (fields: object) => ({ spec: { containers: [{ name: 'worker', ...fields }] } }) as PodManifest
  const merge = (base: object, override: object) =>
    mergePodTemplate(container(base), container(override)).spec?.containers?.[0]

  test.each([
    [
      'env by name',
      {
        env: [
          { name: 'A', value: '1' },
          { name: 'B', value: '2' },
        ],
      },
      {
        env: [
          { name: 'B', value: '3' },
          { name: 'C', value: '4' },
        ],
      },
      {
        env: [
          { name: 'A', value: '1' },
          { name: 'B', value: '3' },
          { name: 'C', value: '4' },
        ],
      },
    ],
    [
      'volumeMounts by path',
      { volumeMounts: [{ name: 'a', mountPath: '/a' }] },
      {
        volumeMounts: [
          { name: 'b', mountPath: '/a' },
          { name: 'b', mountPath: '/b' },
        ],
      },
      {
        volumeMounts: [
          { name: 'b', mountPath: '/a' },
          { name: 'b', mountPath: '/b' },
        ],
      },
    ],
    [
      'ports by number',
      { ports: [{ containerPort: 1, name: 'x' }] },
      { ports: [{ containerPort: 1, protocol: 'UDP' }, { containerPort: 2 }] },
      { ports: [{ containerPort: 1, name: 'x', protocol: 'UDP' }, { containerPort: 2 }] },
    ],
    ['args whole', { args: ['a', 'b'] }, { args: ['c'] }, { args: ['c'] }],
    ['envFrom whole', { envFrom: [{ prefix: 'a' }] }, { envFrom: [{ prefix: 'b' }] }, { envFrom: [{ prefix: 'b' }] }],
    [
      '$patch: delete in a list',
      { env: [{ name: 'A' }, { name: 'B' }] },
      { env: [{ name: 'A', $patch: 'delete' }] },
      { env: [{ name: 'B' }] },
    ],
    [
      '$patch: replace in a list',
      { env: [{ name: 'A' }] },
      { env: [{ $patch: 'replace' }, { name: 'B' }] },
      { env: [{ name: 'B' }] },
    ],
    ['$patch: delete of a mapping', { resources: { limits: { cpu: 1 } } }, { resources: { $patch: 'delete' } }, {}],
    [
      '$patch: replace of a mapping',
      { resources: { requests: { cpu: 1 } } },
      { resources: { $patch: 'replace', limits: { cpu: 2 } } },
      { resources: { limits: { cpu: 2 } } },
    ],
  ])('%s', (_name, base, override, expected) => expect(merge(base, override)).toEqual({ name: 'worker', ...expected }))

  test.each([
    [
      'volumes by name, another source replaces the first',
      'volumes',
      [
        { name: 'a', emptyDir: {} },
        { name: 'b', emptyDir: {} },
      ],
      [{ name: 'a', hostPath: { path: '/x' } }],
      [
        { name: 'a', hostPath: { path: '/x' } },
        { name: 'b', emptyDir: {} },
      ],
    ],
    [
      'init containers by name',
      'initContainers',
      [{ name: 'i', image: 'a', workingDir: '/' }],
      [
        { name: 'i', image: 'b' },
        { name: 'j', image: 'c' },
      ],
      [
        { name: 'i', image: 'b', workingDir: '/' },
        { name: 'j', image: 'c' },
      ],
    ],
    [
      'pull secrets by name',
      'imagePullSecrets',
      [{ name: 'a' }],
      [{ name: 'b' }, { name: 'a' }],
      [{ name: 'a' }, { name: 'b' }],
    ],
    ['tolerations whole', 'tolerations', [{ key: 'a' }], [{ key: 'b' }], [{ key: 'b' }]],
  ])('%s', (_name, list, base, override, expected) => {
    expect(mergePodTemplate({ spec: { [list]: base } }, { spec: { [list]: override } }).spec?.[list]).toEqual(expected)
  })

  test('neither input is changed', () => {
    const base = defaultPodTemplate()
    mergePodTemplate(base, container({ resources: { limits: { cpu: 1 } } }))
    expect(base).toEqual(defaultPodTemplate())
  })
})
