/** Identities on the real cluster. */
import { RbacAuthorizationV1Api } from '@kubernetes/client-node'
import { adminConfig, clusterAdmin } from './cluster-admin.ts'
import type { Mayfly } from './mayfly.ts'

type Place = Pick<Mayfly, 'kubernetesNamespace' | 'stack'>

const rbacOf = ({ stack }: Place) => adminConfig(stack).makeApiClient(RbacAuthorizationV1Api)

/** Token of a service account of Mayfly's own namespace that has these rights there and no others. */
export async function tokenWith(
  mayfly: Place,
  name: string,
  rules: { resources: string[]; verbs: string[] }[],
): Promise<string> {
  const body = { metadata: { name }, rules: rules.map((rule) => ({ apiGroups: [''], ...rule })) }
  await rbacOf(mayfly).createNamespacedRole({ namespace: mayfly.kubernetesNamespace, body })
  return await tokenAs(mayfly, name, { kind: 'Role', name }, 3_600)
}

/** Token, for so many seconds, of a new service account of Mayfly's own namespace that has a role there. */
export async function tokenAs(
  mayfly: Place,
  name: string,
  role: { kind: 'Role' | 'ClusterRole'; name: string },
  expirationSeconds: number,
): Promise<string> {
  const { kubernetesNamespace: namespace, stack } = mayfly
  const core = clusterAdmin(stack)
  const metadata = { name }
  await core.createNamespacedServiceAccount({ namespace, body: { metadata } })
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', ...role }
  const subjects = [{ kind: 'ServiceAccount', name, namespace }]
  await rbacOf(mayfly).createNamespacedRoleBinding({ namespace, body: { metadata, roleRef, subjects } })
  const spec = { audiences: [], expirationSeconds }
  const { status } = await core.createNamespacedServiceAccountToken({ namespace, name, body: { spec } })
  return status?.token ?? ''
}
