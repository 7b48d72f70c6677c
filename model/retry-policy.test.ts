import { expect, test } from 'vitest'
import { readRetryPolicy } from './retry-policy.ts'

test.each([
  [{}, {}],
  [
    { lost_before_start: 0, lost_after_start: 10 },
    { lost_before_start: 0, lost_after_start: 10 },
  ],
  [{ out_of_memory: { factor: 1.5, max: ' 4Gi ' } }, { out_of_memory: { factor: 1.5, max: '4Gi' } }],
  [{ lost_before_start: 1, out_of_memory: null }, { lost_before_start: 1 }],
])('%j is taken', (given, policy) => {
  expect(readRetryPolicy(given)).toEqual({ ok: true, policy })
})

test.each([
  [[], 'Must be an object'],
  [{ retries: 3 }, 'retries: there is no such rule. Use lost_before_start'],
  [{ lost_before_start: -1 }, 'lost_before_start: give the number of further attempts, a whole number from 0 to 10.'],
  [{ lost_before_start: 11 }, 'lost_before_start: give'],
  [{ lost_after_start: 1.5 }, 'lost_after_start: give'],
  [{ lost_after_start: '1' }, 'lost_after_start: give'],
  [{ lost_after_start: null }, 'lost_after_start: give'],
  [{ out_of_memory: 2 }, 'out_of_memory: give both factor and max'],
  [{ out_of_memory: { factor: 2 } }, 'out_of_memory.max: give'],
  [{ out_of_memory: { factor: 1, max: '4Gi' } }, 'out_of_memory.factor: give a number above 1 and up to 8'],
  [{ out_of_memory: { factor: 9, max: '4Gi' } }, 'out_of_memory.factor'],
  [{ out_of_memory: { factor: 2, max: 'much' } }, 'out_of_memory.max: give the highest memory limit as a quantity'],
  [{ out_of_memory: { factor: 2, max: '4' } }, 'out_of_memory.max: "4" is less than 1Mi'],
  [{ out_of_memory: { factor: 2, max: '4Gi', min: '1Gi' } }, 'out_of_memory.min: there is no such setting'],
])('%j is refused, and what to write is named', (given, message) => {
  const read = readRetryPolicy(given)
  expect(read.ok ? '' : read.message).toContain(message)
})
