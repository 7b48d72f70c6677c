import type { PodManifest } from '../model/pod-template-types.ts'
import { type ClusterProbe, clusterProbe } from './cluster-probe.ts'
import { openConnection } from './connection.ts'
import { AlreadyExistsError, ConflictError, ForbiddenError, NotFoundError } from './errors.ts'
import { type ExecOptions, type ExecSession, openExec } from './exec.ts'
import { callApi, openStream, type RequestOptions } from './http.ts'
import { listPages } from './list-pages.ts'
import type { KubernetesObject, Namespace, Node, Pod, PodEvent, ResourceQuota, Secret } from './objects.ts'
import type { ClusterTarget } from './target.ts'

/** What a watch may look at. */
export type WatchedResource = 'pods' | 'resourcequotas' | 'limitranges' | 'nodes'

/** Which objects of a kind. */
export interface Selection {
  resource: WatchedResource
  /** null means all namespaces. */
  namespace: string | null
  labelSelector?: string
}

/** One API server as one identity. All methods throw the errors of errors.ts. */
export interface Cluster {
  /** Names endpoint and identity, holds no secret, survives restarts and a rotated token: for rows in the store. */
  readonly key: string
  /** Differs whenever anything of the target differs, valid in this process only: for caches of clusters and watches. */
  readonly connectionKey: string
  /** Host and port, for messages. */
  readonly host: string
  /** What tells whether jobs can run here at all. */
  readonly probe: ClusterProbe
  /** Throws AlreadyExistsError, QuotaExceededError, InvalidObjectError and the general errors. */
  createPod(namespace: string, manifest: PodManifest, options?: RequestOptions): Promise<Pod>
  /** Throws NotFoundError. */
  getPod(namespace: string, name: string, options?: RequestOptions): Promise<Pod>
  /** `namespace` null lists all namespaces. A namespace that does not exist has no pods, says Kubernetes. */
  listPods(namespace: string | null, labelSelector: string, options?: RequestOptions): Promise<Pod[]>
  /**
   * Names, labels and ages of pods, page by page, as long lists are to be read: what was given out is not kept. Each pod comes once, also when the
   * API server forgets the list half-way; one that was made or deleted meanwhile comes or not.
   */
  podPages(namespace: string | null, labelSelector: string, options?: RequestOptions): AsyncIterable<KubernetesObject[]>
  /**
   * Deletes the pod that has this uid. `gone`: it no longer exists (404, another uid, or removed at once). `deleting`: accepted, grace runs.
   */
  deletePod(
    namespace: string,
    name: string,
    options: RequestOptions & { uid?: string; graceSeconds?: number },
  ): Promise<'gone' | 'deleting'>
  getResourceQuotas(namespace: string, options?: RequestOptions): Promise<ResourceQuota[]>
  getNamespace(name: string, options?: RequestOptions): Promise<Namespace>
  /** Events about a pod, newest last; [] where the right to read events is missing. */
  podEvents(namespace: string, pod: string, options?: RequestOptions): Promise<PodEvent[]>
  /** Events about the object with this uid, and no other of its name, newest last. Throws ForbiddenError where they may not be read. */
  eventsOf(namespace: string, uid: string, options?: RequestOptions): Promise<PodEvent[]>
  /** Throws NotFoundError where the cluster has no such node any more, ForbiddenError where nodes may not be read. */
  getNode(name: string, options?: RequestOptions): Promise<Node>
  createOrUpdateSecret(namespace: string, secret: Secret, options?: RequestOptions): Promise<void>
  /** Does nothing where it does not exist. */
  deleteSecret(namespace: string, name: string, options?: RequestOptions): Promise<void>
  /** Runs a command in a container; resolves when the stream is open. See exec.ts. */
  exec(
    namespace: string,
    pod: string,
    container: string,
    command: string[],
    options?: ExecOptions,
  ): Promise<ExecSession>
  /** A consistent list and the version from which a watch goes on. */
  list<T extends KubernetesObject>(
    selection: Selection,
    options?: RequestOptions,
  ): Promise<{ items: T[]; resourceVersion: string }>
  /** The raw stream of watch events, one JSON document a line, with bookmarks; ended by the server after `timeoutSeconds`. */
  watchStream(
    selection: Selection,
    from: { resourceVersion: string; timeoutSeconds: number },
    signal: AbortSignal,
  ): Promise<AsyncIterable<Buffer>>
  /** Closes kept connections. */
  close(): void
}

/** Pods by the hundred in one answer; the rest follows by `continue`. */
const pageSize = 500
/** A tenth of the bytes, where the API server can do that. */
const metadataOnly = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json'

/** Connects to nothing yet: the first request does. Throws ConfigurationError where the target cannot be used. */
export function openCluster(target: ClusterTarget): Cluster {
  const connection = openConnection(target)
  const podPath = (namespace: string, name: string) => `${base('pods', namespace)}/${encodeURIComponent(name)}`

  async function list<T extends KubernetesObject>(selection: Selection, options: RequestOptions = {}) {
    const items: T[] = []
    let resourceVersion = ''
    let next = ''
    do {
      const query = new URLSearchParams({ limit: String(pageSize) })
      if (selection.labelSelector) query.set('labelSelector', selection.labelSelector)
      if (next) query.set('continue', next)
      const path = `${base(selection.resource, selection.namespace)}?${query}`
      const page = await callApi<ListPage<T>>(connection, { method: 'GET', path, ...options })
      items.push(...(page.items ?? []))
      resourceVersion = page.metadata.resourceVersion
      next = page.metadata.continue ?? ''
    } while (next)
    return { items, resourceVersion }
  }

  async function events(namespace: string, fieldSelector: string, options?: RequestOptions): Promise<PodEvent[]> {
    const query = new URLSearchParams({ fieldSelector, limit: '100' })
    const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/events?${query}`
    const page = await callApi<Pick<ListPage<RawEvent>, 'items'>>(connection, { method: 'GET', path, ...options })
    return (page.items ?? []).map(eventOf).sort((a, b) => a.lastSeen.localeCompare(b.lastSeen))
  }

  return {
    key: connection.key,
    connectionKey: connection.connectionKey,
    host: connection.host,
    probe: clusterProbe(connection),

    createPod: (namespace, manifest, options) =>
      callApi<Pod>(connection, { method: 'POST', path: base('pods', namespace), body: manifest, ...options }),

    getPod: (namespace, name, options) =>
      callApi<Pod>(connection, { method: 'GET', path: podPath(namespace, name), ...options }),

    listPods: async (namespace, labelSelector, options) =>
      (await list<Pod>({ resource: 'pods', namespace, labelSelector }, options)).items,

    podPages: (namespace, labelSelector, options) =>
      listPages(async (token) => {
        const query = new URLSearchParams({ limit: String(pageSize), labelSelector })
        if (token) query.set('continue', token)
        const path = `${base('pods', namespace)}?${query}`
        const call = { method: 'GET', path, accept: metadataOnly, ...options } as const
        const page = await callApi<ListPage<KubernetesObject>>(connection, call)
        return { items: page.items ?? [], continueToken: page.metadata.continue ?? '' }
      }),

    async deletePod(namespace, name, { uid, graceSeconds, ...options }) {
      const body = {
        apiVersion: 'v1',
        kind: 'DeleteOptions',
        ...(graceSeconds === undefined ? {} : { gracePeriodSeconds: graceSeconds }),
        ...(uid ? { preconditions: { uid } } : {}),
      }
      const path = podPath(namespace, name)
      try {
        const answer = await callApi<Partial<Pod>>(connection, { method: 'DELETE', path, body, ...options })
        // Pods without a node and terminal pods are removed at once; the answer is then the object as it last was.
        return answer.metadata && answer.metadata.deletionGracePeriodSeconds !== 0 ? 'deleting' : 'gone'
      } catch (error) {
        if (error instanceof NotFoundError) return 'gone'
        if (uid && error instanceof ConflictError) return 'gone'
        throw error
      }
    },

    getResourceQuotas: async (namespace, options) =>
      (await list<ResourceQuota>({ resource: 'resourcequotas', namespace }, options)).items,

    getNamespace: (name, options) =>
      callApi<Namespace>(connection, {
        method: 'GET',
        path: `/api/v1/namespaces/${encodeURIComponent(name)}`,
        ...options,
      }),

    async podEvents(namespace, pod, options) {
      try {
        return await events(namespace, `involvedObject.kind=Pod,involvedObject.name=${pod}`, options)
      } catch (error) {
        if (error instanceof ForbiddenError) return []
        throw error
      }
    },

    eventsOf: (namespace, uid, options) => events(namespace, `involvedObject.uid=${uid}`, options),

    getNode: (name, options) =>
      callApi<Node>(connection, { method: 'GET', path: `/api/v1/nodes/${encodeURIComponent(name)}`, ...options }),

    async createOrUpdateSecret(namespace, secret, options) {
      const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/secrets`
      const body = { apiVersion: 'v1', kind: 'Secret', ...secret }
      try {
        await callApi(connection, { method: 'POST', path, body, ...options })
      } catch (error) {
        if (!(error instanceof AlreadyExistsError)) throw error
        await callApi(connection, {
          method: 'PUT',
          path: `${path}/${encodeURIComponent(secret.metadata.name)}`,
          body,
          ...options,
        })
      }
    },

    async deleteSecret(namespace, name, options) {
      const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/secrets/${encodeURIComponent(name)}`
      try {
        await callApi(connection, { method: 'DELETE', path, ...options })
      } catch (error) {
        if (!(error instanceof NotFoundError)) throw error
      }
    },

    exec: (namespace, pod, container, command, options = {}) =>
      openExec(connection, { path: podPath(namespace, pod), container, command }, options),

    list,

    async watchStream(selection, from, signal) {
      const query = new URLSearchParams({
        watch: 'true',
        allowWatchBookmarks: 'true',
        resourceVersion: from.resourceVersion,
        timeoutSeconds: String(from.timeoutSeconds),
      })
      if (selection.labelSelector) query.set('labelSelector', selection.labelSelector)
      const path = `${base(selection.resource, selection.namespace)}?${query}`
      return openStream(connection, { method: 'GET', path, signal })
    },

    close: () => connection.agent.destroy(),
  }
}

interface ListPage<T> {
  /** Null in an empty list of metadata alone. */
  items: T[] | null
  metadata: { resourceVersion: string; continue?: string }
}

interface RawEvent {
  type?: string
  reason?: string
  message?: string
  count?: number
  lastTimestamp?: string | null
  eventTime?: string | null
  metadata: { creationTimestamp?: string }
}

function eventOf(raw: RawEvent): PodEvent {
  return {
    type: raw.type ?? '',
    reason: raw.reason ?? '',
    message: raw.message ?? '',
    count: raw.count ?? 1,
    lastSeen: raw.lastTimestamp ?? raw.eventTime ?? raw.metadata.creationTimestamp ?? '',
  }
}

function base(resource: WatchedResource, namespace: string | null): string {
  return namespace === null ? `/api/v1/${resource}` : `/api/v1/namespaces/${encodeURIComponent(namespace)}/${resource}`
}
