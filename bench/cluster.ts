/** The cluster of a bench: a namespace, a service account that may do what Mayfly needs and no more, raw pods, and a watch. */
import { readFileSync } from 'node:fs'
import { CoreV1Api, KubeConfig, RbacAuthorizationV1Api, type V1Pod, Watch } from '@kubernetes/client-node'

/** What a container group's credential consists of. */
export interface ClusterAccess {
  host: string
  bearerToken: string
  caCertificate: string
  /** User name under which the API server's audit log lists our calls. */
  username: string
}

/** A pod as the watch tells it, with the moment at which we heard of it (of performance.now()). */
export type PodListener = (type: string, pod: V1Pod, at: number) => void

/** One namespace of a cluster, for the time of a run. */
export class BenchCluster {
  readonly namespace: string
  readonly #config = new KubeConfig()
  readonly #core: CoreV1Api

  constructor(kubeconfig: string, context: string | undefined, namespace: string) {
    this.namespace = namespace
    this.#config.loadFromFile(kubeconfig)
    if (context) this.#config.setCurrentContext(context)
    this.#core = this.#config.makeApiClient(CoreV1Api)
  }

  /** Creates a service account with the rights that Mayfly asks for and no more, and a token for it. */
  async grant(): Promise<ClusterAccess> {
    const namespace = this.namespace
    const name = 'mayfly'
    await this.#core.createNamespacedServiceAccount({ namespace, body: { metadata: { name } } })
    const rbac = this.#config.makeApiClient(RbacAuthorizationV1Api)
    const rules = [
      { apiGroups: [''], resources: ['pods'], verbs: ['get', 'list', 'watch', 'create', 'delete'] },
      { apiGroups: [''], resources: ['pods/exec'], verbs: ['get', 'create'] },
    ]
    await rbac.createNamespacedRole({ namespace, body: { metadata: { name }, rules } })
    await rbac.createNamespacedRoleBinding({
      namespace,
      body: {
        metadata: { name },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name },
        subjects: [{ kind: 'ServiceAccount', name, namespace }],
      },
    })
    const bearerToken = await this.token()
    const cluster = this.#config.getCurrentCluster()
    if (!cluster) throw new Error('the kubeconfig names no cluster')
    const caCertificate = cluster.caData
      ? Buffer.from(cluster.caData, 'base64').toString()
      : readFileSync(cluster.caFile ?? '', 'utf8')
    return {
      host: cluster.server,
      bearerToken,
      caCertificate,
      username: `system:serviceaccount:${namespace}:${name}`,
    }
  }

  /** Address of the API server. */
  get server(): string {
    return this.#config.getCurrentCluster()?.server ?? ''
  }

  /** A further token of the service account that `grant` made. */
  async token(): Promise<string> {
    const body = { spec: { audiences: [], expirationSeconds: 24 * 3600 } }
    const request = { name: 'mayfly', namespace: this.namespace, body }
    const { status } = await this.#core.createNamespacedServiceAccountToken(request)
    if (!status?.token) throw new Error('the cluster gave no token')
    return status.token
  }

  /** Watches the pods of the namespace from now on, over lost connections; the returned function ends it. Resolves once the watch is open. */
  async watch(listener: PodListener): Promise<() => void> {
    const { metadata } = await this.#core.listNamespacedPod({ namespace: this.namespace, limit: 1 })
    let resourceVersion = metadata?.resourceVersion
    let controller: AbortController | undefined
    let stopped = false
    const open = async (): Promise<void> => {
      controller = await new Watch(this.#config).watch(
        `/api/v1/namespaces/${this.namespace}/pods`,
        { resourceVersion },
        (type: string, pod: V1Pod) => {
          // An expired version comes as ERROR; the next watch then begins with what there is.
          resourceVersion = type === 'ERROR' ? undefined : pod.metadata?.resourceVersion
          if (type !== 'ERROR') listener(type, pod, performance.now())
        },
        // The client gives a watch up after a while without events.
        () => {
          if (!stopped) void open()
        },
      )
    }
    await open()
    return () => {
      stopped = true
      controller?.abort()
    }
  }

  /** Creates a pod of one container, waits until it Succeeded, deletes it; gives the milliseconds from create to Succeeded. */
  async runPod(name: string, image: string, args: string[], resources: object): Promise<number> {
    const namespace = this.namespace
    const ended = Promise.withResolvers<{ phase: string; at: number }>()
    const stop = await this.watch((_type, pod, at) => {
      const phase = pod.status?.phase ?? ''
      if (pod.metadata?.name === name && (phase === 'Succeeded' || phase === 'Failed')) ended.resolve({ phase, at })
    })
    try {
      const begin = performance.now()
      const container = { name: 'worker', image, imagePullPolicy: 'IfNotPresent', args, resources }
      const spec = { restartPolicy: 'Never', automountServiceAccountToken: false, containers: [container] }
      await this.#core.createNamespacedPod({ namespace, body: { metadata: { name }, spec } })
      const tooLong = setTimeout(() => ended.reject(new Error(`pod ${name} did not end in 5 min`)), 300_000)
      const { phase, at } = await ended.promise.finally(() => clearTimeout(tooLong))
      if (phase !== 'Succeeded') {
        const log = await this.#core.readNamespacedPodLog({ name, namespace, tailLines: 10 })
        throw new Error(`pod ${name} ended as ${phase}: ${log}`)
      }
      return at - begin
    } finally {
      stop()
      await this.#core.deleteNamespacedPod({ name, namespace, gracePeriodSeconds: 0 }).catch(() => {})
    }
  }

  /** Stores a file as ConfigMap, for pods that mount it. */
  async createConfigMap(name: string, data: Record<string, string>): Promise<void> {
    await this.#core.createNamespacedConfigMap({ namespace: this.namespace, body: { metadata: { name }, data } })
  }

  /** Deletes a pod as `kubectl delete` does, with its time to end. */
  async deletePod(name: string): Promise<void> {
    await this.#core.deleteNamespacedPod({ name, namespace: this.namespace })
  }

  /** Number of pods there are now. */
  async countPods(): Promise<number> {
    return (await this.#core.listNamespacedPod({ namespace: this.namespace })).items.length
  }
}
