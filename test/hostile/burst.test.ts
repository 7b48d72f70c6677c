/** Two hundred launches at once into a group with five places; nearly all of them are thought better of while they wait. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { eachConcurrently } from '../../model/concurrently.ts'
import { launch, makeCatalog, makeTemplate } from '../setup/catalog.ts'
import { type Mayfly, startMayfly } from '../setup/mayfly.ts'
import { Witness } from '../setup/witness.ts'

const launches = 200
const kept = 12
const places = 5
const atOnce = 20

let mayfly: Mayfly
let witness: Witness
let template: number
/** Its jobs do not end by themselves, however late a cancel comes. */
let unwanted: number
beforeAll(async () => {
  mayfly = await startMayfly()
  witness = new Witness(mayfly)
  const play = (task: string) => `- hosts: all\n  gather_facts: false\n  tasks: [${task}]\n`
  const files = { 'tiny.yml': play('{debug: {msg: ran}}'), 'endless.yml': play('{pause: {seconds: 600}}') }
  const catalog = await makeCatalog(mayfly, { files, group: { max_concurrent_jobs: places } })
  template = await makeTemplate(mayfly, catalog, 'tiny.yml', { allow_simultaneous: true })
  unwanted = await makeTemplate(mayfly, catalog, 'endless.yml', { allow_simultaneous: true })
})
afterAll(async () => {
  await witness?.stop()
  await mayfly?.stop()
})

/** Milliseconds of calls of one kind. */
class Latencies {
  readonly #all: number[] = []

  async of<Result>(work: () => Promise<Result>): Promise<Result> {
    const begun = performance.now()
    try {
      return await work()
    } finally {
      this.#all.push(performance.now() - begun)
    }
  }

  toString(): string {
    const sorted = this.#all.toSorted((a, b) => a - b)
    const at = (share: number) =>
      Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0)
    return `${sorted.length} calls, p50 ${at(0.5)} ms, p95 ${at(0.95)} ms, longest ${at(1)} ms`
  }
}

test('all end in a final status and nothing is left', async () => {
  const [launching, cancelling] = [new Latencies(), new Latencies()]
  const begun = performance.now()
  const jobs: number[] = []
  const running: number[] = []
  let peak = 0
  await eachConcurrently(Array(launches).keys(), atOnce, async (index) => {
    const job = await launching.of(() => launch(mayfly, index < kept ? template : unwanted))
    jobs.push(job)
    peak = Math.max(peak, witness.pods.length)
    if (index < kept) running.push(job)
    else await cancelling.of(() => mayfly.post(`/jobs/${job}/cancel/`))
  })
  expect(jobs).toHaveLength(launches)

  for (const job of running) expect(await mayfly.ended(`/jobs/${job}/`)).toMatchObject({ status: 'successful' })
  await expect
    .poll(() => witness.query('SELECT count(*)::int AS open FROM unified_jobs WHERE finished IS NULL'), {
      interval: 200,
    })
    .toEqual([{ open: 0 }])
  const seconds = Math.round((performance.now() - begun) / 1000)
  const counts = await witness.query<{ status: string; count: number }>(
    'SELECT status, count(*)::int AS count FROM unified_jobs GROUP BY status ORDER BY status',
  )
  expect(counts).toEqual([
    { status: 'canceled', count: launches - kept },
    { status: 'successful', count: kept },
  ])
  await witness.expectNothingLeft()
  // A job may have ended before its workflow was told to.
  await expect.poll(() => witness.query('SELECT id FROM outbox')).toEqual([])
  expect(peak).toBeLessThanOrEqual(places)
  const pods = jobs.reduce((sum, job) => sum + witness.podsOf(job), 0)
  console.log(`launch: ${launching}\ncancel: ${cancelling}\nall ended after ${seconds} s with ${pods} pods`)
})
