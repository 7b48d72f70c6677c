import { until } from '../../dev/wait.ts'
import { clusterAdmin } from './cluster-admin.ts'
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
    const used = await usedOf(stack, namespace, name)
    return Object.keys(hard).every((key) => used?.[key] !== undefined)
  })
}

/** Resolves when the cluster counts no pod for the quota. */
export async function untilNoPodCounts(stack: TestStack, namespace: string, name: string): Promise<void> {
  await until(
    { what: `quota ${name} of ${namespace} to count no pod`, seconds: 180 },
    async () => (await usedOf(stack, namespace, name))?.pods === '0',
  )
}

async function usedOf(stack: TestStack, namespace: string, name: string): Promise<Record<string, string> | undefined> {
  return (await clusterAdmin(stack).readNamespacedResourceQuota({ namespace, name })).status?.used
}
