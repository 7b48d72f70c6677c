import {
  ActivityFailure,
  CancellationScope,
  condition,
  defineSignal,
  isCancellation,
  patched,
  setHandler,
  sleep,
  TimeoutFailure,
} from '@temporalio/workflow'
import type { Admission, PreparedJob } from '../activities/types.ts'
import { admitOn, resumeAdmission } from './activities.ts'
import { signals } from './names.ts'
import { failedAs } from './verdict.ts'

/** How long a group is asked alone before the next one in the job's order is asked too. */
const preference = '2 seconds'

/** Whether the job waits with its own priority, or goes before all others. */
type Turn = 'own' | 'first'

/**
 * Waits in all groups at once, preferred first, until one of them has made the pod; the others are asked no more. That no two of them do is
 * what the claim in the store sees to. A group that is full or away goes on being asked by the retries of
 * its activity, which cost no history; one that can never run the job is asked no more. When none may take it any more `admit` ends the job, with the reasons of all. A job that is to go to the head of the line leaves its lines and joins them again with the first priority, and so
 * does one whose admission was left half-done, once that cannot be taken up where it was left; only the signals
 * change what is asked of Temporal, so histories without them replay as they did.
 */
export async function admitToOneOf(jobId: number, groups: PreparedJob['groups']): Promise<Admission> {
  if (groups.length === 0) throw new Error('prepare returned no group')
  let raised = false
  let abandoned = false
  setHandler(defineSignal(signals.raise), () => {
    raised = true
  })
  setHandler(defineSignal(signals.resumeAdmission), () => {
    // A release that did not know the signal did nothing about it; the question may go when none of its jobs waits any more.
    if (patched('resume-admission')) abandoned = true
  })
  let lines = new Lines(jobId, groups, raised ? 'first' : 'own')
  let canRise = true
  for (;;) {
    const placed = await waitIn(lines, () => abandoned || (raised && canRise))
    if (placed) return placed
    const resumed = abandoned && (await resume({ jobId, hasOthers: groups.length > 1 }))
    if (resumed) return resumed
    // What was said meanwhile was said of the same admission.
    abandoned = false
    canRise = false
    lines = new Lines(jobId, groups, 'first')
  }
}

/** Waits in lines for a place, or until they are to be left: null when there is none by then. */
async function waitIn(lines: Lines, areToBeLeft: () => boolean): Promise<Admission | null> {
  const waiting = lines.wait()
  waiting.catch(() => undefined)
  const leaving = condition(areToBeLeft).then(
    () => null,
    // Cancelled: then `waiting` tells how that ended.
    () => waiting,
  )
  return (await Promise.race([waiting, leaving])) ?? (await lines.leave())
}

/** Takes up an admission that was left half-done; null when there is no place any more for which that could be done. */
async function resume(input: { jobId: number; hasOthers: boolean }): Promise<Admission | null> {
  try {
    return await resumeAdmission(input)
  } catch (error) {
    if (failedAs(error, 'noCapacity') || failedAs(error, 'unusable')) return null
    throw error
  }
}

/**
 * Whether this is how an activity ends that was asked to cancel: it says so, or its worker is dead, whose time-out the server leaves it at then. What such a worker has
 * claimed is found by who lets the job in next.
 */
function wasLeft(reason: unknown): boolean {
  return isCancellation(reason) || (reason instanceof ActivityFailure && reason.cause instanceof TimeoutFailure)
}

/** The lines in which a job stands. */
class Lines {
  readonly #jobId: number
  readonly #groups: PreparedJob['groups']
  readonly #turn: Turn
  readonly #scope = new CancellationScope()
  readonly #asked: Promise<Admission>[] = []

  constructor(jobId: number, groups: PreparedJob['groups'], turn: Turn) {
    this.#jobId = jobId
    this.#groups = groups
    this.#turn = turn
  }

  /** Resolves with the first place that is given. */
  async wait(): Promise<Admission> {
    try {
      return await this.#scope.run(() => this.#askInTurn())
    } finally {
      this.#scope.cancel()
    }
  }

  /** Leaves all lines. A place that was just being given is taken: null where there is none. */
  async leave(): Promise<Admission | null> {
    this.#scope.cancel()
    const outcomes = await Promise.allSettled(this.#asked)
    for (const outcome of outcomes) {
      if (outcome.status === 'fulfilled') return outcome.value
    }
    for (const outcome of outcomes) {
      if (outcome.status === 'fulfilled' || failedAs(outcome.reason, 'unusable')) continue
      if (CancellationScope.current().consideredCancelled || !wasLeft(outcome.reason)) throw outcome.reason
    }
    return null
  }

  #ask(group: PreparedJob['groups'][number]): Promise<Admission> {
    const hasOthers = this.#groups.length > 1
    const asked = admitOn(group, this.#turn)({ jobId: this.#jobId, groupId: group.id, hasOthers })
    this.#asked.push(asked)
    return asked
  }

  async #askInTurn(): Promise<Admission> {
    const [first, ...others] = this.#groups
    if (first && others.length === 0) return await this.#ask(first)
    const refusals = new Map<number, unknown>()
    return await new Promise<Admission>((resolve, reject) => {
      const ask = async (index: number): Promise<void> => {
        const group = this.#groups[index]
        if (!group) return
        const asked = this.#ask(group)
        asked.then(resolve, (error) => {
          if (!failedAs(error, 'unusable')) return reject(error)
          refusals.set(index, error)
          if (refusals.size === this.#groups.length) reject(refusals.get(0))
        })
        // Whether it refuses or is full: after a moment the next one is asked as well.
        await Promise.race([asked.catch(() => undefined), sleep(preference)])
        await ask(index + 1)
      }
      ask(0).catch(reject)
    })
  }
}
