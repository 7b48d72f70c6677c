/**
 * Kill -9 of the worker, of the API and of both, at every phase of a job. Each round launches jobs a little apart, so that one
 * kill hits several phases at once; a round waits for its own phase before it kills. Every job must end as if nothing had happened.
 */
import { randomInt } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { launch, makeCatalog, makeTemplate } from '../setup/catalog.ts'
import { type Mayfly, type PartName, startMayfly } from '../setup/mayfly.ts'
import { steadyPlay, Witness } from '../setup/witness.ts'

let mayfly: Mayfly
let witness: Witness
let template: number
let expectedOutput: string
/** Where jobs stood when something was killed: `standing while PARTS`. */
const hits: string[] = []

beforeAll(async () => {
  mayfly = await startMayfly()
  witness = new Witness(mayfly)
  const catalog = await makeCatalog(mayfly, { files: { 'steady.yml': steadyPlay } })
  template = await makeTemplate(mayfly, catalog, 'steady.yml', { allow_simultaneous: true })
  const job = await launch(mayfly, template)
  expect(await mayfly.ended(`/jobs/${job}/`)).toMatchObject({ status: 'successful' })
  expectedOutput = await witness.output(job)
})
afterAll(async () => {
  await witness?.stop()
  await mayfly?.stop()
})

const jobsPerRound = 3
const apartMs = 700

/** Launches a round's jobs; the last one has just been launched when it resolves. */
async function launchApart(): Promise<number[]> {
  const jobs: number[] = []
  for (let index = 0; index < jobsPerRound; index++) {
    if (index > 0) await sleep(apartMs)
    jobs.push(await launch(mayfly, template))
  }
  return jobs
}

async function killAndStart(parts: PartName[], jobs: number[]): Promise<void> {
  const standings = witness.standings(jobs)
  await Promise.all(parts.map((part) => mayfly.kill9(part)))
  for (const standing of (await standings).values()) hits.push(`${standing} while ${parts.join('+')}`)
  await Promise.all(parts.map((part) => mayfly.start(part)))
}

async function expectAllWell(jobs: number[]): Promise<void> {
  for (const job of jobs) await witness.expectUntouched(job, expectedOutput)
  await witness.expectNothingLeft()
}

const worker: PartName[] = ['worker']
const api: PartName[] = ['api']
const both: PartName[] = ['api', 'worker']

test('a worker that is dead at launch: the job waits in the outbox and runs when a worker comes', async () => {
  await mayfly.kill9('worker')
  const jobs = await launchApart()
  for (const standing of (await witness.standings(jobs)).values()) hits.push(`${standing} while worker`)
  await mayfly.start('worker')
  await expectAllWell(jobs)
})

test.each([
  ['waiting', both],
  ['created', worker],
  ['delivered', worker],
  ['ended', worker],
  ['reading', api],
])('killed when a job is %s: %s', async (phase, parts) => {
  const jobs = await launchApart()
  await expect
    .poll(async () => [...(await witness.standings(jobs)).values()].some((standing) => standing.includes(phase)), {
      timeout: 60_000,
      interval: 5,
    })
    .toBe(true)
  await killAndStart(parts, jobs)
  await expectAllWell(jobs)
})

test('killed at a random moment, twice: worker', async () => {
  const jobs = await launchApart()
  for (let kills = 0; kills < 2; kills++) {
    await sleep(randomInt(2_500))
    await killAndStart(worker, jobs)
  }
  await expectAllWell(jobs)
})

test('the kills hit at least twenty points, in every phase of a job', () => {
  console.log(`where the kills hit:\n${[...hits].sort().join('\n')}`)
  expect(hits.length).toBeGreaterThanOrEqual(20)
  const phases = new Set(hits.map((hit) => hit.split(' ')[0]))
  for (const phase of ['pending/none', 'waiting/created', 'running/reading']) expect(phases).toContain(phase)
})
