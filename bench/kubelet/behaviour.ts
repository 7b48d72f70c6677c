/** What a simulated pod is going to do, chosen by chance from given shares. */

/** How the pod's life ends if nobody else ends it. */
export type Outcome =
  /** The play succeeds. */
  | 'successful'
  /** The play fails: the runner says so in good order. */
  | 'failed'
  /** The runner is killed half-way, as for memory: its output ends in the middle of a line. */
  | 'killed'
  /** The node evicts the pod half-way. */
  | 'evicted'
  /** The image cannot be pulled. */
  | 'unpullable'

/** All of one pod's life. Milliseconds. */
export interface Behaviour {
  outcome: Outcome
  /** From the moment the node has the pod until its container runs. */
  startMs: number
  /** From the payload until the play's end. */
  runMs: number
  /** How late the node reports what happened; a real one takes 0.35 to 1.5 s. */
  reportMs: number
  /** Share of execs whose connection breaks half-way. */
  cutExecs: number
}

/** Shares and times of all pods of a node. */
export interface BehaviourPlan {
  startMs: number
  runMs: number
  reportMs: number
  /** Times are spread evenly by this share of themselves to either side; default 0.2. */
  spread: number
  /** Share of each outcome from 0 to 1; the rest succeeds. */
  shares: Partial<Record<Exclude<Outcome, 'successful'>, number>>
  cutExecs: number
}

/** A node that is quick, punctual and never fails. */
export const calmPlan: BehaviourPlan = {
  startMs: 200,
  runMs: 1_000,
  reportMs: 700,
  spread: 0.2,
  shares: {},
  cutExecs: 0,
}

/** Chooses for one pod. */
export function choose(plan: BehaviourPlan, random: () => number): Behaviour {
  const around = (ms: number): number => ms * (1 + plan.spread * (2 * random() - 1))
  let draw = random()
  let outcome: Outcome = 'successful'
  for (const [name, share] of Object.entries(plan.shares) as [Outcome, number][]) {
    if (draw >= 0 && draw < share) outcome = name
    draw -= share
  }
  return {
    outcome,
    startMs: around(plan.startMs),
    runMs: around(plan.runMs),
    reportMs: around(plan.reportMs),
    cutExecs: plan.cutExecs,
  }
}
