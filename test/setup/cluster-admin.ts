/** The official client of the stack's cluster, as its administrator: for what tests do and look at beside Mayfly. */
import { CoreV1Api, KubeConfig } from '@kubernetes/client-node'
import type { ClusterOfStack } from './own-places.ts'

/** A kubeconfig object of the stack's cluster. */
export function adminConfig(stack: ClusterOfStack): KubeConfig {
  const config = new KubeConfig()
  config.loadFromFile(stack.kubeconfigPath)
  if (stack.kubeContext) config.setCurrentContext(stack.kubeContext)
  return config
}

/** A client of the stack's cluster. */
export function clusterAdmin(stack: ClusterOfStack): CoreV1Api {
  return adminConfig(stack).makeApiClient(CoreV1Api)
}
