import { type NativeConnection, Worker } from '@temporalio/worker'
import type { Logger } from 'pino'
import type { GroupPlace } from '../../activities/deps.ts'
import type { JobActivities } from '../../activities/types.ts'
import { isLive } from '../../kubernetes/pod-state.ts'
import { podLabels } from '../../model/attempt.ts'
import { liveAttempts } from '../../store/attempts.ts'
import type { Store } from '../../store/database.ts'
import { clearBrake, recordBrake } from '../../store/groups.ts'
import { readGroup } from '../../store/run-document.ts'
import { groupTaskQueue } from '../../workflows/names.ts'
import { Gate } from './gate.ts'
import { Places } from './places.ts'
import type { NamespaceWatch, Watches } from './watches.ts'

export interface GroupLineDeps {
  store: Store
  connection: NativeConnection
  namespace: string
  admit: JobActivities['admit']
  watches: Watches
  log: Logger
}

/** A closed brake lets one job try after this long even if no watch told of a change: rights to watch quotas may be missing. */
const probeMs = 5_000

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
  #reached = false

  constructor(groupId: number, deps: GroupLineDeps) {
    this.groupId = groupId
    this.#deps = deps
    this.gate = new Gate({ limit: () => this.#limit, live: () => this.#places.taken })
  }

  /** True once the cluster's pods have been listed by this process. */
  get reached(): boolean {
    return this.#reached
  }

  get places(): Places {
    return this.#places
  }

  /** Reads the group anew: its limit, its claims and where its pods are. `place` is null while the group is misconfigured. */
  async refresh(place: GroupPlace | null): Promise<void> {
    const { store } = this.#deps
    const [document, attempts] = await Promise.all([
      readGroup(store.db, this.groupId),
      liveAttempts(store.db, this.groupId),
    ])
    this.#limit = document?.group.maxConcurrentJobs ?? 0
    this.#places.showClaims(attempts.map((attempt) => attempt.podName))
    await this.#follow(place)
    this.gate.reconsider()
  }

  /** Starts polling the group's queue; the gate decides when. */
  async serve(): Promise<void> {
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
    })
  }

  async closeBrake(reason: string): Promise<void> {
    this.gate.closeBrake(reason)
    await recordBrake(this.#deps.store.db, this.groupId, reason)
    clearTimeout(this.#probe)
    this.#probe = setTimeout(() => this.#openBrake(), probeMs)
  }

  async stop(): Promise<void> {
    clearTimeout(this.#probe)
    if (this.#worker?.getState() === 'RUNNING') this.#worker.shutdown()
    await this.#running
    await this.#unfollow()
  }

  #openBrake(): void {
    clearTimeout(this.#probe)
    if (this.gate.brake === undefined) return
    this.gate.openBrake()
    clearBrake(this.#deps.store.db, this.groupId).catch((error) =>
      this.#deps.log.warn({ group: this.groupId, reason: String(error) }, 'could not clear the brake on record'),
    )
  }

  async #follow(place: GroupPlace | null): Promise<void> {
    const key = place ? `${place.cluster.connectionKey} ${place.namespace}` : ''
    if (this.#watch?.key === key) return
    await this.#unfollow()
    if (!place) return
    const { watch, release } = this.#deps.watches.acquire(place.cluster, place.namespace)
    const look = () => {
      this.#reached ||= watch.pods.synced
      const live = new Set<string>()
      for (const pod of watch.pods.objects.values()) {
        if (pod.metadata.labels?.[podLabels.group] === String(this.groupId) && isLive(pod)) live.add(pod.metadata.name)
      }
      const before = this.#places.taken
      this.#places.showPods(live)
      // Less taken means that a pod ended; a quota that changed says so itself. Either may be the room that the brake waits for.
      if (this.#places.taken < before) this.#openBrake()
      this.gate.reconsider()
    }
    const unsubscribe = watch.subscribe((event) => {
      if (event === 'quota') this.#openBrake()
      look()
    })
    this.#watch = { watch, release, unsubscribe, key }
    look()
  }

  async #unfollow(): Promise<void> {
    this.#watch?.unsubscribe()
    await this.#watch?.release()
    this.#watch = undefined
  }
}
