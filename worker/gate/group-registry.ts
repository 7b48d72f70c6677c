import type { Logger } from 'pino'
import type { Clusters, Gates } from '../../activities/deps.ts'
import type { Cluster } from '../../kubernetes/cluster.ts'
import type { Pod } from '../../kubernetes/objects.ts'
import { channels } from '../../store/channel.ts'
import { containerGroupIds } from '../../store/groups.ts'
import { GroupLine, type GroupLineDeps } from './group-line.ts'
import { followPod } from './watches.ts'

/** How often everything is read anew even if nothing was notified. */
const refreshMs = 30_000

/** All container groups as this process serves them: makes, refreshes and stops their lines as groups come, change and go. */
export class GroupRegistry implements Gates {
  readonly #deps: GroupLineDeps
  readonly #clusters: Clusters
  readonly #log: Logger
  readonly #lines = new Map<number, Promise<GroupLine>>()
  #unlisten: (() => Promise<void>) | undefined
  #timer: NodeJS.Timeout | undefined
  #stopping = false

  constructor(deps: GroupLineDeps, clusters: Clusters) {
    this.#deps = deps
    this.#clusters = clusters
    this.#log = deps.log
  }

  async start(): Promise<void> {
    this.#unlisten = await this.#deps.store.listen(channels.groups, (payload) => {
      this.#refreshQuietly(payload ? [Number(payload)] : undefined)
    })
    await this.refresh()
    this.#timer = setInterval(() => this.#refreshQuietly(), refreshMs)
  }

  async stop(): Promise<void> {
    this.#stopping = true
    clearInterval(this.#timer)
    await this.#unlisten?.()
    const lines = await Promise.all(this.#lines.values())
    await Promise.all(lines.map((line) => line.stop()))
    await this.#deps.watches.stop()
  }

  async ensure(groupId: number): Promise<void> {
    await this.#line(groupId)
  }

  claimed(groupId: number, podName: string): void {
    this.#withLine(groupId, (line) => line.places.claimed(podName))
  }

  released(groupId: number, podName: string): void {
    this.#withLine(groupId, (line) => {
      line.places.released(podName)
      line.gate.reconsider()
    })
  }

  reached(groupId: number): boolean {
    return this.#settled.get(groupId)?.reached ?? false
  }

  async closeBrake(groupId: number, reason: string): Promise<void> {
    await (await this.#line(groupId)).closeBrake(reason)
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

  /** Brings the lines in step with the groups in the store. */
  async refresh(only?: number[]): Promise<void> {
    const wanted = new Set(await containerGroupIds(this.#deps.store.db))
    for (const [groupId, line] of this.#lines) {
      if (wanted.has(groupId)) continue
      this.#lines.delete(groupId)
      this.#settled.delete(groupId)
      await (await line).stop()
    }
    for (const groupId of wanted) {
      if (only && !only.includes(groupId)) continue
      const line = await this.#line(groupId)
      await line.refresh(await this.#place(groupId))
    }
  }

  /** Lines whose start is done, for callers that cannot wait. */
  readonly #settled = new Map<number, GroupLine>()

  #withLine(groupId: number, act: (line: GroupLine) => void): void {
    const line = this.#settled.get(groupId)
    if (line) act(line)
  }

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
    const line = new GroupLine(groupId, this.#deps)
    await line.refresh(await this.#place(groupId))
    await line.serve()
    this.#settled.set(groupId, line)
    return line
  }

  /** Where the group's pods go; null while it is misconfigured, which `admit` then tells the job. */
  #place(groupId: number) {
    return this.#clusters.forGroup(groupId).catch((error) => {
      this.#log.debug({ group: groupId, reason: String(error) }, 'group has no usable cluster')
      return null
    })
  }

  #refreshQuietly(only?: number[]): void {
    if (this.#stopping) return
    this.refresh(only).catch((error) => this.#log.warn({ reason: String(error) }, 'could not refresh the groups'))
  }
}
