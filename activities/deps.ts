import type { Logger } from 'pino'
import type { Cluster } from '../kubernetes/cluster.ts'
import type { Pod } from '../kubernetes/objects.ts'
import type { BrakeKind } from '../model/brake.ts'
import type { Store } from '../store/database.ts'
import type { GroupDocument } from '../store/groups.ts'
import type { Keyring } from '../store/secrets.ts'
import type { TypedCredential } from '../store/typed-credential.ts'

/** Settings that activities need; durations in seconds. See cli/settings.ts for where they come from. */
export interface ActivitySettings {
  installUuid: string
  nodeName: string
  publicUrl: string
  dataFolder: string
  projectsRoot: string
  defaultNamespace: string
  podPendingSeconds: number
  /** How long a pod that no node can ever take is waited for. */
  noNodeSeconds: number
  podDeadlineSeconds: number
  endpointPatienceSeconds: number
  orphanGraceSeconds: number
  /** Pods that the reaper deletes in a second at most, for each cluster. */
  reaperDeletesPerSecond: number
  /** How long one try to deliver a notification may take. */
  notificationSeconds: number
  /** Inventory updates run in pods of their groups, also where their source names no execution environment. */
  inventoryUpdatesInGroup: boolean
  /** argv of `ansible-galaxy` on this machine; null when there is none, and projects with requirements say so. */
  ansibleGalaxy: { command: string[]; env: Record<string, string> } | null
}

/** Where a group's pods go. */
export interface GroupPlace {
  groupId: number
  groupName: string
  cluster: Cluster
  namespace: string
  /** The group's delta to the pod template, as stored. */
  podSpecOverride: string
  credentialId: number | null
}

/** Clusters by group and by attempt; keeps one connection per endpoint and identity. */
export interface Clusters {
  /** Throws GroupMisconfiguredError when the group has lost its credential or its override does not parse. */
  forGroup(groupId: number): Promise<GroupPlace>
  /** As forGroup, for a group that was read just now. */
  placeOf(document: GroupDocument): Promise<GroupPlace>
  /**
   * The cluster that an attempt's pod was made in, even when the group was edited since; null when it can no longer be reached by anyone. `credential`:
   * the attempt's, where it was read just now.
   */
  forAttempt(
    attempt: {
      instanceGroupId: number | null
      credentialId: number | null
      clusterKey: string
    },
    credential?: TypedCredential | null,
  ): Promise<Cluster | null>
  /** The cluster of a credential. Throws GroupMisconfiguredError when it is gone, and ConfigurationError when it cannot be used. */
  forCredential(credentialId: number): Promise<Cluster>
  /** Every cluster that may hold pods of ours, once each, with the namespaces that groups name there. */
  all(): Promise<{ name: string; cluster: Cluster; namespaces: ReadonlySet<string> }[]>
}

/** The gates as `admit` and `runInPod` see them; worker/ implements them over watches. */
export interface Gates {
  /** Makes this process serve the group's queue, at once. */
  ensure(groupId: number): Promise<void>
  /** A place was taken; it counts although the watch has not shown its pod yet. */
  claimed(groupId: number, podName: string, impact: number): void
  /** A claim was given back that got no pod. */
  unclaimed(groupId: number, podName: string): void
  /** A pod is gone, and its place free. */
  released(groupId: number, podName: string): void
  /** Resolves as soon as no refusal by the cluster is fresh; rejects with the signal's reason. */
  unbraked(groupId: number, signal: AbortSignal): Promise<void>
  /**
   * Resolves when something changed since a refusal and there may be room for a job that counts for `impact` forks and was let in at `since`
   * (ms on the process's clock); rejects with the signal's reason. Its share is kept for it from then on until it has `left`: to be called with
   * the same object each time.
   */
  room(groupId: number, signal: AbortSignal, waiting: { impact: number; since: number }): Promise<void>
  /** Whether this process has ever heard of the group's cluster: one that was there before is waited for, one that never was is not. */
  reached(groupId: number): boolean
  /** The cluster has no room: admits nobody until the watch shows that something changed. */
  closeBrake(groupId: number, reason: string, kind?: BrakeKind): Promise<void>
  /** A job that waited for room has its place, or wants none any more. */
  left(groupId: number, waiting: { impact: number; since: number }): void
  /** The API server sheds load: no group on it admits anybody for so long. */
  throttled(host: string, reason: string, forMs: number): Promise<void>
  /** Resolves when the group is drained and the time that its running jobs were given is over; rejects with the signal's reason. */
  evicted(groupId: number, signal: AbortSignal): Promise<void>
  /** The pod as the watch shows it, and every change after that, until the signal aborts. */
  followPod(
    place: { cluster: Cluster; namespace: string },
    podName: string,
    signal: AbortSignal,
  ): AsyncIterable<Pod | 'gone'>
  /** The pod as the watch showed it last, also when it is gone since a moment; undefined when it was not seen, or too long ago. */
  lastSeen(place: { cluster: Cluster; namespace: string }, podName: string): Pod | undefined
}

/** Wishes to cancel jobs, as they are written on the jobs' rows. */
export interface CancelNews {
  /** Calls `heard` whenever one comes for this job, until the returned function is called. */
  follow(jobId: number, heard: () => void): () => void
}

/** A run of a job's workflow that is at work. */
export interface CurrentRun {
  runId: string
  /** How long it has stood in the queue of a group while nobody works for it: it touches no attempt before it is let in. Null: it does not. */
  inQueueMs: number | null
}

/** A run that owns a job or an attempt; null where none did yet, so that any run that is at work will do. */
export interface Owner {
  jobId: number
  runId: string | null
}

/** What activities ask Temporal. */
export interface Workflows {
  /** The run that is at work; null when there is none: closed, terminated, or forgotten. Exact. `groupId`: of the queues of groups only this one's counts. */
  current(jobId: number, groupId?: number | null): Promise<CurrentRun | null>
  /** Those of the owners that are not at work any more, each with the run that is, if any. Exact as well. */
  gone(owners: readonly Owner[]): Promise<{ owner: Owner; current: CurrentRun | null }[]>
}

/** The group cannot be used until somebody changes it: names what and the remedy. */
export class GroupMisconfiguredError extends Error {
  override name = 'GroupMisconfiguredError'
}

/** What every activity is made over. */
export interface ActivityDeps {
  store: Store
  keyring: Keyring
  clusters: Clusters
  gates: Gates
  cancels: CancelNews
  workflows: Workflows
  settings: ActivitySettings
  log: Logger
}
