import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { alive, end, identify, launch, parseStat, same } from './process.ts'
import { until } from './wait.ts'

test('the start time is field 22, whatever the process calls itself', () => {
  const numbers = Array.from({ length: 40 }, (_, index) => String(index + 4)).join(' ')
  expect(parseStat(`12 (sh) S ${numbers}`)).toEqual({ state: 'S', threads: 20, startTime: '22' })
  expect(parseStat(`12 (a) b) (c) R ${numbers}`)).toEqual({ state: 'R', threads: 20, startTime: '22' })
  expect(parseStat('')).toBeUndefined()
})

test('a recycled pid is another process', () => {
  const own = identify(process.pid)
  expect(alive(own)).toBe(true)
  if (!own) return
  expect(alive({ ...own, startTime: '1' })).toBe(false)
  expect(alive({ ...own, bootId: 'another boot' })).toBe(false)
  expect(same(own, { ...own })).toBe(true)
  expect(alive(undefined)).toBe(false)
})

test('a launched process writes to its log, and is ended even when it ignores SIGTERM', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'mayfly-'))
  const log = join(folder, 'logs', 'part.log')
  const script = 'trap "" TERM; echo ready; while :; do sleep 0.05; done'
  const identity = await launch({ program: 'sh', args: ['-c', script], log })
  await until({ what: 'its first line', seconds: 60 }, () => readFileSync(log, 'utf8') === 'ready\n')
  await end(identity, 'SIGTERM', 0.2)
  expect(alive(identity)).toBe(false)
  rmSync(folder, { recursive: true })
})

test('a program that does not exist is an error that names it', async () => {
  const log = join(tmpdir(), 'mayfly-nothing.log')
  await expect(launch({ program: '/no/such/program', args: [], log })).rejects.toThrow('/no/such/program')
  rmSync(log, { force: true })
})
