import { type NativeConnection, Worker } from '@temporalio/worker'
import type { Logger } from 'pino'
import type { GroupPlace } from '../../activities/deps.ts'
import type { JobActivities } from '../../activities/types.ts'
import type { Pod } from '../../kubernetes/objects.ts'
import { isLive, unschedulableMessage, waitsForScheduler } from '../../kubernetes/pod-state.ts'
import { podAnnotations, podLabels } from '../../model/attempt.ts'
import type { BrakeKind } from '../../model/brake.ts'
import type { GroupLimits } from '../../model/capacity.ts'
import { OverrideSyntaxError } from '../../model/pod-template.ts'
import type { PodManifest } from '../../model/pod-template-types.ts'
import type { QuotaRoom } from '../../model/quota-room.ts'
import type { Store } from '../../store/database.ts'
import type { GroupState } from '../../store/groups.ts'
import { groupTaskQueue } from '../../workflows/names.ts'
import { podOfGroup, roomFor } from './allowance.ts'
import { Brake } from './brake.ts'
import { BrakeRecord } from './brake-record.ts'
import { Gate } from './gate.ts'
import { Places } from './places.ts'
import type { UnschedulablePod } from './scheduler-brake.ts'
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

const unlimited: GroupLimits = { maxConcurrentJobs: 0, maxForks: 0, drainingSince: null, drainDeadline: null }
const unknownRoom: QuotaRoom = { fits: Number.POSITIVE_INFINITY, reason: null }
/** No more pods than this wait for the scheduler's first word: a burst must not be in the cluster before it is known whether any node takes the first of it. */
const mostUnbound = 50
/** The longest delay that a timer takes; a drain's deadline may be further away. */
const longestTimerMs = 2 ** 31 - 1

/** One container group as this process serves it: its gate, what the gate looks at, and the Temporal worker behind it. */
export class GroupLine {
  readonly groupId: number
  readonly gate: Gate
  readonly #deps: GroupLineDeps
  /** The deadline of its drain has come. */
  readonly #onDrained: () => void
  readonly #places = new Places()
  readonly #brake = new Brake(() => performance.now())
  #limits = unlimited
  #pod: PodManifest | null = null
  #room = unknownRoom
  #worker: Worker | undefined
  #running: Promise<void> | undefined
  #watch: { watch: NamespaceWatch; release: () => Promise<void>; unsubscribe: () => void; key: string } | undefined
  #place: GroupPlace | null = null
  /** Looks at the brake when it may have changed by time alone. */
  #clock: NodeJS.Timeout | undefined
  #deadline: NodeJS.Timeout | undefined
  readonly #record: BrakeRecord
  #reached = false
  #livePods = 0
  /** Pods that have no node yet, and that nothing but the scheduler keeps from one. */
  #unbound = 0
  #stopped = false

  constructor(groupId: number, deps: GroupLineDeps, onDrained: () => void) {
    this.groupId = groupId
    this.#deps = deps
    this.#onDrained = onDrained
    this.#record = new BrakeRecord(deps, groupId, () => this.#brake.forget())
    this.gate = new Gate({
      limits: () => this.#limits,
      taken: () => this.#places.taken,
      brake: () => this.#brake.closed?.reason ?? null,
      fits: () => Math.min(this.#room.fits, mostUnbound - this.#unbound),
    })
  }

  /** True once the cluster's pods have been listed by this process. */
  get reached(): boolean {
    return this.#reached
  }

  /** Names the API server that its pods go to, for what is true of all groups there; null while the group is misconfigured. */
  get host(): string | null {
    return this.#place?.cluster.host ?? null
  }

  /** The group is drained, and the time that what runs in it was given is over. */
  get drained(): boolean {
    const { drainDeadline } = this.#limits
    return drainDeadline !== null && Date.parse(drainDeadline) <= Date.now()
  }

  /** A place was taken; it counts although the watch has not shown its pod yet. */
  claimed(podName: string, impact: number): void {
    this.#places.claimed(podName, impact)
  }

  /** A claim got no pod: its place is free, and why it got none still holds. */
  unclaimed(podName: string): void {
    this.#places.released(podName)
    this.gate.reconsider()
  }

  /** As `released`, told by the store; without effect where that is known already. */
  givenBack(podName: string): void {
    if (this.#places.released(podName)) this.#roomMade()
  }

  /** A pod is gone. */
  released(podName: string): void {
    this.#places.released(podName)
    this.#roomMade()
  }

  /** The group is about to be read in the store: what happens from now on, that may not show. */
  reading(): void {
    this.#places.reading()
  }

  /** The group as it was read in the store; undefined when it is gone. `moveTo` is to follow, and lets the gate decide anew. */
  show(state: GroupState | undefined): void {
    this.#limits = state?.group ?? unlimited
    this.#places.showClaims(state?.claims ?? [])
    this.#watchDeadline()
  }

  /** Follows the pods where they are now; null while the group is misconfigured. */
  async moveTo(place: GroupPlace | null): Promise<void> {
    this.#pod = place && templateOf(place)
    await this.#follow(place)
    this.#lookAtAllowance()
    this.#brakeMoved()
  }

  /** Starts polling the group's queue; the gate decides when. `onBroken`: it polls no more, although nobody stopped it. */
  async serve(onBroken: () => void): Promise<void> {
    this.#record.inherit()
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

  /** The cluster refused a pod; resolves when that is on record for whoever asks why a job waits. */
  async closeBrake(reason: string, kind: BrakeKind): Promise<void> {
    this.#brake.refused(kind, reason)
    this.#brakeMoved()
    await this.#record.settled()
  }

  /** The API server sheds load and asked to be left alone for so long. */
  async throttled(reason: string, forMs: number): Promise<void> {
    this.#brake.throttled(reason, forMs)
    this.#brakeMoved()
    await this.#record.settled()
  }

  async stop(): Promise<void> {
    this.#stopped = true
    clearTimeout(this.#clock)
    clearTimeout(this.#deadline)
    if (this.#worker?.getState() === 'RUNNING') this.#worker.shutdown()
    await this.#running
    await this.#unfollow()
    await this.#record.stop()
  }

  /** Something happened that may be the room the brake waits for. */
  #roomMade(): void {
    this.#brake.roomMade()
    this.#brakeMoved()
  }

  /** Keeps the record of the brake in step with it, and looks again when it may change by itself. */
  #brakeMoved(): void {
    clearTimeout(this.#clock)
    if (this.#stopped) return
    const { closed, nextAt } = this.#brake
    if (nextAt !== null) {
      this.#clock = setTimeout(() => this.#brakeMoved(), Math.max(0, nextAt - performance.now()) + 1)
    }
    this.#record.show(closed)
    this.gate.reconsider()
  }

  async #follow(place: GroupPlace | null): Promise<void> {
    this.#place = place
    const key = place ? `${place.cluster.connectionKey} ${place.namespace}` : ''
    if (this.#watch?.key === key) return
    await this.#unfollow()
    // Another cluster perhaps, which nobody has heard of yet.
    this.#reached = false
    if (!place) return
    const { watch, release } = this.#deps.watches.acquire(place.cluster, place.namespace)
    const unsubscribe = watch.subscribe((event) => {
      if (event === 'allowance') {
        this.#lookAtAllowance()
        this.#roomMade()
      } else if (event.type === 'synced' || isOfGroup(event.object, this.groupId)) this.#lookAtPods()
    })
    this.#watch = { watch, release, unsubscribe, key }
    this.#lookAtPods()
  }

  #lookAtPods(): void {
    if (!this.#watch) return
    const { watch } = this.#watch
    this.#reached ||= watch.pods.synced
    const live = new Map<string, number>()
    const unschedulable: UnschedulablePod[] = []
    let unbound = 0
    for (const pod of watch.podsOf(this.groupId)) {
      // One that is being deleted counts until it is gone.
      if (!isLive(pod)) continue
      const { name, annotations, deletionTimestamp } = pod.metadata
      if (waitsForScheduler(pod)) unbound++
      live.set(name, Number(annotations?.[podAnnotations.forks] ?? 1) || 1)
      const message = deletionTimestamp ? null : unschedulableMessage(pod)
      if (message !== null) unschedulable.push({ name, message })
    }
    this.#places.showPods(live)
    this.#brake.showUnschedulable(unschedulable)
    // A pod that ended may be the room that a refused one lacked.
    if (live.size < this.#livePods) this.#brake.roomMade()
    this.#livePods = live.size
    this.#unbound = unbound
    this.#brakeMoved()
  }

  #lookAtAllowance(): void {
    const known = this.#pod && this.#watch ? roomFor(this.#pod, this.#watch.watch.allowance) : unknownRoom
    this.#room = known
    this.#brake.showQuota(known.reason)
  }

  #watchDeadline(): void {
    clearTimeout(this.#deadline)
    const { drainDeadline } = this.#limits
    if (drainDeadline === null || this.#stopped) return
    if (this.drained) {
      this.#onDrained()
      return
    }
    const leftMs = Date.parse(drainDeadline) - Date.now()
    this.#deadline = setTimeout(() => this.#watchDeadline(), Math.min(leftMs + 1, longestTimerMs))
  }

  async #unfollow(): Promise<void> {
    this.#watch?.unsubscribe()
    await this.#watch?.release()
    this.#watch = undefined
    this.#livePods = 0
    this.#unbound = 0
    this.#places.showPods(new Map())
    this.#brake.showUnschedulable([])
    this.#room = unknownRoom
    this.#brake.showQuota(null)
  }
}

function isOfGroup({ metadata }: Pod, groupId: number): boolean {
  return metadata.labels?.[podLabels.group] === String(groupId)
}

/** Null for an override that does not parse, which `admit` tells the job. */
function templateOf({ podSpecOverride }: GroupPlace): PodManifest | null {
  try {
    return podOfGroup(podSpecOverride)
  } catch (error) {
    if (error instanceof OverrideSyntaxError) return null
    throw error
  }
}
