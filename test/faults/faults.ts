/** What is done to a job at a point of its way. */
import type { PartName } from '../setup/mayfly.ts'
import type { Fault as CallFault, WatchFault } from './fault-rules.ts'

/** A fault, by the name that its column has. */
export interface Fault {
  name: string
  /** Processes of Mayfly that are killed (SIGKILL) and started again. */
  kill?: PartName[]
  /** Killed once more as soon as they are there again. */
  twice?: true
  /** Processes that are asked to end (SIGTERM) and started again. */
  end?: PartName[]
  /** A part of the stack that is killed and started again. */
  part?: 'postgres' | 'temporal' | 'kube-apiserver' | 'etcd' | 'kubelet'
  /** Done to the next call about the job's pod. */
  call?: CallFault
  /** Done to the next event of the job's pod in every watch. */
  events?: WatchFault
  /** The clock of the worker is set so much later, in ms, and back when the jobs have ended. */
  clockMs?: number
}

const hour = 3_600_000
const refusals = [403, 409, 410, 422, 429, 500, 503, 504] as const

/** Those that hit a whole process or part: they are done once, to jobs that stand at all points. */
export const shared: Fault[] = [
  { name: 'worker killed', kill: ['worker'] },
  { name: 'API killed', kill: ['api'] },
  { name: 'both killed', kill: ['worker', 'api'] },
  { name: 'both killed twice', kill: ['worker', 'api'], twice: true },
  { name: 'worker ended', end: ['worker'] },
  { name: 'clock +3 h', clockMs: 3 * hour },
  { name: 'clock −3 h', clockMs: -3 * hour },
]

/** Those that hit parts of the stack, which nobody else may use meanwhile. */
export const ofStack: Fault[] = [
  { name: 'PostgreSQL killed', part: 'postgres' },
  { name: 'Temporal killed', part: 'temporal' },
  { name: 'API server killed', part: 'kube-apiserver' },
  { name: 'etcd killed', part: 'etcd' },
  { name: 'kubelet killed', part: 'kubelet' },
]

/** Those that hit one job only. */
export const single: Fault[] = [
  ...refusals.map(
    (status): Fault => ({
      name: String(status),
      call: { kind: 'refuse', status, ...(status === 429 ? { retryAfter: 1 } : {}) },
    }),
  ),
  { name: 'cut before', call: { kind: 'cut-before' } },
  { name: 'cut after', call: { kind: 'cut-answer' } },
  { name: 'cut amid', call: { kind: 'cut-amid', bytes: 300 } },
  { name: 'no answer', call: { kind: 'hang' } },
  { name: 'slow', call: { kind: 'delay', ms: 3_000 } },
  { name: 'watch cut', events: { kind: 'drop' } },
  { name: 'watch twice', events: { kind: 'duplicate' } },
  { name: 'watch late', events: { kind: 'late', ms: 3_000 } },
  { name: 'watch reordered', events: { kind: 'reorder' } },
  { name: 'watch silent', events: { kind: 'hide' } },
  { name: 'watch 410', events: { kind: 'gone' } },
]
