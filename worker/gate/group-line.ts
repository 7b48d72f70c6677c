import { type NativeConnection, Worker } from '@temporalio/worker'
import type { Logger } from 'pino'
import type { GroupPlace } from '../../activities/deps.ts'
import type { JobActivities } from '../../activities/types.ts'
import { isLive } from '../../kubernetes/pod-state.ts'
import { podLabels, podName } from '../../model/attempt.ts'
import type { BrakeKind } from '../../model/brake.ts'
import { liveAttempts } from '../../store/attempts.ts'
import type { Store } from '../../store/database.ts'
import { clearBrake, recordBrake } from '../../store/groups.ts'
import { readGroup } from '../../store/run-document.ts'
import { groupTaskQueue } from '../../workflows/names.ts'
import { Gate } from './gate.ts'
import { Places } from './places.ts'
import type { NamespaceWatch, Watches } from './watches.ts'

/** What the line of a group works with. */
export interface GroupLineDeps {
  store: Store
  connection: NativeConnection
  namespace: string
  admit: JobActivities['admit']
  watches: Watches
  log: Logger
}

/** A closed brake lets one job try after this long even if no watch told of a change: rights to watch quotas may be missing. */
const firstProbeMs = 1_000
const lastProbeMs = 5_000
/** A refusal so soon after a change that the watch told may be older than the change, or by an API server that has not heard of it: then one tries again soon. */
const staleMs = 1_500
const soonMs = 300
/** A brake that was opened stays on record this long, so that a try which is refused again does not change what waiting jobs say. */
const forgetMs = 2_000
/** By then the jobs that a dead worker had let in are tried again (the heartbeat time-out of `admit`). */
const inheritedMs = 15_000

/** One container group as this process serves it: its gate, what the gate looks at, and the Temporal worker behind it. */
export class GroupLine {
  readonly groupId: number
  readonly gate: Gate
  readonly #deps: GroupLineDeps
  readonly #places = new Places()
  #limit = 0
  #worker: Worker | undefined
  #running: Promise<void> | undefined
  #watch: { watch: NamespaceWatch; release: () => Promise<void>; unsubscribe: () => void; key: string } | undefined
  #probe: NodeJS.Timeout | undefined
  #probeMs = firstProbeMs
  /** When something last happened that may have made room, on performance.now(). */
  #hintAt = Number.NEGATIVE_INFINITY
  #forget: NodeJS.Timeout | undefined
  #reached = false
  #livePods = 0

  constructor(groupId: number, deps: GroupLineDeps) {
    this.groupId = groupId
    this.#deps = deps
    this.gate = new Gate({ limit: () => this.#limit, live: () => this.#places.taken })
  }

  /** True once the cluster's pods have been listed by this process. */
  get reached(): boolean {
    return this.#reached
  }

  /** A place was taken; it counts although the watch has not shown its pod yet. */
  claimed(podName: string): void {
    this.#places.claimed(podName)
  }

  /** A claim got no pod: its place is free, and why it got none still holds. */
  unclaimed(podName: string): void {
    this.#places.released(podName)
    this.gate.reconsider()
  }

  /** A pod is gone. */
  released(podName: string): void {
    this.#places.released(podName)
    this.#roomMade()
    this.gate.reconsider()
  }

  /** Reads the group anew: its limit, its claims and where its pods are. `place` is null while the group is misconfigured. */
  async refresh(place: GroupPlace | null): Promise<void> {
    const { store } = this.#deps
    const [document, attempts] = await Promise.all([
      readGroup(store.db, this.groupId),
      liveAttempts(store.db, this.groupId),
    ])
    this.#limit = document?.group.maxConcurrentJobs ?? 0
    this.#places.showClaims(attempts.map(({ jobId, number }) => podName(jobId, number)))
    await this.#follow(place)
    this.gate.reconsider()
  }

  /** Starts polling the group's queue; the gate decides when. `onBroken`: it polls no more, although nobody stopped it. */
  async serve(onBroken: () => void): Promise<void> {
    // What is on record comes from a process that ended while its brake was closed; it holds until somebody has tried again.
    this.#forget = setTimeout(() => this.#forgetBrake(), inheritedMs)
    const fixed = { type: 'fixed-size', numSlots: 1 } as const
    this.#worker = await Worker.create({
      connection: this.#deps.connection,
      namespace: this.#deps.namespace,
      taskQueue: groupTaskQueue(this.groupId),
      activities: { admit: this.#deps.admit },
      // One poller: it keeps permits few, and one is plenty for the rate at which pods can be made.
      activityTaskPollerBehavior: { type: 'simple-maximum', maximum: 1 },
      tuner: {
        activityTaskSlotSupplier: this.gate,
        workflowTaskSlotSupplier: fixed,
        localActivityTaskSlotSupplier: fixed,
        nexusTaskSlotSupplier: fixed,
      },
      maxHeartbeatThrottleInterval: '1 second',
      defaultHeartbeatThrottleInterval: '1 second',
      shutdownForceTime: '10 seconds',
    })
    this.#running = this.#worker.run().catch((error) => {
      this.#deps.log.error({ group: this.groupId, reason: String(error) }, 'the worker of a group stopped')
      onBroken()
    })
  }

  async closeBrake(reason: string, kind: BrakeKind): Promise<void> {
    this.gate.closeBrake(reason)
    clearTimeout(this.#forget)
    this.#forget = undefined
    clearTimeout(this.#probe)
    const stale = this.#hintAt > performance.now() - staleMs
    this.#probe = setTimeout(() => this.#openBrake(), stale ? soonMs : this.#probeMs)
    if (!stale) this.#probeMs = Math.min(this.#probeMs * 2, lastProbeMs)
    await recordBrake(this.#deps.store.db, this.groupId, reason, kind)
  }

  async stop(): Promise<void> {
    clearTimeout(this.#probe)
    if (this.#worker?.getState() === 'RUNNING') this.#worker.shutdown()
    await this.#running
    await this.#unfollow()
    if (!this.#forget) return
    clearTimeout(this.#forget)
    await this.#forgetBrake()
  }

  /** Something happened that may be the room the brake waits for. */
  #roomMade(): void {
    this.#hintAt = performance.now()
    this.#openBrake()
  }

  #openBrake(): void {
    clearTimeout(this.#probe)
    if (this.gate.brake === undefined) return
    this.#forget = setTimeout(() => this.#forgetBrake(), forgetMs)
    this.gate.openBrake()
  }

  async #forgetBrake(): Promise<void> {
    this.#forget = undefined
    this.#probeMs = firstProbeMs
    await clearBrake(this.#deps.store.db, this.groupId).catch((error) =>
      this.#deps.log.warn({ group: this.groupId, reason: String(error) }, 'could not clear the brake on record'),
    )
  }

  async #follow(place: GroupPlace | null): Promise<void> {
    const key = place ? `${place.cluster.connectionKey} ${place.namespace}` : ''
    if (this.#watch?.key === key) return
    await this.#unfollow()
    // Another cluster perhaps, which nobody has heard of yet.
    this.#reached = false
    if (!place) return
    const { watch, release } = this.#deps.watches.acquire(place.cluster, place.namespace)
    const look = () => {
      this.#reached ||= watch.pods.synced
      const live = new Set<string>()
      for (const pod of watch.pods.objects.values()) {
        if (pod.metadata.labels?.[podLabels.group] === String(this.groupId) && isLive(pod)) live.add(pod.metadata.name)
      }
      // A pod that ended may be the room that the brake waits for; a quota that changed says so itself.
      if (live.size < this.#livePods) this.#roomMade()
      this.#livePods = live.size
      this.#places.showPods(live)
      this.gate.reconsider()
    }
    const unsubscribe = watch.subscribe((event) => {
      if (event === 'quota') this.#roomMade()
      look()
    })
    this.#watch = { watch, release, unsubscribe, key }
    look()
  }

  async #unfollow(): Promise<void> {
    this.#watch?.unsubscribe()
    await this.#watch?.release()
    this.#watch = undefined
    this.#livePods = 0
    this.#places.showPods(new Set())
  }
}
