import { expect, test } from 'vitest'
import { effectiveManifest } from './pod-template-manifest.ts'
import { parseQuantity } from './quantity.ts'

const Mi = 2 ** 20
const resourcesOf = (resources: unknown, memoryBytes?: number) =>
  effectiveManifest({
    ...{ image: 'i', pull: '', defaultNamespace: 'n', name: 'p', labels: {}, annotations: {}, args: [] },
    override: JSON.stringify({ spec: { containers: [{ name: 'worker', resources }] } }),
    activeDeadlineSeconds: 60,
    ...(memoryBytes === undefined ? {} : { memoryBytes }),
  }).spec.containers[0]?.resources

test.each([
  ['the request keeps its share', { requests: { memory: '25Mi' }, limits: { memory: '100Mi' } }, 50 * Mi, 200 * Mi],
  [
    'where both are the same they stay so',
    { requests: { memory: '64Mi' }, limits: { memory: '64Mi' } },
    200 * Mi,
    200 * Mi,
  ],
  ['a limit that the group does not name', { requests: { memory: '50Mi' } }, 200 * Mi, 200 * Mi],
])('more memory: %s', (_, given, request, limit) => {
  const found = resourcesOf(given, 200 * Mi)
  const bytes = [found?.requests?.memory, found?.limits?.memory].map((value) => parseQuantity(String(value)))
  expect(bytes).toEqual([request, limit])
  expect(found?.requests?.cpu).toBe(resourcesOf(given)?.requests?.cpu)
})

test('a group that allows more anyway is left as it is', () => {
  const given = { requests: { memory: '1Gi' }, limits: { memory: '2Gi' } }
  expect(resourcesOf(given, 200 * Mi)).toEqual(resourcesOf(given))
})
