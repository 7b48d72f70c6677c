/** Identities on the real cluster. */
import { AuthorizationV1Api, RbacAuthorizationV1Api } from '@kubernetes/client-node'
import { until } from '../../dev/wait.ts'
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
  const token = await tokenAs(mayfly, name, { kind: 'Role', name }, 3_600)
  // Who may do nothing can be sure of that at once.
  if (rules.length > 0) await inForce(mayfly, name, rules)
  return token
}

/** Resolves when the API server goes by these rights: it hears of a role and its binding a little after it has stored them. */
async function inForce(
  { kubernetesNamespace: namespace, stack }: Place,
  name: string,
  rules: { resources: string[]; verbs: string[] }[],
): Promise<void> {
  const [resource, subresource] = rules[0]?.resources[0]?.split('/') ?? []
  const resourceAttributes = { namespace, resource, subresource, verb: rules[0]?.verbs[0] }
  const body = { spec: { user: `system:serviceaccount:${namespace}:${name}`, resourceAttributes } }
  const authorization = adminConfig(stack).makeApiClient(AuthorizationV1Api)
  await until({ what: `the rights of ${name} to be in force`, seconds: 180 }, async () => {
    return (await authorization.createSubjectAccessReview({ body })).status?.allowed
  })
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
