/**
 * Properties of gate, places, brake and claim together, over thousands of random histories: several workers, each with its own view of the cluster,
 * whose watch drops, doubles and reorders news; workers that crash half-way; limits that change; brakes that close. Each history has a seed, which a
 * failure names.
 */
import type { SlotPermit } from '@temporalio/worker'
import { expect, test } from 'vitest'
import { type GroupLimits, refusalOf, type Taken } from '../../model/capacity.ts'
import { Brake } from './brake.ts'
import { Gate, type Waiting } from './gate.ts'
import { Places } from './places.ts'

/** What must hold after every step of every history. */
const invariants = {
  exact: 'a claim that is made leaves jobs and forks within the limits of that moment',
  covered: 'every live pod has a claim, so live pods are never more than the limit allowed',
  brake: 'a gate grants nothing that its own view forbids',
  permits: 'permits out are exactly the admissions in flight',
  drained: 'a group that is drained admits nobody',
  progress: 'when news arrive in the end every job runs, and every gate has its whole width again',
} as const

const histories = 120
const steps = 300

/** mulberry32: small, and the same everywhere. */
function random(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}

/** A job on its way: through a gate, to a claim, to a pod. */
interface Admission {
  job: string
  impact: number
  permit: SlotPermit
  waiting: Waiting
  room: AbortController | null
}

type PodNews = { name: string; impact: number | null }

class WorkerModel {
  readonly places = new Places()
  readonly brake: Brake
  readonly gate: Gate
  limits: GroupLimits
  fits = Number.POSITIVE_INFINITY
  /** The pods that its watch has shown. */
  readonly seen = new Map<string, number>()
  readonly news: PodNews[] = []
  readonly admissions: Admission[] = []

  constructor(limits: GroupLimits, now: () => number) {
    this.limits = limits
    this.brake = new Brake(now)
    this.gate = new Gate({
      limits: () => this.limits,
      taken: () => this.places.taken,
      brake: () => this.brake.closed?.reason ?? null,
      fits: () => this.fits,
    })
  }

  release(admission: Admission): void {
    admission.room?.abort(new Error('over'))
    this.gate.left(admission.waiting)
    this.gate.releaseSlot({ permit: admission.permit } as Parameters<Gate['releaseSlot']>[0])
    this.admissions.splice(this.admissions.indexOf(admission), 1)
  }
}

class World {
  readonly random: (below: number) => number
  now = 1_000
  limits: GroupLimits
  readonly claims = new Map<string, number>()
  readonly pods = new Map<string, number>()
  /** Jobs without a pod, in line; those whose worker died stand here again, some with their claim. */
  readonly line: { job: string; impact: number }[] = []
  readonly done = new Set<string>()
  workers: WorkerModel[]

  constructor(seed: number) {
    this.random = random(seed)
    this.limits = this.someLimits()
    for (let job = 0; job < 12; job++) this.line.push({ job: `job-${job}`, impact: 1 + this.random(4) })
    this.workers = Array.from({ length: 1 + this.random(3) }, () => new WorkerModel(this.limits, () => this.now))
  }

  someLimits(): GroupLimits {
    return {
      maxConcurrentJobs: this.random(3) === 0 ? 0 : 1 + this.random(5),
      // Never less than the largest job counts for: what never fits is told to the job, and waits for nothing.
      maxForks: this.random(2) === 0 ? 0 : 4 + this.random(8),
      drainingSince: this.random(6) === 0 ? '2026-11-21T12:00:00Z' : null,
      drainDeadline: null,
    }
  }

  get taken(): Taken {
    return { jobs: this.claims.size, forks: [...this.claims.values()].reduce((sum, impact) => sum + impact, 0) }
  }

  pick<Item>(items: readonly Item[]): Item | undefined {
    return items[this.random(items.length || 1)]
  }

  tell(news: PodNews): void {
    for (const worker of this.workers) worker.news.push(news)
  }

  /** A gate may let the next job in. */
  admit(worker: WorkerModel): void {
    const next = this.line[0]
    if (!next) return
    const before = worker.places.taken
    const out = worker.gate.permits
    const permit = worker.gate.tryReserveSlot()
    if (!permit) return
    this.line.shift()
    const { maxConcurrentJobs, maxForks, drainingSince } = worker.limits
    const within = (limit: number, used: number) => limit === 0 || used < limit
    expect(drainingSince, invariants.drained).toBeNull()
    expect(worker.brake.closed, invariants.brake).toBeNull()
    expect(worker.fits > out, invariants.brake).toBe(true)
    expect(within(maxConcurrentJobs, before.jobs + out), invariants.brake).toBe(true)
    expect(within(maxForks, before.forks + out), invariants.brake).toBe(true)
    const waiting = { impact: 1, since: this.now }
    worker.admissions.push({ ...next, permit, waiting, room: null })
  }

  /** One step of an admission: its claim, as the store decides it, then its pod. */
  proceed(worker: WorkerModel): void {
    const admission = this.pick(worker.admissions)
    if (!admission) return
    const { job, impact, waiting } = admission
    if (!this.claims.has(job)) {
      const refusal = refusalOf(this.limits, this.taken, impact)
      if (refusal) {
        waiting.impact = impact
        admission.room ??= new AbortController()
        worker.gate.room(admission.room.signal, waiting).catch(() => {})
        return
      }
      expect(this.limits.drainingSince, invariants.drained).toBeNull()
      this.claims.set(job, impact)
      worker.places.claimed(job, impact)
      const { jobs, forks } = this.taken
      if (this.limits.maxConcurrentJobs > 0)
        expect(jobs, invariants.exact).toBeLessThanOrEqual(this.limits.maxConcurrentJobs)
      if (this.limits.maxForks > 0) expect(forks, invariants.exact).toBeLessThanOrEqual(this.limits.maxForks)
    } else if (!this.pods.has(job)) {
      if (this.random(8) === 0) {
        this.refuse(worker, admission)
        return
      }
      this.pods.set(job, impact)
      this.tell({ name: job, impact })
      worker.release(admission)
    } else worker.release(admission)
  }

  /** The cluster has no room for the pod: the claim is given back, and the brake closes. */
  refuse(worker: WorkerModel, { job }: Admission): void {
    this.claims.delete(job)
    worker.places.released(job)
    if (this.random(2) === 0) worker.brake.refused('quota', 'used up')
    else worker.brake.throttled('429', this.random(3_000))
  }

  /** A pod ends: first it goes, then its place is given back, and whoever did it knows. */
  end(): void {
    const job = this.pick([...this.pods.keys()])
    if (job === undefined || this.random(3) > 0) return
    this.pods.delete(job)
    this.tell({ name: job, impact: null })
    this.claims.delete(job)
    this.pick(this.workers)?.places.released(job)
    this.done.add(job)
  }

  /** News reach a worker: late, doubled, out of order, or not at all. */
  deliver(worker: WorkerModel): void {
    if (worker.news.length === 0) return
    const index = this.random(2) === 0 ? 0 : this.random(worker.news.length)
    const news = worker.news[index]
    if (this.random(5) > 0) worker.news.splice(index, 1)
    if (!news || this.random(6) === 0) return
    if (news.impact === null) worker.seen.delete(news.name)
    else worker.seen.set(news.name, news.impact)
    worker.places.showPods(new Map(worker.seen))
    if (news.impact === null) worker.brake.roomMade()
    worker.gate.reconsider()
  }

  /** What a complete list and a look into the store bring. */
  resync(worker: WorkerModel): void {
    worker.news.length = 0
    worker.seen.clear()
    for (const [name, impact] of this.pods) worker.seen.set(name, impact)
    worker.places.showPods(new Map(worker.seen))
    worker.places.showClaims(this.claims)
    worker.limits = this.limits
    worker.gate.reconsider()
  }

  /** A worker dies: its jobs stand in line again, some with the claim that they had. */
  crash(index: number): void {
    const old = this.workers[index]
    if (!old) return
    for (const { job, impact, room } of old.admissions) {
      room?.abort(new Error('crashed'))
      if (!this.pods.has(job)) this.line.unshift({ job, impact })
    }
    const fresh = new WorkerModel(this.limits, () => this.now)
    this.workers[index] = fresh
    if (this.random(2) === 0) this.resync(fresh)
  }

  /** The reaper gives back the claims of jobs that stand in line again, where nobody works for them: they would keep themselves out. */
  reap(): void {
    for (const { job } of this.line) if (!this.pods.has(job)) this.claims.delete(job)
  }

  step(): void {
    const index = this.random(this.workers.length)
    const worker = this.workers[index]
    if (!worker) return
    const choice = this.random(100)
    if (choice < 30) this.admit(worker)
    else if (choice < 60) this.proceed(worker)
    else if (choice < 72) this.end()
    else if (choice < 86) this.deliver(worker)
    else if (choice < 90) this.now += this.random(2_000)
    else if (choice < 93) this.limits = this.someLimits()
    else if (choice < 96) worker.limits = this.limits
    else if (choice < 97) worker.fits = this.random(2) === 0 ? Number.POSITIVE_INFINITY : this.random(4)
    else if (choice < 98) this.crash(index)
    else if (choice < 99) this.reap()
    else this.resync(worker)
  }

  check(): void {
    for (const job of this.pods.keys()) expect(this.claims.has(job), invariants.covered).toBe(true)
    for (const { gate, admissions } of this.workers) expect(gate.permits, invariants.permits).toBe(admissions.length)
  }

  /** Everything that was held up comes through. */
  settle(): void {
    this.limits = { maxConcurrentJobs: 2, maxForks: 5, drainingSince: null, drainDeadline: null }
    this.reap()
    for (let round = 0; round < 4_000 && this.done.size < 12; round++) {
      this.now += 100
      const worker = this.pick(this.workers)
      if (!worker) continue
      worker.fits = Number.POSITIVE_INFINITY
      this.resync(worker)
      this.admit(worker)
      this.proceed(worker)
      this.end()
      this.check()
    }
    expect(this.done.size, invariants.progress).toBe(12)
    this.now += 100_000
    for (const worker of this.workers) {
      for (const admission of [...worker.admissions]) worker.release(admission)
      worker.fits = Number.POSITIVE_INFINITY
      this.resync(worker)
      const width = [1, 2, 3].map(() => worker.gate.tryReserveSlot()).filter(Boolean).length
      expect(width, invariants.progress).toBe(2)
    }
  }
}

test('the invariants hold in every history', () => {
  for (let seed = 1; seed <= histories; seed++) {
    const world = new World(seed)
    let step = 0
    try {
      for (; step < steps; step++) {
        world.step()
        world.check()
      }
      world.settle()
    } catch (error) {
      throw new Error(`seed ${seed}, step ${step}: ${error instanceof Error ? error.message : error}`, { cause: error })
    }
  }
})
