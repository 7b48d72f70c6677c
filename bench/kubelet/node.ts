/** A node that exists in the API server only: the object, its lease, and the pods that the scheduler gives it. */
import type { Cluster } from '../../kubernetes/cluster.ts'
import type { Connection } from '../../kubernetes/connection.ts'
import { ConflictError, isTransient, NotFoundError } from '../../kubernetes/errors.ts'
import { callApi, openStream } from '../../kubernetes/http.ts'
import type { Pod } from '../../kubernetes/objects.ts'
import { type Watch, type WatchEvent, watchObjects } from '../../kubernetes/watch.ts'
import { type BehaviourPlan, choose } from './behaviour.ts'
import { statusOf } from './pod-status.ts'
import { type Report, SimulatedPod } from './simulated-pod.ts'

/** Label and taint of simulated nodes; the value names the bench that they belong to. */
export const simulatedKey = 'bench.mayfly.dev/simulated'

/** What a node is made of. */
export interface NodeOptions {
  connection: Connection
  name: string
  /** Value of label and taint. */
  owner: string
  /** Where the API server reaches the exec server. */
  address: string
  port: number
  plan: BehaviourPlan
  random: () => number
  say: (line: string) => void
}

/** What nodes have done so far. */
export interface NodeCounts {
  /** Pods that came. */
  pods: number
  /** Pods that are there. */
  live: number
  /** Most pods that ran at once. */
  most: number
  /** Statuses written. */
  reports: number
}

const leasePath = '/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases'
const renewMs = 10_000

/** One node; `start`, and `stop` in any case. */
export class SimulatedNode {
  readonly counts: NodeCounts = { pods: 0, live: 0, most: 0, reports: 0 }
  readonly #options: NodeOptions
  /** By `namespace/name`. */
  readonly #pods = new Map<string, { uid: string; pod: SimulatedPod; ending: boolean }>()
  #watch: Watch<Pod> | undefined
  #heartbeat: NodeJS.Timeout | undefined

  constructor(options: NodeOptions) {
    this.#options = options
  }

  /** Registers the node and takes pods from then on. */
  async start(): Promise<void> {
    const { connection, name } = this.#options
    await callApi(connection, { method: 'POST', path: '/api/v1/nodes', body: this.#object() })
    const lease = { metadata: { name }, spec: { holderIdentity: name, leaseDurationSeconds: 40, renewTime: micro() } }
    await callApi(connection, { method: 'POST', path: leasePath, body: lease })
    this.#heartbeat = setInterval(() => {
      this.#write('PATCH', `${leasePath}/${name}`, { spec: { renewTime: micro() } })
    }, renewMs)
    this.#watch = watchObjects<Pod>(this.#podsOfNode(), {
      resource: 'pods',
      namespace: null,
      onEvent: (event) => this.#take(event),
      onError: (error) => this.#options.say(`${name}: watch: ${String(error)}`),
    })
    await this.#watch.whenSynced()
  }

  /** Deletes the node, its lease and what pods it still has. */
  async stop(): Promise<void> {
    const { connection, name } = this.#options
    clearInterval(this.#heartbeat)
    await this.#watch?.stop()
    for (const { pod } of this.#pods.values()) pod.vanish()
    const paths = [...this.#pods.keys()].map((key) => podPath(key))
    this.#pods.clear()
    for (const path of [...paths, `${leasePath}/${name}`, `/api/v1/nodes/${name}`]) {
      const body = { gracePeriodSeconds: 0 }
      await callApi(connection, { method: 'DELETE', path, body }).catch((error: unknown) => {
        if (!(error instanceof NotFoundError)) throw error
      })
    }
  }

  /** The pod of this name if it is here. */
  find(namespace: string, name: string): SimulatedPod | undefined {
    return this.#pods.get(`${namespace}/${name}`)?.pod
  }

  #take(event: WatchEvent<Pod>): void {
    if (event.type === 'synced') return
    const { metadata } = event.object
    const key = `${metadata.namespace}/${metadata.name}`
    const known = this.#pods.get(key)
    if (event.type === 'deleted') {
      if (known?.uid !== metadata.uid) return
      known.pod.vanish()
      this.#pods.delete(key)
      this.counts.live = this.#pods.size
      return
    }
    if (!known) {
      this.#begin(key, event.object)
      return
    }
    if (metadata.deletionTimestamp && !known.ending) {
      known.ending = true
      // As a kubelet does: once the container has ended the object goes, and not the object of a later pod.
      const body = { gracePeriodSeconds: 0, preconditions: { uid: metadata.uid } }
      known.pod.terminate(() => this.#write('DELETE', podPath(key), body))
    }
  }

  #begin(key: string, object: Pod): void {
    const { plan, random, address } = this.#options
    const { metadata, spec } = object
    // One that was here before this process: its container is no more.
    if (object.status?.phase === 'Succeeded' || object.status?.phase === 'Failed') return
    const id = Math.floor(random() * 0x100000000)
    const containers = spec.containers ?? []
    const report = (what: Report): void => {
      this.counts.reports++
      this.#write('PATCH', `${podPath(key)}/status`, {
        metadata: { uid: metadata.uid },
        ...statusOf(what, containers as { name: string; image?: string }[], address),
      })
    }
    const pod = new SimulatedPod(choose(plan, random), id.toString(16).padStart(8, '0'), report)
    this.#pods.set(key, { uid: metadata.uid, pod, ending: false })
    this.counts.pods++
    this.counts.live = this.#pods.size
    this.counts.most = Math.max(this.counts.most, this.#pods.size)
    pod.begin()
  }

  /** Writes what may be too late already, and once more what may not have arrived. */
  #write(method: 'PATCH' | 'DELETE', path: string, body: object, triesLeft = 5): void {
    callApi(this.#options.connection, { method, path, body }).catch((error: unknown) => {
      if (error instanceof NotFoundError || error instanceof ConflictError) return
      if (!isTransient(error) || triesLeft === 0) return this.#options.say(`${method} ${path}: ${String(error)}`)
      setTimeout(() => this.#write(method, path, body, triesLeft - 1), 500)
    })
  }

  /** A cluster whose lists and watches are of this node's pods only. */
  #podsOfNode(): Cluster {
    const { connection, name } = this.#options
    const selector = `fieldSelector=${encodeURIComponent(`spec.nodeName=${name}`)}`
    const only: Pick<Cluster, 'host' | 'list' | 'watchStream'> = {
      host: connection.host,
      async list(_, options) {
        const path = `/api/v1/pods?${selector}`
        const page = await callApi<{ items: never[]; metadata: { resourceVersion: string } }>(connection, {
          method: 'GET',
          path,
          ...options,
        })
        return { items: page.items, resourceVersion: page.metadata.resourceVersion }
      },
      watchStream(_, { resourceVersion, timeoutSeconds }, signal) {
        const from = `resourceVersion=${resourceVersion}&timeoutSeconds=${timeoutSeconds}`
        const path = `/api/v1/pods?watch=true&allowWatchBookmarks=true&${from}&${selector}`
        return openStream(connection, { method: 'GET', path, signal })
      },
    }
    return only as Cluster
  }

  #object(): object {
    const { name, owner, address, port } = this.#options
    const capacity = { cpu: '10k', memory: '10Ti', pods: '20k', 'ephemeral-storage': '10Ti' }
    const now = new Date().toISOString().replace(/\.\d+Z$/, 'Z')
    const condition = (type: string, status: string): object => ({
      type,
      status,
      reason: 'Simulated',
      lastHeartbeatTime: now,
      lastTransitionTime: now,
    })
    return {
      metadata: {
        name,
        labels: {
          [simulatedKey]: owner,
          'kubernetes.io/hostname': name,
          'kubernetes.io/os': 'linux',
          'kubernetes.io/arch': 'amd64',
        },
      },
      spec: { taints: [{ key: simulatedKey, value: owner, effect: 'NoSchedule' }] },
      status: {
        capacity,
        allocatable: capacity,
        addresses: [
          { type: 'InternalIP', address },
          { type: 'Hostname', address: name },
        ],
        daemonEndpoints: { kubeletEndpoint: { Port: port } },
        conditions: [
          condition('Ready', 'True'),
          ...['MemoryPressure', 'DiskPressure', 'PIDPressure'].map((type) => condition(type, 'False')),
        ],
        nodeInfo: {
          architecture: 'amd64',
          operatingSystem: 'linux',
          kubeletVersion: 'v1.34.0-simulated',
          containerRuntimeVersion: 'none://0',
          bootID: '',
          kernelVersion: '',
          kubeProxyVersion: '',
          machineID: '',
          osImage: '',
          systemUUID: '',
        },
      },
    }
  }
}

function podPath(key: string): string {
  const [namespace = '', name = ''] = key.split('/')
  return `/api/v1/namespaces/${namespace}/pods/${name}`
}

function micro(): string {
  return new Date().toISOString().replace('Z', '000Z')
}
