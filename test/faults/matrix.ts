/** Runs cells of the fault matrix: faults that hit everybody in rounds, with a job at every point; faults that hit one job side by side. */
import { eachConcurrently } from '../../model/concurrently.ts'
import { Random } from '../hostile/random.ts'
import type { Arena, Cell, Outcome } from './arena.ts'
import type { Fault } from './faults.ts'
import { type Point, points } from './points.ts'

/** A cell that was run. */
export interface Result extends Outcome {
  point: string
  fault: string
}

/** Nobody gets past who stands there, so they come last, in this order: whoever stands at one of the first two holds one lock, at the others the sender of messages. */
const narrow = [
  'dependency being made',
  'place claimed',
  'workflow started, message there',
  'message claimed',
  'launch committed',
]
const atSender = ['workflow started, message there', 'message claimed']

/** Points in rounds; those of a round are held at once. A round has room for one job at the sender of messages. */
export function rounds(of: readonly Point[]): Point[][] {
  const [, ...others] = of.filter(({ name }) => atSender.includes(name))
  const first = of.filter((point) => !others.includes(point))
  const last = ({ name }: Point) => narrow.indexOf(name)
  // Who has the longest way goes first.
  const sorted = first.toReversed().toSorted((one, other) => last(one) - last(other))
  return [sorted, ...others.map((point) => [point])].filter((round) => round.length > 0)
}

/** Does a fault that hits everybody to a job at every point. */
export async function runShared(arena: Arena, fault: Fault, of: readonly Point[], seed: number): Promise<Result[]> {
  const results: Result[] = []
  const random = new Random(seed)
  for (const round of rounds(of)) {
    const { judged } = await strikeRound(arena, fault, round, random)
    results.push(...(await judged))
    arena.calm()
  }
  return results
}

/** What was struck, and what becomes of it. */
export interface Struck {
  judged: Promise<Result[]>
}

/**
 * Sends a job to every point of a round and does a fault to all of them at once. Resolves when the fault is over; what became of the jobs shows
 * later. `meanwhile` is done while what was killed is dead.
 */
export async function strikeRound(
  arena: Arena,
  fault: Fault,
  round: readonly Point[],
  random: Random,
  meanwhile: () => Promise<void> = async () => {},
): Promise<Struck> {
  const cells: Cell[] = []
  const missed: Result[] = []
  for (const point of round) {
    // Whoever stands in everybody's way, or does not stand at all, comes when the others are there.
    if (narrow.includes(point.name)) await allReached(cells, missed)
    cells.push(await arena.send(point, fault))
  }
  await allReached(cells, missed)
  await Promise.all(cells.map((cell) => cell.arrive().catch((error: unknown) => note(missed, cell, error))))
  await arena.strikeAll(fault, async () => {
    for (const cell of cells) await cell.release(random.chance(0.5))
    await meanwhile()
  })
  const judged = Promise.all(cells.map(async (cell) => resultOf(cell, await arena.judge(cell)))).then((outcomes) =>
    outcomes.map((outcome) => missed.find(({ point }) => point === outcome.point) ?? outcome),
  )
  judged.catch(() => {})
  return { judged }
}

/** Resolves when all cells are where they should be; those that do not get there are noted. */
async function allReached(cells: Cell[], missed: Result[]): Promise<void> {
  for (const cell of cells) await cell.reached.catch((error: unknown) => note(missed, cell, error))
}

function note(missed: Result[], cell: Cell, error: unknown): void {
  if (missed.some(({ point }) => point === cell.point.name)) return
  missed.push(resultOf(cell, { result: 'wrong', applied: false, note: String(error) }))
}

/** Does faults that hit single jobs, `width` of them side by side. */
export async function runSingle(
  arena: Arena,
  cells: readonly { point: Point; fault: Fault }[],
  width: number,
  tell: (result: Result) => void = () => {},
): Promise<Result[]> {
  const results: Result[] = []
  await eachConcurrently(cells, width, async ({ point, fault }) => {
    const result = await runOne(arena, point, fault)
    results.push(result)
    tell(result)
  })
  return results
}

async function runOne(arena: Arena, point: Point, fault: Fault): Promise<Result> {
  const cell = await arena.send(point, fault)
  const missed = await cell.reached.then(cell.arrive).then(
    () => undefined,
    (error: unknown) => String(error),
  )
  arena.strike(cell)
  await cell.release(false)
  const outcome = await arena.judge(cell)
  return resultOf(cell, missed ? { result: 'wrong', applied: false, note: missed } : outcome)
}

function resultOf(cell: Cell, outcome: Outcome): Result {
  return { point: cell.point.name, fault: cell.fault.name, ...outcome }
}

/** All cells of these faults. */
export function allCells(faults: readonly Fault[], of: readonly Point[] = points): { point: Point; fault: Fault }[] {
  return faults.flatMap((fault) => of.map((point) => ({ point, fault })))
}

/** A sample of cells, in which every point and every fault has its turn before any has a second one. */
export function sample(faults: readonly Fault[], of: readonly Point[], size: number, seed: number) {
  const random = new Random(seed)
  const turn = <Item>(all: readonly Item[]) => {
    let left: Item[] = []
    return (): Item => {
      if (left.length === 0) left = [...all]
      return left.splice(random.below(left.length), 1)[0] as Item
    }
  }
  const [point, fault] = [turn(of), turn(faults)]
  return Array.from({ length: size }, () => ({ point: point(), fault: fault() }))
}
