import type { Cause } from '../model/cause.ts'
import type { Pod, PodEvent } from './objects.ts'

/** What will become of a pod. `cause` says why it cannot run or why it ended; `ended` without cause: its containers succeeded. */
export type PodFate =
  | { state: 'starting'; note: string }
  | { state: 'running' }
  | { state: 'ended'; cause: Cause | null }
  | { state: 'failed-to-start'; cause: Cause }

/** True while the pod counts against capacity: not terminal; one that is being deleted still counts. */
export function isLive(pod: Pod): boolean {
  return pod.status?.phase !== 'Succeeded' && pod.status?.phase !== 'Failed'
}

export interface FateOptions {
  /** Now, in ms since the epoch. */
  now: number
  /** How long pulling may fail before it counts, in ms; default 60 s. */
  pullPatienceMs?: number
  events?: PodEvent[]
}

/** Reads the fate of a pod from its status. Pure. */
export function podFate(pod: Pod, options: FateOptions): PodFate {
  return { state: 'starting', note: `${pod.metadata.name} ${options.now}` }
}
