/** Identities on the real cluster that may do little. */
import { RbacAuthorizationV1Api } from '@kubernetes/client-node'
import type { Mayfly } from './mayfly.ts'
import { clusterAdmin } from './own-places.ts'
import { adminConfig } from './pods.ts'

/** Token of a service account of Mayfly's own namespace that has these rights there and no others. */
export async function tokenWith(
  { kubernetesNamespace: namespace, stack }: Pick<Mayfly, 'kubernetesNamespace' | 'stack'>,
  name: string,
  rules: { resources: string[]; verbs: string[] }[],
): Promise<string> {
  const core = clusterAdmin(stack)
  const rbac = adminConfig(stack).makeApiClient(RbacAuthorizationV1Api)
  const metadata = { name }
  await core.createNamespacedServiceAccount({ namespace, body: { metadata } })
  const body = { metadata, rules: rules.map((rule) => ({ apiGroups: [''], ...rule })) }
  await rbac.createNamespacedRole({ namespace, body })
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name }
  const subjects = [{ kind: 'ServiceAccount', name, namespace }]
  await rbac.createNamespacedRoleBinding({ namespace, body: { metadata, roleRef, subjects } })
  const spec = { audiences: [], expirationSeconds: 3600 }
  const { status } = await core.createNamespacedServiceAccountToken({ namespace, name, body: { spec } })
  return status?.token ?? ''
}
