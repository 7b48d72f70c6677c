import type { Logger } from 'pino'
import type { Clusters, Gates, GroupPlace } from '../../activities/deps.ts'
import type { Cluster } from '../../kubernetes/cluster.ts'
import type { Pod } from '../../kubernetes/objects.ts'
import type { BrakeKind } from '../../model/brake.ts'
import { channels } from '../../store/channel.ts'
import { containerGroupIds, type GroupState, readGroupStates } from '../../store/groups.ts'
import type { Waiting } from './gate.ts'
import { GroupLine, type GroupLineDeps } from './group-line.ts'
import { followPod } from './watches.ts'

/** How often everything is read anew even if nothing was notified. */
const refreshMs = 30_000
/** So many groups are read at once: what was read must not grow old while the first of them are brought in step. */
const readAtOnce = 100

/** All container groups as this process serves them: makes, refreshes and stops their lines as groups come, change and go. */
export class GroupRegistry implements Gates {
  readonly #deps: GroupLineDeps
  readonly #clusters: Clusters
  readonly #log: Logger
  readonly #lines = new Map<number, Promise<GroupLine>>()
  /** Who wants to hear that the drain of a group is over. */
  readonly #evictions = new Map<number, Set<() => void>>()
  #unlisten: (() => Promise<void>) | undefined
  #timer: NodeJS.Timeout | undefined
  #stopping = false
  /** The pass that runs, and the one that follows it, with what is to be read then. */
  #pass: Promise<void> = Promise.resolve()
  #next: Promise<void> | undefined
  #due: Set<number> | 'all' | undefined

  constructor(deps: GroupLineDeps, clusters: Clusters) {
    this.#deps = deps
    this.#clusters = clusters
    this.#log = deps.log
  }

  async start(): Promise<void> {
    this.#unlisten = await this.#deps.store.listen(channels.groups, (payload) => {
      const [groupId, podName] = payload?.split(' ') ?? []
      if (groupId && podName) this.#givenBack(Number(groupId), podName)
      else this.#refreshQuietly(groupId ? [Number(groupId)] : undefined)
    })
    await this.refresh()
    this.#timer = setInterval(() => this.#refreshQuietly(), refreshMs)
  }

  async stop(): Promise<void> {
    this.#stopping = true
    clearInterval(this.#timer)
    await this.#unlisten?.()
    await this.#pass
    const lines = await Promise.all(this.#lines.values())
    await Promise.all(lines.map((line) => line.stop()))
    await this.#deps.watches.stop()
  }

  async ensure(groupId: number): Promise<void> {
    await this.#line(groupId)
  }

  claimed(groupId: number, podName: string, impact: number): void {
    const line = this.#settled.get(groupId)
    if (line) line.claimed(podName, impact)
    else this.#missed(groupId)
  }

  unclaimed(groupId: number, podName: string): void {
    this.#settled.get(groupId)?.unclaimed(podName)
  }

  released(groupId: number, podName: string): void {
    this.#settled.get(groupId)?.released(podName)
  }

  /** Some worker gave a place back, which needs no look at the store: hundreds do in a minute. */
  #givenBack(groupId: number, podName: string): void {
    const line = this.#settled.get(groupId)
    if (line) line.givenBack(podName)
    else this.#missed(groupId)
  }

  /** A line that is being opened may have read its group before what it was not told of. */
  #missed(groupId: number): void {
    if (this.#lines.has(groupId)) this.#refreshQuietly([groupId])
  }

  async unbraked(groupId: number, signal: AbortSignal): Promise<void> {
    await (await this.#line(groupId)).gate.unbraked(signal)
  }

  async room(groupId: number, signal: AbortSignal, waiting: Waiting): Promise<void> {
    await (await this.#line(groupId)).gate.room(signal, waiting)
  }

  left(groupId: number, waiting: Waiting): void {
    this.#settled.get(groupId)?.gate.left(waiting)
  }

  async throttled(host: string, reason: string, forMs: number): Promise<void> {
    const there = [...this.#settled.values()].filter((line) => line.host === host)
    await Promise.all(there.map((line) => line.throttled(reason, forMs)))
  }

  async evicted(groupId: number, signal: AbortSignal): Promise<void> {
    if (this.#settled.get(groupId)?.drained) return
    await new Promise<void>((resolve, reject) => {
      const waiting = this.#evictions.get(groupId) ?? new Set()
      this.#evictions.set(groupId, waiting)
      const leave = () => {
        signal.removeEventListener('abort', abort)
        waiting.delete(evict)
        if (waiting.size === 0) this.#evictions.delete(groupId)
      }
      const evict = () => {
        leave()
        resolve()
      }
      const abort = () => {
        leave()
        reject(signal.reason)
      }
      waiting.add(evict)
      if (signal.aborted) abort()
      else signal.addEventListener('abort', abort, { once: true })
    })
  }

  #evict(groupId: number): void {
    for (const evict of [...(this.#evictions.get(groupId) ?? [])]) evict()
  }

  reached(groupId: number): boolean {
    return this.#settled.get(groupId)?.reached ?? false
  }

  async closeBrake(groupId: number, reason: string, kind: BrakeKind = 'quota'): Promise<void> {
    await (await this.#line(groupId)).closeBrake(reason, kind)
  }

  async *followPod(
    place: { cluster: Cluster; namespace: string },
    podName: string,
    signal: AbortSignal,
  ): AsyncGenerator<Pod | 'gone'> {
    const { watch, release } = this.#deps.watches.acquire(place.cluster, place.namespace)
    try {
      yield* followPod(watch, `${place.namespace}/${podName}`, signal)
    } finally {
      await release()
    }
  }

  lastSeen(place: { cluster: Cluster; namespace: string }, podName: string): Pod | undefined {
    return this.#deps.watches.lastSeen(place.cluster, place.namespace, podName)
  }

  /**
   * Brings the lines in step with the groups in the store. One pass at a time, so that what an earlier one read never replaces what a
   * later one read; requests that come meanwhile share the next pass.
   */
  refresh(only?: number[]): Promise<void> {
    this.#due = only && this.#due !== 'all' ? new Set([...(this.#due ?? []), ...only]) : 'all'
    if (!this.#next) {
      const next = this.#pass.then(() => {
        const due = this.#due
        this.#due = undefined
        this.#next = undefined
        return this.#refreshNow(due === 'all' ? undefined : due)
      })
      this.#next = next
      this.#pass = next.catch(() => {})
    }
    return this.#next
  }

  async #refreshNow(only: ReadonlySet<number> | undefined): Promise<void> {
    if (this.#stopping) return
    const wanted = new Set(await containerGroupIds(this.#deps.store.db))
    for (const [groupId, line] of this.#lines) {
      if (wanted.has(groupId)) continue
      this.#lines.delete(groupId)
      this.#settled.delete(groupId)
      await (await line).stop()
    }
    const due = [...wanted].filter((groupId) => !only || only.has(groupId))
    for (let first = 0; first < due.length; first += readAtOnce) {
      await this.#bringInStep(due.slice(first, first + readAtOnce))
    }
  }

  async #bringInStep(groupIds: number[]): Promise<void> {
    // One that is being opened just now may have read its group before what this pass is for; those that are opened from now on have not.
    await Promise.allSettled(groupIds.map((groupId) => this.#lines.get(groupId)))
    const known = groupIds.flatMap((groupId) => this.#settled.get(groupId) ?? [])
    for (const line of known) line.reading()
    const states = await readGroupStates(this.#deps.store.db, groupIds)
    // All at once, before more happens.
    for (const line of known) line.show(states.get(line.groupId))
    const shown = new Set(known)
    for (const groupId of groupIds) {
      const line = await this.#line(groupId)
      if (shown.has(line)) await line.moveTo(await this.#place(states.get(groupId)))
    }
  }

  /** Lines whose start is done, for callers that cannot wait. */
  readonly #settled = new Map<number, GroupLine>()

  #line(groupId: number): Promise<GroupLine> {
    if (this.#stopping) return Promise.reject(new Error('the worker is stopping'))
    let line = this.#lines.get(groupId)
    if (!line) {
      line = this.#open(groupId)
      this.#lines.set(groupId, line)
      line.catch(() => this.#lines.delete(groupId))
    }
    return line
  }

  async #open(groupId: number): Promise<GroupLine> {
    const line = new GroupLine(groupId, this.#deps, () => this.#evict(groupId))
    const state = (await readGroupStates(this.#deps.store.db, [groupId])).get(groupId)
    line.show(state)
    await line.moveTo(await this.#place(state))
    await line.serve(() => this.#replace(groupId))
    this.#settled.set(groupId, line)
    return line
  }

  /** A line that serves no more is opened anew by the next refresh: without one the group's jobs would wait for ever. */
  #replace(groupId: number): void {
    const line = this.#lines.get(groupId)
    this.#lines.delete(groupId)
    this.#settled.delete(groupId)
    line
      ?.then((broken) => broken.stop())
      .catch((error) => this.#log.warn({ groupId, reason: String(error) }, 'could not end a line'))
  }

  /** Where the group's pods go; null while it is misconfigured, which `admit` then tells the job. */
  async #place(state: GroupState | undefined): Promise<GroupPlace | null> {
    if (!state) return null
    return await this.#clusters.placeOf(state).catch((error) => {
      this.#log.debug({ group: state.group.id, reason: String(error) }, 'group has no usable cluster')
      return null
    })
  }

  #refreshQuietly(only?: number[]): void {
    if (this.#stopping) return
    this.refresh(only).catch((error) => this.#log.warn({ reason: String(error) }, 'could not refresh the groups'))
  }
}
