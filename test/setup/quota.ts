import { until } from '../../dev/wait.ts'
import { clusterAdmin } from './own-places.ts'
import type { TestStack } from './stack.ts'

/** Makes a quota, and resolves when the cluster has begun to count by it: before, nothing is refused. */
export async function countedQuota(
  stack: TestStack,
  namespace: string,
  name: string,
  hard: Record<string, string>,
): Promise<void> {
  const core = clusterAdmin(stack)
  await core.createNamespacedResourceQuota({ namespace, body: { metadata: { name }, spec: { hard } } })
  await until({ what: `the quota of ${namespace} to be counted`, seconds: 180 }, async () => {
    const { status } = await core.readNamespacedResourceQuota({ namespace, name })
    return Object.keys(hard).every((key) => status?.used?.[key] !== undefined)
  })
}
