/** What a bench is and what it gives back. */
import type { Temporal } from './parts.ts'
import type { Stand } from './stand.ts'

/** One number, with the goal it has where it has one. */
export interface Measurement {
  /** Unique within its bench: `launch.p50`. */
  name: string
  value: number
  unit: string
  /** The bound from the project's plan; null for a number that only informs. */
  goal: number | null
  /** Whether the goal is an upper (`<=`) or a lower (`>=`) bound. */
  bound: '<=' | '>='
}

/** Told what goes on; written to standard error, so that standard output holds results only. */
export type Say = (line: string) => void

/** What a bench may use. */
export interface BenchContext {
  say: Say
  /** The running parts; brought up by the first call, taken down by the caller of `run`. */
  stand(): Promise<Stand>
  /** Which Temporal, for benches that start their parts themselves. */
  temporal: Temporal
  /** The value of a size that the command line may give (`--jobs 10000`). */
  size(name: Size, otherwise: number): number
  /** Whom to cancel first, for benches that cancel all. */
  cancels: CancelOrder
}

/** Sizes that the command line may give. */
export const sizes = ['jobs', 'waiting', 'minutes', 'groups', 'limit', 'seed', 'real'] as const
export type Size = (typeof sizes)[number]

/** Whom a bench cancels first, of those that were launched. */
export const cancelOrders = ['newest', 'oldest'] as const
export type CancelOrder = (typeof cancelOrders)[number]

/** A named group of measurements that belong together. */
export interface Bench {
  name: string
  /** One line for the list. */
  about: string
  /** How long it takes on a small machine, for the list: `about 2 min`. */
  takes: string
  /** Whether a goal that is missed is a defect and ends the command with an error; speed depends on the machine, being right does not. */
  strict?: boolean
  run(context: BenchContext): Promise<Measurement[]>
}

/** A number that must not exceed its goal. */
export function atMost(name: string, value: number, unit: string, goal: number | null): Measurement {
  return { name, value, unit, goal, bound: '<=' }
}

/** A number that must reach its goal. */
export function atLeast(name: string, value: number, unit: string, goal: number | null): Measurement {
  return { name, value, unit, goal, bound: '>=' }
}

/** A number that only informs. */
export function info(name: string, value: number, unit: string): Measurement {
  return atMost(name, value, unit, null)
}

/** Whether a measurement reaches its goal; one without a goal always does, one that is no number never. */
export function reached({ value, goal, bound }: Measurement): boolean {
  if (!Number.isFinite(value)) return false
  if (goal === null) return true
  return bound === '<=' ? value <= goal : value >= goal
}

/** Three significant digits, and whole numbers from 100 on: enough for a person, and the same in table and JSON. */
function rounded(value: number): number {
  return Math.abs(value) >= 100 ? Math.round(value) : Number(value.toPrecision(3))
}

/** The measurement as one JSON object without line breaks. */
export function toJson(measurement: Measurement): string {
  const { name, value, unit, goal } = measurement
  return JSON.stringify({ name, value: rounded(value), unit, goal, ok: reached(measurement) })
}

/** The measurements as a table for people. */
export function toTable(measurements: Measurement[]): string {
  const rows = measurements.map((one) => [
    one.name,
    String(rounded(one.value)),
    one.unit,
    one.goal === null ? '' : `${one.bound === '<=' ? '≤' : '≥'} ${one.goal}`,
    one.goal === null ? '' : reached(one) ? 'ok' : 'MISSED',
  ])
  const table = [['name', 'value', 'unit', 'goal', ''], ...rows]
  const widths = [0, 1, 2, 3, 4].map((column) => Math.max(...table.map((row) => row[column]?.length ?? 0)))
  const line = (row: string[]): string =>
    row
      .map((cell, column) => (column === 1 ? cell.padStart(widths[1] ?? 0) : cell.padEnd(widths[column] ?? 0)))
      .join('  ')
  return table.map((row) => line(row).trimEnd()).join('\n')
}
