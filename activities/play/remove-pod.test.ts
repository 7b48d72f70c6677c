import { describe, expect, test } from 'vitest'
import type { Cluster } from '../../kubernetes/cluster.ts'
import { ForbiddenError, NotFoundError } from '../../kubernetes/errors.ts'
import type { Node, Pod } from '../../kubernetes/objects.ts'
import type { ActivityDeps } from '../deps.ts'
import { removePod } from './remove-pod.ts'

const target = { namespace: 'jobs', name: 'automation-job-7-1', uid: 'uid-1' }
const timing = { lookEveryMs: 5, overdueMs: 20 }

/** A pod on a node, which only a deletion by force ends, or being looked at so often. */
function clusterWith({
  node,
  endsAfterLooks,
  left,
}: {
  node: Node | Error
  endsAfterLooks?: number
  left?: Pod['status']
}) {
  const deletions: (number | undefined)[] = []
  let looks = 0
  let there = true
  const pod: Pod = {
    metadata: {
      name: target.name,
      namespace: 'jobs',
      uid: target.uid,
      resourceVersion: '1',
      deletionTimestamp: '2026-11-21T13:00:00Z',
    },
    spec: { nodeName: 'node-7' },
    status: left ?? {},
  }
  const cluster: Pick<Cluster, 'deletePod' | 'getPod' | 'getNode'> = {
    deletePod: async (_namespace, _name, { uid, graceSeconds }) => {
      expect(uid).toBe(target.uid)
      deletions.push(graceSeconds)
      if (graceSeconds === 0) there = false
      return there ? 'deleting' : 'gone'
    },
    getPod: async () => {
      looks++
      if (endsAfterLooks !== undefined && looks >= endsAfterLooks) there = false
      if (!there) throw new NotFoundError('object', 'it is gone', '')
      return pod
    },
    getNode: async () => {
      if (node instanceof Error) throw node
      return node
    },
  }
  return { cluster: cluster as Cluster, deletions }
}

const forbidden = () => new ForbiddenError({ verb: 'get', resource: 'nodes', namespace: '' }, 'no', '')
const nodeThat = (status: 'True' | 'Unknown'): Node => ({
  metadata: { name: 'node-7', uid: 'n', resourceVersion: '1' },
  status: { conditions: [{ type: 'Ready', status }] },
})
const toldToLeave: Pod['status'] = {
  conditions: [{ type: 'DisruptionTarget', status: 'True', reason: 'DeletionByTaintManager' }],
}
/** A watch that tells nothing. */
const gates = {
  async *followPod(_place: unknown, _name: string, signal: AbortSignal) {
    await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
  },
} as unknown as ActivityDeps['gates']
const remove = (cluster: Cluster) => removePod({ gates }, cluster, target, AbortSignal.timeout(30_000), timing)

describe('a pod that is deleted', () => {
  test.each<[string, Parameters<typeof clusterWith>[0]]>([
    ['that nobody hears from', { node: nodeThat('Unknown') }],
    ['that is no more', { node: new NotFoundError('object', 'no such node', '') }],
    ['that may not be read and that it had to leave long ago', { node: forbidden(), left: toldToLeave }],
  ])('goes by force from a node %s', async (_what, parts) => {
    const { cluster, deletions } = clusterWith(parts)
    await remove(cluster)
    expect(deletions).toEqual([5, 0])
  })

  test.each<[string, Parameters<typeof clusterWith>[0]]>([
    ['that lives', { node: nodeThat('True') }],
    ['that may not be read', { node: forbidden() }],
  ])('is left to a node %s', async (_what, parts) => {
    const { cluster, deletions } = clusterWith({ ...parts, endsAfterLooks: 20 })
    await remove(cluster)
    expect(deletions).toEqual([5])
  })
})
