/** Plays that go on when a test says so, however slow the machine. */
import { openCluster } from '../../kubernetes/cluster.ts'
import { podLabels } from '../../model/attempt.ts'
import { clusterAdmin } from './cluster-admin.ts'
import type { Mayfly } from './mayfly.ts'
import { stackTarget } from './own-places.ts'

/** A shell's words that end once `letGo` was called; without any output. */
export const untilLetGo = 'until test -e /tmp/go; do sleep 0.1; done'

/** Lets the play go on in each pod that a job has now. */
export async function letGo({ kubernetesNamespace: namespace, stack }: Mayfly, job: number): Promise<void> {
  const labelSelector = `${podLabels.job}=${job}`
  const { items } = await clusterAdmin(stack).listNamespacedPod({ namespace, labelSelector })
  const cluster = openCluster(stackTarget(stack))
  try {
    for (const { metadata } of items) {
      await (await cluster.exec(namespace, metadata?.name ?? '', 'worker', ['touch', '/tmp/go'])).result
    }
  } finally {
    cluster.close()
  }
}
