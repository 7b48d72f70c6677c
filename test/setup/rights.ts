/** Identities of the stack's cluster that have few rights. */
import { RbacAuthorizationV1Api } from '@kubernetes/client-node'
import type { Mayfly } from './mayfly.ts'
import { clusterAdmin } from './own-places.ts'
import { adminConfig } from './pods.ts'
import type { Scene } from './scene.ts'

/** What Mayfly needs to run jobs in a namespace, and nothing that would tell it more of it. */
const leastRights = [
  { apiGroups: [''], resources: ['pods'], verbs: ['create', 'get', 'list', 'watch', 'delete'] },
  { apiGroups: [''], resources: ['pods/exec'], verbs: ['create', 'get'] },
]

/** A credential that may run pods in the namespace, and may read neither its quotas nor its limits nor nodes. */
export async function leastCredential(mayfly: Mayfly, scene: Scene, namespace: string): Promise<number> {
  const core = clusterAdmin(mayfly.stack)
  const config = adminConfig(mayfly.stack)
  const rbac = config.makeApiClient(RbacAuthorizationV1Api)
  const name = 'least'
  const metadata = { name }
  await core.createNamespacedServiceAccount({ namespace, body: { metadata } })
  await rbac.createNamespacedRole({ namespace, body: { metadata, rules: leastRights } })
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name }
  const subjects = [{ kind: 'ServiceAccount', name, namespace }]
  await rbac.createNamespacedRoleBinding({ namespace, body: { metadata, roleRef, subjects } })
  const request = { spec: { audiences: [], expirationSeconds: 3600 } }
  const { status } = await core.createNamespacedServiceAccountToken({ namespace, name, body: request })
  const server = config.getCurrentCluster()?.server
  if (!status?.token || !server) throw new Error('no token, or no cluster')
  return await scene.clusterCredential({ host: server, bearer_token: status.token, verify_ssl: false })
}
