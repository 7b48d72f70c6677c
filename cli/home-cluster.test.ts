import { expect, test } from 'vitest'
import { homeCluster } from './home-cluster.ts'
import { readSettings } from './settings.ts'

const home = (env: Record<string, string>) => homeCluster(readSettings(env), env)

test('a named kubeconfig wins over the cluster that we run in', () => {
  const inCluster = { KUBERNETES_SERVICE_HOST: '10.96.0.1' }
  expect(home(inCluster)).toEqual({ kind: 'in-cluster' })
  expect(home({ ...inCluster, MAYFLY_KUBECONFIG: '/k' })).toEqual({
    kind: 'kubeconfig',
    path: '/k',
    context: undefined,
  })
  expect(home({ ...inCluster, MAYFLY_KUBE_CONTEXT: 'there' })).toMatchObject({ kind: 'kubeconfig', context: 'there' })
})

test("outside of a cluster kubectl's default is used", () => {
  expect(home({})).toEqual({ kind: 'kubeconfig', path: undefined, context: undefined })
})
