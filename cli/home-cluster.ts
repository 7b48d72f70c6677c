import type { ClusterTarget } from '../kubernetes/target.ts'
import type { Settings } from './settings.ts'

/** Where groups without a credential run: the kubeconfig named, else the cluster that we ourselves run in, else kubectl's default. */
export function homeCluster(settings: Settings, env: NodeJS.ProcessEnv): ClusterTarget {
  const { kubeconfig: path, kubeContext: context } = settings
  if (!path && !context && env.KUBERNETES_SERVICE_HOST) return { kind: 'in-cluster' }
  return { kind: 'kubeconfig', path, context }
}
