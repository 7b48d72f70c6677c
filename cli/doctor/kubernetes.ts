/** Checks of the cluster of groups without a credential. */
import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import type { Check } from '../../dev/doctor.ts'
import { openConnection } from '../../kubernetes/connection.ts'
import { callApi } from '../../kubernetes/http.ts'
import { reasonOf } from '../../worker/reason.ts'
import { homeCluster } from '../home-cluster.ts'
import type { Settings } from '../settings.ts'

/** The rights that a container group needs: no more than these. */
const rights = [
  ...['get', 'list', 'watch', 'create', 'delete'].map((verb) => ({ verb, resource: 'pods', subresource: '' })),
  { verb: 'create', resource: 'pods', subresource: 'exec' },
]

/** Whether the cluster answers, and whether we may do there what running a job takes. */
export async function kubernetesChecks(settings: Settings, env: NodeJS.ProcessEnv): Promise<Check[]> {
  const target = homeCluster(settings, env)
  const named = target.kind !== 'kubeconfig' || target.path !== undefined || target.context !== undefined
  if (!named && !existsSync(join(homedir(), '.kube', 'config'))) {
    return [{ name: 'cluster', ok: true, detail: 'none named; mayfly dev starts its own, or set MAYFLY_KUBECONFIG' }]
  }
  const namespace = settings.defaultNamespace
  try {
    const connection = openConnection(target)
    try {
      const { gitVersion } = await callApi<{ gitVersion: string }>(connection, { method: 'GET', path: '/version' })
      const refused: string[] = []
      for (const right of rights) {
        const body = {
          apiVersion: 'authorization.k8s.io/v1',
          kind: 'SelfSubjectAccessReview',
          spec: { resourceAttributes: { namespace, ...right } },
        }
        const path = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews'
        const { status } = await callApi<{ status: { allowed: boolean } }>(connection, { method: 'POST', path, body })
        if (!status.allowed)
          refused.push(`${right.verb} ${[right.resource, right.subresource].filter(Boolean).join('/')}`)
      }
      const allowed = `may run pods in namespace ${namespace}`
      return [
        { name: 'cluster', ok: true, detail: `${connection.host} answers, Kubernetes ${gitVersion}` },
        refused.length === 0
          ? { name: 'cluster rights', ok: true, detail: allowed }
          : {
              name: 'cluster rights',
              ok: false,
              detail: `${connection.identity} may not, in namespace ${namespace}: ${refused.join(', ')}`,
              remedy: 'give it a role with these verbs on pods and pods/exec, or set MAYFLY_NAMESPACE',
            },
      ]
    } finally {
      connection.agent.destroy()
    }
  } catch (error) {
    return [
      {
        name: 'cluster',
        ok: false,
        detail: reasonOf(error),
        remedy: 'correct MAYFLY_KUBECONFIG and MAYFLY_KUBE_CONTEXT',
      },
    ]
  }
}
