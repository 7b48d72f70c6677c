/** Schedules of one Mayfly for tests: what they launch ends at once and needs no pod. */
import { setTimeout } from 'node:timers/promises'
import { Client, Connection, ScheduleNotFoundError } from '@temporalio/client'
import { until } from '../../dev/wait.ts'
import type { Mayfly } from './mayfly.ts'

/** A run as the API shows it. */
export interface RunOnWire {
  instant: string
  origin: string
  state: string
  job: number | null
  explanation: string
}

/** The fields of a schedule that tests look at. */
export interface ScheduleOnWire {
  id: number
  next_run: string | null
  enabled: boolean
}

let made = 0

/** Schedules, with a look at what Temporal knows of them. */
export class Schedules {
  readonly #mayfly: Mayfly
  readonly #temporal: Client
  /** A workflow job template without nodes: its jobs end at once. */
  readonly template: number

  private constructor(mayfly: Mayfly, temporal: Client, template: number) {
    this.#mayfly = mayfly
    this.#temporal = temporal
    this.template = template
  }

  /** Close it at the end. `temporal`: where it is, if not on the stack. */
  static async open(
    mayfly: Mayfly,
    temporal = { address: mayfly.stack.temporalAddress, namespace: mayfly.temporalNamespace },
  ): Promise<Schedules> {
    const connection = await Connection.connect({ address: temporal.address })
    const { id } = await mayfly.post('/workflow_job_templates/', { name: 'does nothing', allow_simultaneous: true })
    return new Schedules(mayfly, new Client({ connection, namespace: temporal.namespace }), id)
  }

  close(): Promise<void> {
    return this.#temporal.connection.close()
  }

  async make(rrule: string, fields: Record<string, unknown> = {}): Promise<number> {
    const body = { name: `schedule ${++made}`, rrule, unified_job_template: this.template, ...fields }
    return (await this.#mayfly.post('/schedules/', body)).id
  }

  read(id: number): Promise<ScheduleOnWire> {
    return this.#mayfly.get<ScheduleOnWire>(`/schedules/${id}/`)
  }

  async runs(id: number): Promise<RunOnWire[]> {
    return (await this.#mayfly.get<{ results: RunOnWire[] }>(`/schedules/${id}/runs/`)).results
  }

  async jobs(id: number): Promise<{ id: number; type: string; launch_type: string; status: string }[]> {
    const path = `/schedules/${id}/jobs/`
    return (await this.#mayfly.get<{ results: Awaited<ReturnType<Schedules['jobs']>> }>(path)).results
  }

  /** Resolves when the schedule has this many runs in the state, with its runs. */
  async ran(id: number, count = 1, state = 'launched', seconds = 180): Promise<RunOnWire[]> {
    return await until({ what: `${count} ${state} runs of schedule ${id}`, seconds, everyMs: 100 }, async () => {
      const runs = await this.runs(id)
      return runs.filter((run) => run.state === state).length >= count ? runs : undefined
    })
  }

  /** What Temporal is going to do: its next instants; null when it does not know the schedule. */
  async known(id: number): Promise<string[] | null> {
    try {
      const { info } = await this.#temporal.schedule.getHandle(`schedule-${id}`).describe()
      return info.nextActionTimes.map((time) => time.toISOString().replace('.000Z', 'Z'))
    } catch (error) {
      if (error instanceof ScheduleNotFoundError) return null
      throw error
    }
  }

  /** Resolves when Temporal knows the schedule, with its next instants. */
  async planned(id: number): Promise<string[]> {
    return await until({ what: `Temporal to know schedule ${id}`, seconds: 180, everyMs: 50 }, async () => {
      const known = await this.known(id)
      return known && known.length > 0 ? known : undefined
    })
  }

  /**
   * Makes schedules for one instant to come (or changes some), and resolves when Temporal knows each of them and the instant is still ahead (in milliseconds).
   * Where the machine was too slow for that, others are made with more time; the first ones run as any would.
   */
  async ahead(seconds: number, make: (at: number) => Promise<number>[]): Promise<{ at: number; ids: number[] }> {
    for (let lead = seconds; lead < 200; lead *= 2) {
      const at = secondsAhead(lead)
      const ids = await Promise.all(make(at))
      if (await this.#knownBefore(at, ids)) return { at, ids }
    }
    throw new Error('Temporal did not learn of schedules before they were due')
  }

  async #knownBefore(at: number, ids: readonly number[]): Promise<boolean> {
    const unknown = new Set(ids)
    // What was changed may still be known as it was, for another time.
    const isMeant = (instant: string) => Date.parse(instant) >= at && Date.parse(instant) < at + 60_000
    while (Date.now() < at) {
      for (const id of unknown) if ((await this.known(id))?.some(isMeant)) unknown.delete(id)
      if (unknown.size === 0) return Date.now() < at
      await setTimeout(50)
    }
    return false
  }

  /** Makes Temporal forget it, as an accident would. */
  async lose(id: number): Promise<void> {
    await this.#temporal.schedule.getHandle(`schedule-${id}`).delete()
  }
}

/** A rule for one run at an instant (whole seconds, in milliseconds). */
export function onceAt(milliseconds: number): string {
  return `DTSTART:${compact(milliseconds)} RRULE:FREQ=DAILY;INTERVAL=1;COUNT=1`
}

/** A rule for two runs, at an instant and a second later. */
export function twiceFrom(milliseconds: number): string {
  const later = new Date(milliseconds + 1000)
  const parts = `BYHOUR=${later.getUTCHours()};BYMINUTE=${later.getUTCMinutes()};BYSECOND=${later.getUTCSeconds()}`
  return `${onceAt(milliseconds)} RRULE:FREQ=DAILY;INTERVAL=1;COUNT=1;${parts}`
}

/** `20300131T180000Z`. */
export function compact(milliseconds: number): string {
  return `${new Date(milliseconds).toISOString().slice(0, 19).replace(/[-:]/g, '')}Z`
}

/** The first whole second that is at least so far ahead, in milliseconds. */
export function secondsAhead(seconds: number): number {
  return Math.ceil(Date.now() / 1000 + seconds) * 1000
}
