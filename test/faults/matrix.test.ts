/**
 * The short form of the fault matrix (docs/fault-matrix.md has the long one): processes are killed while jobs stand at all points of their way, and
 * every fault of calls and watches is done to some job, at other points at each run. What fails is run again by
 * `npm run faults -- --seed N --faults … --at …`.
 */
import { randomInt } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Random } from '../hostile/random.ts'
import { clusterAdmin } from '../setup/cluster-admin.ts'
import { Undo } from '../setup/own-places.ts'
import { expectNothingLeft } from '../setup/tidy.ts'
import { Arena } from './arena.ts'
import { type Fault, shared, single } from './faults.ts'
import { addFurtherSubjects } from './further-subjects.ts'
import { type Result, rounds, runSingle, type Struck, sample, strikeRound } from './matrix.ts'
import { furtherPoints, points } from './points.ts'

const seed = randomInt(1_000_000)
const random = new Random(seed)
const undo = new Undo()
let arena: Arena
let quotaNamespace: string

beforeAll(async () => {
  console.log(`seed ${seed}`)
  arena = await Arena.open(undo, 'simulated')
  quotaNamespace = (await addFurtherSubjects(arena, undo)).quotaNamespace
})
afterAll(() => undo.all())

const named = (name: string): Fault => shared.find((fault) => fault.name === name) ?? expect.fail(`no fault ${name}`)

/** What a dead process leaves is no reason for any other end, and everybody came to where they should be. */
async function expectUndisturbed({ judged }: Struck, count: number): Promise<void> {
  const results = await judged
  expect(results.filter(({ result }) => result !== 'undisturbed')).toEqual([])
  expect(results).toHaveLength(count)
}

test('the API, both and the worker are killed while a job stands at every point, and a job is launched while the worker is dead', async () => {
  // Only one job at a time can stand at the sender of messages, so two points take turns.
  const [all = []] = rounds(points)
  const [rest = []] = rounds(points.filter(({ name }) => name !== 'message claimed'))
  const launched: number[] = []
  const api = await strikeRound(arena, named('API killed'), all, random)
  const both = await strikeRound(arena, named('both killed'), rest, random)
  const worker = await strikeRound(arena, named('worker killed'), [...furtherPoints, ...all], random, async () => {
    launched.push(await arena.subjects.launch('plain'))
  })
  await expectUndisturbed(api, all.length)
  await expectUndisturbed(both, rest.length)
  await expectUndisturbed(worker, all.length + furtherPoints.length)
  const [job = 0] = launched
  expect(await arena.mayfly.ended(`/jobs/${job}/`)).toMatchObject({ status: 'successful', job_explanation: '' })
  expect(await arena.subjects.damageOf('plain', job)).toBe('')
})

test('every fault of calls and of watches is done to a job', async () => {
  const results: Result[] = await runSingle(arena, sample(single, points, single.length * 2, seed), single.length)
  expect(results.filter(({ result }) => result === 'wrong')).toEqual([])
  expect(results.some(({ applied }) => applied)).toBe(true)
})

test('nothing is left, no place is lost, and nobody has a complaint', async () => {
  await arena.subjects.expectAllPlaces()
  const { items } = await clusterAdmin(arena.mayfly.stack).listNamespacedPod({ namespace: quotaNamespace })
  expect(items).toEqual([])
  await expectNothingLeft(arena.mayfly)
})
