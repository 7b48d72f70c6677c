/** The long form of the fault matrix; `npm run faults` runs it (main.ts). Not part of the tests. */
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Undo } from '../setup/own-places.ts'
import { Arena } from './arena.ts'
import { ofStack, shared, single } from './faults.ts'
import { allCells, type Result, runShared, runSingle, sample } from './matrix.ts'
import { points } from './points.ts'
import { pageOf } from './table.ts'

const {
  FAULTS_SEED = '1',
  FAULTS_OF = '',
  FAULTS_AT = '',
  FAULTS_ALL,
  FAULTS_STACK,
  FAULTS_WIDTH = '24',
  FAULTS_NODES,
} = process.env
const seed = Number(FAULTS_SEED)
const nodes = FAULTS_NODES === 'real' ? 'real' : 'simulated'
const chosen = (names: string) => (name: string) =>
  names === '' || names.split(',').some((part) => (part.startsWith('=') ? name === part.slice(1) : name.includes(part)))
const faultsOf = <Of extends { name: string }>(all: Of[]) => all.filter(({ name }) => chosen(FAULTS_OF)(name))
const at = points.filter(({ name }) => chosen(FAULTS_AT)(name))
const page = join(import.meta.dirname, '..', '..', 'docs', 'fault-matrix.md')

const undo = new Undo()
const results: Result[] = []
let arena: Arena

beforeAll(async () => {
  arena = await Arena.open(undo, nodes)
})
afterAll(() => undo.all())

function note(...more: Result[]): void {
  results.push(...more)
  for (const { point, fault, result, applied, note } of more)
    console.log(
      `${result === 'undisturbed' ? 'ok   ' : result}${applied ? '' : ' (met nothing)'} ${point} × ${fault} ${note}`,
    )
  if (FAULTS_ALL === undefined) return
  const names = [...shared, ...ofStack, ...single].map(({ name }) => name)
  const before = readFileSync(page, { encoding: 'utf8', flag: 'a+' })
  const rows = points.map(({ name }) => name)
  // Others may run other cells meanwhile: nobody reads half a page.
  writeFileSync(`${page}.${process.pid}`, pageOf(results, before, rows, names))
  renameSync(`${page}.${process.pid}`, page)
}

test('faults of processes and clocks', async () => {
  // A simulated node has no kubelet to kill.
  const parts = ofStack.filter(({ part }) => part !== 'kubelet' || nodes === 'real')
  for (const fault of faultsOf(FAULTS_STACK ? [...shared, ...parts] : shared))
    note(...(await runShared(arena, fault, at, seed)))
})

test('faults of calls and watches', async () => {
  const faults = faultsOf(single)
  if (faults.length === 0) return
  const cells = FAULTS_ALL === undefined ? sample(faults, at, 60, seed) : allCells(faults, at)
  await runSingle(arena, cells, Number(FAULTS_WIDTH), note)
})

test('no place is lost', () => arena.subjects.expectAllPlaces())

test('no cell is wrong', () => {
  expect(results.filter(({ result }) => result === 'wrong')).toEqual([])
})
