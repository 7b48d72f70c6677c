/** Which worker has the step of a job, and since when, as Temporal tells it. */
import { setTimeout as pause } from 'node:timers/promises'
import { Client, Connection } from '@temporalio/client'
import { jobWorkflowId } from '../workflows/names.ts'
import type { Stand } from './stand.ts'

const lookEveryMs = 250
/** Far beyond any time-out of a step. */
const longestMs = 90_000

/** Protobuf's Timestamp as the client gives it. */
interface Timestamp {
  seconds?: { toString(): string } | null
  nanos?: number | null
}

/** The workers of a stand and their jobs, seen from Temporal. */
export class WorkOfTemporal {
  readonly #connection: Connection
  readonly #client: Client

  private constructor(connection: Connection, namespace: string) {
    this.#connection = connection
    this.#client = new Client({ connection, namespace })
  }

  static async open({ stack, id }: Pick<Stand, 'stack' | 'id'>): Promise<WorkOfTemporal> {
    return new WorkOfTemporal(await Connection.connect({ address: stack.temporalAddress }), id)
  }

  close(): Promise<void> {
    return this.#connection.close()
  }

  /** Whether the worker of this process id has a step of the job. */
  async isWith(job: number, pid: number): Promise<boolean> {
    return (await this.#takers(job)).some((taker) => taker.pid === pid)
  }

  /**
   * When another worker took up each of the jobs, in milliseconds of the Unix epoch by Temporal's clock. Throws when one is not taken up in a minute and a
   * half.
   */
  async takenUp(jobs: readonly number[], { since, not }: { since: number; not: number }): Promise<Map<number, number>> {
    const taken = new Map<number, number>()
    const end = performance.now() + longestMs
    while (taken.size < jobs.length) {
      for (const job of jobs) {
        if (taken.has(job)) continue
        const next = [...(await this.#takers(job)), ...(await this.#done(job))]
          .filter(({ pid, at }) => pid !== not && at >= since)
          .map(({ at }) => at)
        if (next.length > 0) taken.set(job, Math.min(...next))
      }
      if (performance.now() > end)
        throw new Error(`nobody takes up ${jobs.filter((job) => !taken.has(job)).join(', ')}`)
      await pause(lookEveryMs)
    }
    return taken
  }

  /** Who has a step of the job now, and since when. */
  async #takers(job: number): Promise<{ pid: number; at: number }[]> {
    const { raw } = await this.#client.workflow.getHandle(jobWorkflowId(job)).describe()
    return (raw.pendingActivities ?? []).flatMap(({ state, lastWorkerIdentity, lastStartedTime }) =>
      // PENDING_ACTIVITY_STATE_STARTED and _CANCEL_REQUESTED; of one that is to be tried again the last worker is named as well.
      state === 2 || state === 3 ? [{ pid: pidOf(lastWorkerIdentity), at: millis(lastStartedTime) }] : [],
    )
  }

  /** Who took up steps that are done. */
  async #done(job: number): Promise<{ pid: number; at: number }[]> {
    const { events } = await this.#client.workflow.getHandle(jobWorkflowId(job)).fetchHistory()
    return (events ?? []).flatMap(({ activityTaskStartedEventAttributes: started, eventTime }) =>
      started ? [{ pid: pidOf(started.identity), at: millis(eventTime) }] : [],
    )
  }
}

/** The SDK's identity of a worker is PID@HOST. */
function pidOf(identity: string | null | undefined): number {
  return Number(identity?.split('@')[0])
}

function millis(time: Timestamp | null | undefined): number {
  return Number(time?.seconds ?? Number.NaN) * 1000 + (time?.nanos ?? 0) / 1e6
}
