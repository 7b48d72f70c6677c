import type { Cluster, Selection } from './cluster.ts'
import { errorFromStatus } from './error-shapes.ts'
import { GoneError } from './errors.ts'
import { jsonLines } from './json-lines.ts'
import type { KubernetesObject } from './objects.ts'
import { pause } from './pause.ts'

/** What a watch tells. */
export type WatchEvent<T> =
  /** After every complete list. What a list shows to be new, changed or missing is told before it. */
  | { type: 'synced' }
  | { type: 'added' | 'modified'; object: T }
  /** The last known state of the object. */
  | { type: 'deleted'; object: T }

/** What is watched, and who is told. */
export interface WatchOptions<T> extends Selection {
  /** Called in order; what it throws goes to onError and ends nothing. */
  onEvent: (event: WatchEvent<T>) => void
  /** Told of every failed list or watch (a typed error of errors.ts), and of exceptions that onEvent throws. The watch goes on. */
  onError?: (error: unknown) => void
  timing?: Partial<WatchTiming>
}

/** All in ms. */
export interface WatchTiming {
  /** The server is asked to end each watch after this time, so that connections move on. */
  watchMs: number
  /** Without any byte for this time the connection is taken for dead; bookmarks come about once a minute. */
  silenceMs: number
  /** A list is repeated after this time even when nothing went wrong. */
  relistMs: number
  firstBackOffMs: number
  lastBackOffMs: number
}

const defaultTiming: WatchTiming = {
  watchMs: 300_000,
  silenceMs: 90_000,
  relistMs: 1_800_000,
  firstBackOffMs: 200,
  lastBackOffMs: 10_000,
}
/** Random delay before a watch is reopened, so that many watches do not come back in the same instant. */
const jitterMs = 100

/** A running list-and-watch loop and what it knows. */
export interface Watch<T> {
  /** By `namespace/name`. */
  readonly objects: ReadonlyMap<string, T>
  /** True from the first complete list on. */
  readonly synced: boolean
  /** Resolves at the first complete list; rejects when the watch is stopped before. */
  whenSynced(): Promise<void>
  /** Ends the loop; resolves when nothing of it is left. No event is told afterwards. */
  stop(): Promise<void>
}

/** Starts one list-and-watch loop. It ends by stop() only. */
export function watchObjects<T extends KubernetesObject>(cluster: Cluster, options: WatchOptions<T>): Watch<T> {
  const stopping = new AbortController()
  const loop = new WatchLoop<T>(cluster, options, stopping.signal)
  const running = loop.run()
  return {
    objects: loop.objects,
    get synced() {
      return loop.synced
    },
    whenSynced: () => loop.firstSync,
    async stop() {
      stopping.abort(new Error('the watch was stopped'))
      await running
    },
  }
}

interface RawWatchEvent<T> {
  type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR'
  object: T
}

class WatchLoop<T extends KubernetesObject> {
  readonly objects = new Map<string, T>()
  readonly firstSync: Promise<void>
  synced = false
  readonly #cluster: Cluster
  readonly #options: WatchOptions<T>
  readonly #timing: WatchTiming
  readonly #signal: AbortSignal
  #firstSynced: () => void = () => {}
  /** Where a watch goes on; null when a list is needed first. */
  #resourceVersion: string | null = null
  #listedAt = 0

  constructor(cluster: Cluster, options: WatchOptions<T>, signal: AbortSignal) {
    this.#cluster = cluster
    this.#options = options
    this.#timing = { ...defaultTiming, ...options.timing }
    this.#signal = signal
    this.firstSync = new Promise((resolve, reject) => {
      this.#firstSynced = resolve
      signal.addEventListener('abort', () => reject(signal.reason), { once: true })
    })
    this.firstSync.catch(() => {})
  }

  async run(): Promise<void> {
    const { firstBackOffMs, lastBackOffMs, relistMs } = this.#timing
    let backOff = firstBackOffMs
    while (!this.#signal.aborted) {
      const startedAt = performance.now()
      let delay = Math.random() * jitterMs
      try {
        if (this.#resourceVersion === null || startedAt - this.#listedAt > relistMs) await this.#list()
        await this.#watch(this.#resourceVersion ?? '')
        // A server that ends every watch at once must not be asked in a tight loop.
        if (performance.now() - startedAt < 1_000) delay = backOff
        else backOff = firstBackOffMs
      } catch (error) {
        if (this.#signal.aborted) break
        this.#resourceVersion = null
        this.#report(error)
        if (performance.now() - startedAt > lastBackOffMs) backOff = firstBackOffMs
        if (!(error instanceof GoneError)) {
          delay = backOff * (0.5 + Math.random())
          backOff = Math.min(backOff * 2, lastBackOffMs)
        }
      }
      await pause(delay, this.#signal).catch(() => {})
    }
  }

  async #list(): Promise<void> {
    const { items, resourceVersion } = await this.#cluster.list<T>(this.#options, {
      signal: this.#signal,
      timeoutMs: 30_000,
    })
    const missing = new Set(this.objects.keys())
    for (const object of items) {
      missing.delete(keyOf(object))
      this.#take(object)
    }
    for (const key of missing) this.#drop(key)
    this.#resourceVersion = resourceVersion
    this.#listedAt = performance.now()
    this.synced = true
    this.#firstSynced()
    this.#tell({ type: 'synced' })
  }

  /** Returns when the server ends the watch in good order. */
  async #watch(resourceVersion: string): Promise<void> {
    const { watchMs, silenceMs } = this.#timing
    const silence = new AbortController()
    const lookOut = setTimeout(() => silence.abort(new SilentWatchError(silenceMs)), silenceMs)
    const signal = AbortSignal.any([this.#signal, silence.signal])
    try {
      const timeoutSeconds = Math.max(1, Math.round((watchMs * (0.9 + 0.2 * Math.random())) / 1000))
      const stream = await this.#cluster.watchStream(this.#options, { resourceVersion, timeoutSeconds }, signal)
      for await (const line of jsonLines<RawWatchEvent<T>>(stream, () => lookOut.refresh())) this.#apply(line)
    } catch (error) {
      throw silence.signal.aborted ? silence.signal.reason : error
    } finally {
      clearTimeout(lookOut)
    }
  }

  #apply(event: RawWatchEvent<T>): void {
    if (event.type === 'ERROR') throw errorFromStatus(this.#cluster.host, event.object)
    this.#resourceVersion = event.object.metadata.resourceVersion
    if (event.type === 'DELETED') this.#drop(keyOf(event.object), event.object)
    else if (event.type !== 'BOOKMARK') this.#take(event.object)
  }

  #take(object: T): void {
    const key = keyOf(object)
    const known = this.objects.get(key)
    if (known && known.metadata.uid !== object.metadata.uid) this.#drop(key)
    else if (known?.metadata.resourceVersion === object.metadata.resourceVersion) return
    const type = this.objects.has(key) ? 'modified' : 'added'
    this.objects.set(key, object)
    this.#tell({ type, object })
  }

  #drop(key: string, lastState?: T): void {
    const object = lastState ?? this.objects.get(key)
    if (this.objects.delete(key) && object) this.#tell({ type: 'deleted', object })
  }

  #tell(event: WatchEvent<T>): void {
    if (this.#signal.aborted) return
    try {
      this.#options.onEvent(event)
    } catch (error) {
      this.#report(error)
    }
  }

  #report(error: unknown): void {
    try {
      this.#options.onError?.(error)
    } catch {
      // Whoever cannot even take an error must not stop the watch for everybody.
    }
  }
}

/** Nothing came over a watch for longer than bookmarks take. */
export class SilentWatchError extends Error {
  override name = 'SilentWatchError'

  constructor(silenceMs: number) {
    super(`The watch was silent for ${silenceMs / 1000} s.`)
  }
}

function keyOf(object: KubernetesObject): string {
  return `${object.metadata.namespace ?? ''}/${object.metadata.name}`
}
