/** Identities of the stack's cluster that have few rights. */
import { readKubeconfig } from '../../kubernetes/kubeconfig.ts'
import type { Mayfly } from './mayfly.ts'
import { stackTarget } from './own-places.ts'
import type { Scene } from './scene.ts'
import { tokenWith } from './service-account.ts'

/** What Mayfly needs to run jobs in a namespace, and nothing that would tell it more of it. */
const leastRights = [
  { resources: ['pods'], verbs: ['create', 'get', 'list', 'watch', 'delete'] },
  { resources: ['pods/exec'], verbs: ['create', 'get'] },
]

/** A credential that may run pods in the namespace, and may read neither its quotas nor its limits nor nodes. */
export async function leastCredential(mayfly: Mayfly, scene: Scene, namespace: string): Promise<number> {
  const token = await tokenWith({ kubernetesNamespace: namespace, stack: mayfly.stack }, 'least', leastRights)
  const { url } = readKubeconfig(stackTarget(mayfly.stack))
  return await scene.clusterCredential({ host: url.origin, bearer_token: token, verify_ssl: false })
}
