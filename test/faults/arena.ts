/** Where faults are done to jobs: a Mayfly whose cluster is behind the fault-injecting proxy, and what it takes to judge a job afterwards. */
import { rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { restartPart } from '../../dev/stack.ts'
import { until } from '../../dev/wait.ts'
import { isFinal, type JobStatus } from '../../model/job.ts'
import { type Mayfly, startMayfly } from '../setup/mayfly.ts'
import type { Undo } from '../setup/own-places.ts'
import { Witness } from '../setup/witness.ts'
import { FaultProxy } from './fault-proxy.ts'
import type { Rule } from './fault-rules.ts'
import type { Fault } from './faults.ts'
import { type Point, type PointKind, points } from './points.ts'
import { StoreHolds } from './store-holds.ts'
import { type Nodes, patienceSeconds, podPrefix, Subjects } from './subjects.ts'

/** What became of a job to which a fault was done. */
export interface Outcome {
  /** `undisturbed`; `error`: it ended as such and says why, and nothing is left of it; else what is wrong. */
  result: 'undisturbed' | 'error' | 'wrong'
  /** Whether the fault met anything: what nobody calls any more cannot be refused. */
  applied: boolean
  /** What is wrong, or the explanation of the error. */
  note: string
}

/** A job that is on its way to a point, or held there. */
export interface Cell {
  point: Point
  fault: Fault
  job: number
  /** Lets it go on. */
  release: (lost: boolean) => Promise<void>
  /** Resolves when it is held. */
  reached: Promise<void>
  /** Lets it do its last step to where it is only seen, and resolves when it is there; at once where it is held. */
  arrive: () => Promise<void>
  rules: Rule[]
}

/** The arena. */
export class Arena {
  readonly mayfly: Mayfly
  readonly proxy: FaultProxy
  readonly subjects: Subjects
  readonly #witness: Witness
  readonly #holds: StoreHolds
  readonly #clock: string
  #launching: Promise<unknown> = Promise.resolve()

  private constructor(
    parts: { mayfly: Mayfly; proxy: FaultProxy; subjects: Subjects; witness: Witness; holds: StoreHolds },
    clock: string,
  ) {
    this.mayfly = parts.mayfly
    this.proxy = parts.proxy
    this.subjects = parts.subjects
    this.#witness = parts.witness
    this.#holds = parts.holds
    this.#clock = clock
  }

  /** Jobs run on simulated nodes, or on the stack's real one. */
  static async open(undo: Undo, nodes: Nodes): Promise<Arena> {
    const preload = (file: string) => `--import=${pathToFileURL(join(import.meta.dirname, file)).href}`
    const clock = join(tmpdir(), `mayfly-clock-${process.pid}`)
    writeFileSync(clock, '0')
    undo.add(async () => rmSync(clock))
    const mayfly = await startMayfly({
      env: {
        MAYFLY_REAPER_INTERVAL: '5',
        MAYFLY_ORPHAN_GRACE: '20',
        NODE_OPTIONS: `${preload('clock.ts')} ${preload('wide-pool.ts')}`,
        MAYFLY_TEST_CLOCK: clock,
      },
    })
    undo.add(() => mayfly.stop())
    const proxy = await FaultProxy.before(mayfly.stack)
    undo.add(() => proxy.stop())
    const witness = new Witness(mayfly)
    undo.add(() => witness.stop())
    const writes = Object.fromEntries(points.flatMap(({ name, write }) => (write ? [[name, write]] : [])))
    const holds = await StoreHolds.open(mayfly.databaseUrl, writes)
    undo.add(() => holds.close())
    const subjects = await Subjects.open(mayfly, witness, proxy, nodes, undo)
    return new Arena({ mayfly, proxy, subjects, witness, holds }, clock)
  }

  /** Sends a job on its way to a point; `reached` tells when it is there. */
  async send(point: Point, fault: Fault): Promise<Cell> {
    const kind = point.kind ?? 'plain'
    const sent = this.#launching.then(async () => {
      for (let tries = 0; tries < 10; tries++) {
        const cell = await this.#sendOnce(point, fault, kind)
        if (cell) return cell
      }
      throw new Error('the number of the next job could not be told')
    })
    this.#launching = sent.catch(() => {})
    return await sent
  }

  /** Undefined when an update of a project took the number that the job was expected to have. */
  async #sendOnce(point: Point, fault: Fault, kind: PointKind): Promise<Cell | undefined> {
    const job = await this.#holds.nextJob()
    const letGo = point.git ? this.subjects.holdUpdates() : undefined
    if (point.write) await this.#holds.arm(job, point.holds ?? point.name)
    const { match, when = 'before' } = point.call ?? {}
    const name = podPrefix(job)
    const hold = match && this.proxy.add({ match: { ...match, name }, fault: { kind: 'hold', when } })
    const loss =
      point.lost && this.proxy.add({ match: { name, verb: 'exec' }, fault: { kind: 'cut-at', moment: point.lost } })
    const release = async (lost: boolean) => {
      letGo?.()
      for (const rule of [hold, loss]) if (rule) this.proxy.remove(rule)
      if (point.write) await this.#holds.release(job, lost)
    }
    if ((await this.subjects.launch(kind)) !== job) {
      await release(false)
      return undefined
    }
    const reached = this.#reached(point, job, hold).catch(async (error: unknown) => {
      throw new Error(`${error instanceof Error ? error.message : error}; ${await this.#whereabouts(job)}`)
    })
    reached.catch(() => {})
    this.subjects.accompany(kind, job).catch(() => {})
    const arrive = async () => {
      const { seen } = point
      if (!seen) return
      await release(false)
      const wait = { what: `job ${job} to come to “${point.name}”`, seconds: patienceSeconds, everyMs: 10 }
      await until(wait, async () => (await this.#holds.query(seen, job)).length > 0)
    }
    return { point, fault, job, reached, arrive, release, rules: [] }
  }

  async #reached(point: Point, job: number, hold: Rule | undefined): Promise<void> {
    const wait = { what: `job ${job} to come to “${point.name}”`, seconds: patienceSeconds, everyMs: 10 }
    if (point.write) await this.#holds.reached(job, patienceSeconds)
    else if (hold) await until(wait, () => hold.applied > 0)
    else if (point.git) await until(wait, () => this.#updateRuns(job))
  }

  /** Where a job stands, for those who look for it elsewhere. */
  async #whereabouts(job: number): Promise<string> {
    const [row] = await this.#holds.query<{ at: string }>(
      `SELECT concat_ws(', ', status, job_explanation, (SELECT string_agg(number || ' ' || phase, ' ') FROM attempts WHERE job_id = $1)) AS at
       FROM unified_jobs WHERE id = $1`,
      job,
    )
    const calls = this.proxy.calls.filter(({ name }) => name.startsWith(podPrefix(job)))
    return `it is ${row?.at}; calls: ${calls.map(({ verb, script }) => script || verb).join(' ')}`
  }

  async #updateRuns(job: number): Promise<boolean> {
    const query = `SELECT FROM unified_jobs job JOIN unified_jobs up ON job.job_explanation LIKE '%project_update-' || up.id || '%'
      WHERE job.id = $1 AND up.status = 'running'`
    return (await this.#holds.query(query, job)).length > 0
  }

  /** Does a fault that hits single jobs to a job. One that is connected to its pod loses that connection, and what it opens instead meets the fault. */
  strike(cell: Cell): void {
    const { call, events } = cell.fault
    const match = { name: podPrefix(cell.job) }
    if (call) {
      const verbs = this.proxy.cutExecs(match.name) > 0 ? ({ verb: 'exec' } as const) : {}
      cell.rules.push(this.proxy.add({ match: { ...match, ...verbs }, fault: call }))
    }
    if (events) cell.rules.push(this.proxy.add({ match: { ...match, verb: 'watch' }, events }))
  }

  /** Does a fault that hits everybody. `betweenDeathAndLife` is done while what was killed is dead. */
  async strikeAll(fault: Fault, betweenDeathAndLife: () => Promise<void>): Promise<void> {
    const { kill = [], twice, end = [], part, clockMs } = fault
    if (clockMs !== undefined) this.#setClock(clockMs)
    await Promise.all(kill.map((name) => this.mayfly.kill9(name)))
    // Who is asked to end waits for what it is about to write down.
    const ended = Promise.all(end.map((name) => this.mayfly.terminate(name)))
    if (part) await restartPart(this.mayfly.stack.stackName, part)
    await betweenDeathAndLife()
    await ended
    await Promise.all([...kill, ...end].map((name) => this.mayfly.start(name)))
    if (twice) await Promise.all(kill.map((name) => this.mayfly.restart(name)))
  }

  /** Sets the worker's clock right again, if it was not. */
  calm(): void {
    this.#setClock(0)
  }

  #setClock(offset: number): void {
    writeFileSync(this.#clock, String(offset))
    const pid = this.mayfly.pid('worker')
    if (pid) process.kill(pid, 'SIGUSR2')
  }

  /** Waits for the job's end and judges it. */
  async judge(cell: Cell): Promise<Outcome> {
    const { job, rules, fault } = cell
    const kind = cell.point.kind ?? 'plain'
    const wrong = (note: string): Outcome => ({ result: 'wrong', applied: true, note: `job ${job}: ${note}` })
    const wait = { what: `job ${job} to end`, seconds: patienceSeconds, everyMs: 100 }
    const ended = await until(wait, async () => {
      if (!(await this.#holds.standing(job))?.ended) return undefined
      const answer = await this.mayfly.api<Ended>('GET', `/jobs/${job}/`).catch(() => undefined)
      return answer?.body?.finished ? answer.body : undefined
    }).catch((error: unknown) => String(error))
    if (typeof ended === 'string') return wrong(ended)
    const left = await this.#leftOf(job)
    const applied = rules.length === 0 ? !(fault.call || fault.events) : rules.some((rule) => rule.applied > 0)
    this.proxy.remove(...rules)
    if (left) return wrong(left)
    const begun = this.subjects.begun(job)
    if (begun > 1) return wrong(`its play was begun ${begun} times`)
    const finals = (await this.#holds.statuses(job)).filter((status) => isFinal(status as JobStatus))
    if (finals.length !== 1) return wrong(`it had the final statuses ${finals.join(', ')}`)
    const { status, job_explanation: note } = ended
    if (status === 'error' && note) return { result: 'error', applied, note }
    if (status !== (kind === 'cancelled' ? 'canceled' : 'successful')) return wrong(`it ended as ${status}: ${note}`)
    if (begun !== 1) return wrong('its play was never begun')
    const damage = await this.subjects.damageOf(kind, job)
    return damage ? wrong(damage) : { result: 'undisturbed', applied, note: '' }
  }

  /** What is still there of a job some time after its end; '' when nothing is. */
  async #leftOf(job: number): Promise<string> {
    const pods = () => this.#witness.pods.filter(({ metadata }) => metadata.name.startsWith(podPrefix(job)))
    const places = async () => (await this.#holds.standing(job))?.places
    const wait = { what: 'nothing to be left', seconds: patienceSeconds, everyMs: 100 }
    const none = until(wait, async () => pods().length === 0 && (await places()) === 0)
    return await none.then(
      () => '',
      async () => `${pods().length} pods and ${await places()} places are left`,
    )
  }
}

interface Ended {
  status: string
  finished: string | null
  job_explanation: string
}
