/** Runs cells of the fault matrix: faults that hit everybody in rounds, with a job at every point; faults that hit one job side by side. */
import { Random } from '../hostile/random.ts'
import type { Arena, Cell, Outcome } from './arena.ts'
import type { Fault } from './faults.ts'
import { type Point, points } from './points.ts'

/** A cell that was run. */
export interface Result extends Outcome {
  point: string
  fault: string
}

/** Holds one of ten database connections of the worker each, so no round has more. */
const holdsInRound = 8
/** Only one job at a time can stand there, and nobody else gets past it: the sender of messages, and the lock of a group's claims. */
const narrow = ['place claimed', 'workflow started, message there', 'message claimed']

/** Points in rounds, each in the order in which its jobs are sent: who has the longest way first, so that nobody stands for long. */
export function rounds(of: readonly Point[]): Point[][] {
  const made: Point[][] = []
  for (const point of of.toReversed()) {
    const fitting = made.find((round) => {
      const taken = round.filter(({ write }) => write).length
      const blocksOutbox = (name: string) => name.includes('message')
      const clash = blocksOutbox(point.name) && round.some(({ name }) => blocksOutbox(name))
      return (taken < holdsInRound || !point.write) && !clash
    })
    if (fitting) fitting.push(point)
    else made.push([point])
  }
  const isLast = ({ name, seen }: Point) => (seen ? 2 : narrow.includes(name) ? 1 : 0)
  return made.map((round) => round.toSorted((one, other) => isLast(one) - isLast(other)))
}

/** Does a fault that hits everybody to a job at every point. */
export async function runShared(arena: Arena, fault: Fault, of: readonly Point[], seed: number): Promise<Result[]> {
  const results: Result[] = []
  const random = new Random(seed)
  for (const round of rounds(of)) {
    const cells: Cell[] = []
    const missed: Result[] = []
    for (const point of round) {
      // Whoever stands in everybody's way, or does not stand at all, comes when the others are there.
      if (point.seen || narrow.includes(point.name)) await allReached(cells, missed)
      cells.push(await arena.send(point, fault))
    }
    await allReached(cells, missed)
    await arena.strikeAll(fault, async () => {
      for (const cell of cells) await cell.release(random.chance(0.5))
    })
    const outcomes = await Promise.all(cells.map(async (cell) => resultOf(cell, await arena.judge(cell))))
    arena.calm()
    results.push(...outcomes.map((outcome) => missed.find(({ point }) => point === outcome.point) ?? outcome))
  }
  return results
}

/** Resolves when all cells are where they should be; those that do not get there are noted. */
async function allReached(cells: Cell[], missed: Result[]): Promise<void> {
  for (const cell of cells)
    await cell.reached.catch((error: unknown) => {
      if (missed.some(({ point }) => point === cell.point.name)) return
      missed.push(resultOf(cell, { result: 'wrong', applied: false, note: String(error) }))
    })
}

/** Does faults that hit single jobs, `width` of them side by side. */
export async function runSingle(
  arena: Arena,
  cells: readonly { point: Point; fault: Fault }[],
  width: number,
  tell: (result: Result) => void = () => {},
): Promise<Result[]> {
  const results: Result[] = []
  const left = [...cells]
  const work = async (): Promise<void> => {
    for (let next = left.shift(); next; next = left.shift()) {
      const result = await runOne(arena, next.point, next.fault)
      results.push(result)
      tell(result)
    }
  }
  await Promise.all(Array.from({ length: width }, work))
  return results
}

async function runOne(arena: Arena, point: Point, fault: Fault): Promise<Result> {
  const cell = await arena.send(point, fault)
  const missed = await cell.reached.then(
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
