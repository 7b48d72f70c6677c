import { describe, expect, test } from 'vitest'
import { type CauseKind, cause, causeStatus } from './cause.ts'
import { decideRetry, memoryText, type Retries } from './retry.ts'
import type { RetryPolicy } from './retry-policy.ts'

const Mi = 2 ** 20
const memory = { factor: 2, max: '1Gi' }
const used = 'and they are used up.'

interface Row {
  what: string
  kind: CauseKind
  started?: boolean
  policy?: RetryPolicy
  retries?: Retries
  limit?: number | null
  /** What the retries become, without words; null: it is not tried again. */
  next: Retries | null
  says: string
}

const rows: Row[] = [
  { what: 'no policy', kind: 'pod_deleted', next: null, says: '' },
  { what: 'no policy, begun', kind: 'pod_evicted', started: true, next: null, says: '' },
  { what: 'no policy, memory', kind: 'out_of_memory', limit: 64 * Mi, next: null, says: '' },
  {
    what: 'refused by its node, whatever the policy',
    kind: 'node_refused',
    next: { node_refused: 1 },
    says: 'Attempt 1 ended: It is over; trying again (2 of 21).',
  },
  {
    what: 'refused after it was lost: each counts by itself',
    kind: 'node_refused',
    policy: { lost_before_start: 1 },
    retries: { lost_before_start: 1, node_refused: 3 },
    next: { lost_before_start: 1, node_refused: 4 },
    says: 'Attempt 1 ended: It is over; trying again (6 of 22).',
  },
  {
    what: 'refused again and again',
    kind: 'node_refused',
    retries: { node_refused: 20 },
    next: null,
    says: 'Not tried again: nodes have refused 21 pods of this job.',
  },
  {
    what: 'lost before the start',
    kind: 'pod_deleted',
    policy: { lost_before_start: 2 },
    next: { lost_before_start: 1 },
    says: 'Attempt 1 ended: It is over; trying again (2 of 3).',
  },
  {
    what: 'lost before the start a second time',
    kind: 'pod_evicted',
    policy: { lost_before_start: 2 },
    retries: { lost_before_start: 1, told: 'earlier' },
    next: { lost_before_start: 2 },
    says: 'Attempt 1 ended: It is over; trying again (3 of 3).',
  },
  {
    what: 'lost before the start once too often',
    kind: 'pod_evicted',
    policy: { lost_before_start: 2 },
    retries: { lost_before_start: 2 },
    next: null,
    says: `Not tried again: the retry policy allows 2 for what was lost before its play began (lost_before_start), ${used}`,
  },
  {
    what: 'lost after the start, which only the other rule covers',
    kind: 'pod_deleted',
    started: true,
    policy: { lost_before_start: 2 },
    next: null,
    says: 'Not tried again: the retry policy allows no further attempt for one that was lost after its play had begun (lost_after_start).',
  },
  {
    what: 'lost before the start, which only the other rule covers',
    kind: 'pod_deleted',
    policy: { lost_after_start: 1 },
    next: null,
    says: 'Not tried again: the retry policy allows no further attempt for one that was lost before its play began (lost_before_start).',
  },
  {
    what: 'lost after the start with permission',
    kind: 'pod_evicted',
    started: true,
    policy: { lost_before_start: 2, lost_after_start: 1 },
    retries: { lost_before_start: 1 },
    next: { lost_before_start: 1, lost_after_start: 1 },
    says: 'Attempt 1 ended: It is over; trying again (3 of 3).',
  },
  {
    what: 'out of memory',
    kind: 'out_of_memory',
    started: true,
    policy: { out_of_memory: memory },
    limit: 64 * Mi,
    next: { out_of_memory: 1, memory_bytes: 128 * Mi },
    says: 'Attempt 1 ended: It is over; trying again with a memory limit of 128Mi (2 of 2).',
  },
  {
    what: 'out of memory near the most that is allowed',
    kind: 'out_of_memory',
    policy: { out_of_memory: memory },
    limit: 768 * Mi,
    next: { out_of_memory: 1, memory_bytes: 1024 * Mi },
    says: 'Attempt 1 ended: It is over; trying again with a memory limit of 1Gi (2 of 2).',
  },
  {
    what: 'out of memory at the most that is allowed',
    kind: 'out_of_memory',
    policy: { out_of_memory: memory },
    limit: 1024 * Mi,
    next: null,
    says: "Not tried again: its memory limit is 1Gi, and the retry policy's max is 1Gi.",
  },
  {
    what: 'out of memory without a limit',
    kind: 'out_of_memory',
    policy: { out_of_memory: memory },
    limit: null,
    next: null,
    says: 'Not tried again: its container has no memory limit that could be raised, so the node itself is short.',
  },
  {
    what: 'out of memory a second time',
    kind: 'out_of_memory',
    policy: { out_of_memory: memory },
    retries: { out_of_memory: 1, memory_bytes: 128 * Mi },
    limit: 128 * Mi,
    next: null,
    says: 'Not tried again: it has had more memory once already (out_of_memory).',
  },
  {
    what: 'lost after it had been given more memory: the memory stays',
    kind: 'pod_deleted',
    policy: { lost_before_start: 1, out_of_memory: memory },
    retries: { out_of_memory: 1, memory_bytes: 128 * Mi },
    next: { lost_before_start: 1, out_of_memory: 1, memory_bytes: 128 * Mi },
    says: 'Attempt 1 ended: It is over; trying again (3 of 3).',
  },
]

describe('whether the platform runs a job once more', () => {
  test.each(rows)('$what', ({ kind, started = false, policy = {}, retries = {}, limit = null, next, says }) => {
    const decision = decideRetry({
      ...{ number: 1, cause: cause(kind, 'It is over.'), started, memoryLimit: limit, policy, retries },
    })
    expect(decision).toEqual(
      next === null
        ? { again: false, explanation: says }
        : { again: true, retries: { ...next, told: says }, explanation: says },
    )
  })

  const everything: RetryPolicy = { lost_before_start: 9, lost_after_start: 9, out_of_memory: memory }
  const others = (Object.keys(causeStatus) as CauseKind[]).filter(
    (kind) =>
      !['pod_deleted', 'pod_evicted', 'node_lost', 'node_refused', 'group_drained', 'out_of_memory'].includes(kind),
  )
  test.each(others)('never for %s', (kind) => {
    for (const started of [false, true]) {
      const ended = { number: 1, cause: cause(kind, ''), started, memoryLimit: Mi, policy: everything, retries: {} }
      expect(decideRetry(ended)).toEqual({ again: false, explanation: '' })
    }
  })
})

test.each([
  [24 * Mi, '24Mi'],
  [1.5 * 1024 * Mi, '1.5Gi'],
  [512 * 1024, '512Ki'],
  [100, '100'],
])('%i bytes are %s', (bytes, text) => {
  expect(memoryText(bytes)).toBe(text)
})
