import type { PodManifest } from '../model/pod-template-types.ts'
import type { ExecOptions, ExecSession } from './exec.ts'
import type { Namespace, Pod, PodEvent, ResourceQuota, Secret } from './objects.ts'
import type { ClusterTarget } from './target.ts'

/** Options of every request. */
export interface RequestOptions {
  signal?: AbortSignal
  /** Whole request, default 10 s. */
  timeoutMs?: number
}

/** One API server as one identity. All methods throw the errors of errors.ts. */
export interface Cluster {
  /** Names endpoint and identity, holds no secret, survives restarts and a rotated token: for rows in the store. */
  readonly key: string
  /** Differs whenever anything of the target differs, valid in this process only: for caches of clusters and watches. */
  readonly connectionKey: string
  /** Host and port, for messages. */
  readonly host: string
  createPod(namespace: string, manifest: PodManifest, options?: RequestOptions): Promise<Pod>
  /** Throws NotFoundError. */
  getPod(namespace: string, name: string, options?: RequestOptions): Promise<Pod>
  /** `namespace` null lists all namespaces. */
  listPods(namespace: string | null, labelSelector: string, options?: RequestOptions): Promise<Pod[]>
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
  createOrUpdateSecret(namespace: string, secret: Secret, options?: RequestOptions): Promise<void>
  deleteSecret(namespace: string, name: string, options?: RequestOptions): Promise<void>
  /** Runs a command in a container; resolves when the stream is open. See exec.ts. */
  exec(
    namespace: string,
    pod: string,
    container: string,
    command: string[],
    options?: ExecOptions,
  ): Promise<ExecSession>
  /** Closes kept connections. */
  close(): void
}

/** Opens nothing yet: the first request connects. */
export function openCluster(target: ClusterTarget): Cluster {
  throw new Error(target.kind)
}
