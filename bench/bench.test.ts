import { expect, test } from 'vitest'
import { atLeast, atMost, info, reached, toJson, toTable } from './bench.ts'
import { median, medianDifference, medianRatio, paired, percentile } from './statistics.ts'

test('percentiles interpolate between neighbours', () => {
  expect(percentile([4, 1, 3, 2], 0.5)).toBe(2.5)
  expect(percentile([1, 2, 3], 1)).toBe(3)
  expect(percentile([7], 0.99)).toBe(7)
  expect(percentile([], 0.5)).toBeNaN()
})

test('pairs are compared within, not across', () => {
  const pairs = [
    { ours: 3, raw: 2 },
    { ours: 30, raw: 20 },
    { ours: 12, raw: 10 },
  ]
  expect(medianDifference(pairs)).toBe(2)
  expect(medianRatio(pairs)).toBe(1.5)
  expect(median(pairs.map((pair) => pair.ours))).toBe(12)
})

test('pairs alternate in who goes first', async () => {
  const order: string[] = []
  const side = (name: string) => async () => order.push(name)
  await paired(3, side('ours'), side('raw'))
  expect(order).toEqual(['ours', 'raw', 'raw', 'ours', 'ours', 'raw'])
})

test('a goal is reached from the right side, and never by what is no number', () => {
  expect(reached(atMost('a', 5, 'ms', 5))).toBe(true)
  expect(reached(atMost('a', 6, 'ms', 5))).toBe(false)
  expect(reached(atLeast('a', 6, '/s', 5))).toBe(true)
  expect(reached(atLeast('a', 4, '/s', 5))).toBe(false)
  expect(reached(info('a', 4, '/s'))).toBe(true)
  expect(reached(info('a', Number.NaN, '/s'))).toBe(false)
})

test('a result as JSON has exactly the agreed keys', () => {
  expect(JSON.parse(toJson(atMost('launch.p50', 12.3456, 'ms', 15)))).toEqual({
    name: 'launch.p50',
    value: 12.3,
    unit: 'ms',
    goal: 15,
    ok: true,
  })
  expect(JSON.parse(toJson(info('x', 12_345.6, '')))).toMatchObject({ value: 12_346, goal: null, ok: true })
})

test('a table tells what missed its goal', () => {
  const lines = toTable([atMost('launch.p50', 20, 'ms', 15), info('jobs', 3, '')]).split('\n')
  expect(lines[1]).toMatch(/^launch\.p50 +20 +ms +≤ 15 +MISSED$/)
  expect(lines[2]).toMatch(/^jobs +3$/)
})
