import type { Cluster } from './cluster.ts'
import type { KubernetesObject } from './objects.ts'

/** What a watch tells. `synced` follows every complete list; deletions noticed by a list are told as `deleted` before it. */
export type WatchEvent<T> =
  | { type: 'synced' }
  | { type: 'added' | 'modified'; object: T }
  /** The last known state of the object. */
  | { type: 'deleted'; object: T }

export interface WatchOptions<T> {
  resource: 'pods' | 'resourcequotas'
  /** null watches all namespaces. */
  namespace: string | null
  labelSelector?: string
  onEvent: (event: WatchEvent<T>) => void
  /** Told of every failed list or watch (a typed error of errors.ts), and of exceptions that onEvent throws. The watch goes on. */
  onError?: (error: unknown) => void
}

/** A running list-and-watch loop and what it knows. */
export interface Watch<T> {
  /** By `namespace/name`. */
  readonly objects: ReadonlyMap<string, T>
  /** True from the first complete list on. */
  readonly synced: boolean
  /** Resolves at the first complete list. */
  whenSynced(): Promise<void>
  /** Ends the loop; resolves when nothing of it is left. */
  stop(): Promise<void>
}

/** Starts one list-and-watch loop. */
export function watchObjects<T extends KubernetesObject>(cluster: Cluster, options: WatchOptions<T>): Watch<T> {
  throw new Error(`${cluster.host} ${options.resource}`)
}
