/** The steps of a job, from its launch to the end of its workflow, at which faults are done to it. */
import type { CallMatch, ExecMoment } from './fault-rules.ts'
import type { Write } from './store-holds.ts'

/**
 * What the job of a point is: a plain one; one whose project is updated first; one that never ends and is cancelled; one that Ansible plays on a
 * real node; one that fills its group, each kind a group of its own; one that fills its namespace's quota.
 */
export type PointKind = 'plain' | 'dependent' | 'cancelled' | 'played' | 'fills group' | 'fills another' | 'fills quota'

/** A step, and how Mayfly is held there. */
export interface Point {
  name: string
  kind?: PointKind
  /** Held when it is about to write this. */
  write?: Write
  /** Name of the hold for `write`, if it is that of another point. */
  holds?: string
  /** Held when it makes this call, before it is passed on or once it has been answered; an exec at any of its moments. */
  call?: { match: CallMatch; when: 'before' | ExecMoment }
  /** Only whose connection was lost before comes there: it is cut at this moment. */
  lost?: ExecMoment
  /** Held by the git server of the project. */
  git?: true
  /**
   * Not held, but seen at once: a query that gives a row when the step has come; $1 is the job. With `write` the job is held there until everybody
   * else is where they should be.
   */
  seen?: string
}

const attempt = (when: string): Write => ({ operation: 'UPDATE', table: 'attempts', when, column: 'job_id' })
const job = (when: string): Write => ({ operation: 'UPDATE', table: 'unified_jobs', when, column: 'id' })
const output = (when: string): Write => ({ operation: 'INSERT', table: 'job_events', when, column: 'job_id' })
const message = (operation: Write['operation'], when: string): Write => ({
  ...{ operation, table: 'outbox', column: 'subject_id' },
  when,
})
const exec = (script: NonNullable<CallMatch['script']>): CallMatch => ({ verb: 'exec', script })

/** In the order in which a job comes to them. */
export const points: Point[] = [
  { name: 'launch committed', seen: `SELECT FROM unified_jobs WHERE id = $1` },
  { name: 'message claimed', write: message('UPDATE', `NEW.kind = 'start' AND NEW.tries > OLD.tries`) },
  { name: 'workflow started, message there', write: message('DELETE', `OLD.kind = 'start'`) },
  { name: 'job taken by its run', write: job('OLD.run_id IS NULL AND NEW.run_id IS NOT NULL') },
  { name: 'prepared', write: job(`OLD.controller_node = '' AND NEW.controller_node <> '' AND NEW.status = 'pending'`) },
  {
    name: 'dependency being made',
    kind: 'dependent',
    write: job(`NEW.job_explanation LIKE '%project_update%' AND OLD.job_explanation NOT LIKE '%project_update%'`),
  },
  { name: 'dependency at work', kind: 'dependent', git: true },
  { name: 'place claimed', write: { ...attempt('true'), operation: 'INSERT' } },
  { name: 'place of the pod written', write: attempt(`NEW.pod_name <> '' AND OLD.pod_name = ''`) },
  { name: 'pod asked for', call: { match: { verb: 'create', resource: 'pods' }, when: 'before' } },
  { name: 'pod made, not answered', call: { match: { verb: 'create', resource: 'pods' }, when: 'answered' } },
  { name: 'pod made, not written', write: attempt(`NEW.phase = 'created' AND OLD.phase = 'claimed'`) },
  { name: 'job said to wait for its pod', write: job(`NEW.status = 'waiting' AND OLD.status = 'pending'`) },
  { name: 'pod starting, payload offered', call: { match: exec('session'), when: 'before' } },
  { name: 'payload committed, not answered', call: { match: exec('session'), when: 'delivered' } },
  { name: 'delivery written', write: attempt(`NEW.phase = 'delivered' AND OLD.phase = 'created'`) },
  { name: 'job said to run', write: job(`NEW.status = 'running' AND OLD.status <> 'running'`) },
  { name: 'output comes, not heard', call: { match: exec('session'), when: 'output' } },
  { name: 'output asked for again', lost: 'output', call: { match: exec('read'), when: 'before' } },
  { name: 'first output written', write: attempt(`NEW."offset" > 0 AND OLD."offset" = 0`) },
  { name: 'amid the output', write: output('NEW.counter = 3') },
  { name: 'output read to its end', write: output(`NEW.stdout LIKE '%the end%' OR NEW.stdout LIKE '%PLAY RECAP%'`) },
  { name: 'cancel asked for', kind: 'cancelled', write: job('NEW.cancel_flag AND NOT OLD.cancel_flag') },
  { name: 'cancel told to the runner', kind: 'cancelled', call: { match: exec('signal'), when: 'before' } },
  { name: 'verdict written', write: attempt(`NEW.phase = 'ended' AND OLD.phase = 'delivered'`) },
  { name: 'final status written', write: job(`NEW.status = 'successful'`) },
  { name: 'verdict stored, pod let go', call: { match: exec('session'), when: 'stored' } },
  { name: 'pod let go, not answered', call: { match: exec('session'), when: 'acknowledged' } },
  { name: 'pod let go again', lost: 'stored', call: { match: exec('acknowledge'), when: 'before' } },
  { name: 'deletion asked for', call: { match: { verb: 'delete', resource: 'pods' }, when: 'before' } },
  { name: 'deletion taken, not answered', call: { match: { verb: 'delete', resource: 'pods' }, when: 'answered' } },
  { name: 'pod gone, not written', write: attempt(`NEW.phase = 'released' AND OLD.phase <> 'released'`) },
  {
    name: 'place given back',
    write: attempt(`NEW.phase = 'released' AND OLD.phase <> 'released'`),
    seen: `SELECT FROM attempts WHERE job_id = $1 AND released_at IS NOT NULL`,
  },
]

const played = [
  'place of the pod written',
  'pod made, not written',
  'delivery written',
  'first output written',
  'verdict written',
  'pod gone, not written',
]
const filling: [string, PointKind][] = [
  ['place of the pod written', 'fills group'],
  ['pod made, not written', 'fills another'],
  // Nobody is let in who could go on with this pod: it is deleted unused, and the job gets another one.
  ['pod made, not written', 'fills quota'],
]

/** Some of them with jobs of other kinds; only the short form has these. */
export const furtherPoints: Point[] = [
  ...played.map((name): [string, PointKind] => [name, 'played']),
  ...filling,
].flatMap(([name, kind]) =>
  points
    .filter((point) => point.name === name)
    .map((point) => ({ ...point, name: `${name}: ${kind}`, kind, holds: name })),
)
