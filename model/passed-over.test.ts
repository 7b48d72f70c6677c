import { expect, test } from 'vitest'
import { type Hope, hopelessText, isHopeless, noted, openEntry, type PassedOver, settled } from './passed-over.ts'

const entry = (groupId: number, why: PassedOver['why'], changes: Partial<PassedOver> = {}): PassedOver => ({
  ...{ groupId, group: `group ${groupId}`, why, message: `${why}!`, since: '2026-11-21T13:00:00Z', until: null },
  ...changes,
})
const now = '2026-11-21T13:05:00.000Z'

test('what holds already is not noted again, whatever its numbers', () => {
  const entries = [entry(1, 'full')]
  expect(noted(entries, entry(1, 'full', { message: 'others' }), now)).toBe(entries)
})

test('another reason ends the one before, and what has ended stays', () => {
  const entries = noted([entry(1, 'full'), entry(2, 'full')], entry(1, 'unreachable', { since: now }), now)
  expect(entries).toEqual([entry(1, 'full', { until: now }), entry(2, 'full'), entry(1, 'unreachable', { since: now })])
  expect(openEntry(entries, 1)?.why).toBe('unreachable')
  expect(settled(entries, now).every(({ until }) => until === now)).toBe(true)
})

test('the oldest entries go when there are very many', () => {
  let entries: readonly PassedOver[] = []
  for (let count = 0; count < 200; count++) entries = noted(entries, entry(1, count % 2 ? 'full' : 'braked'), now)
  expect(entries).toHaveLength(50)
  expect(entries.at(-1)?.why).toBe('full')
})

const minutes = (text: string) => Date.parse(`2026-11-21T13:${text}:00Z`)
const hope = (changes: Partial<Hope>): Hope => ({
  groups: [1, 2],
  entries: [entry(1, 'unreachable'), entry(2, 'misconfigured')],
  away: new Set([1, 2]),
  patienceMs: () => 60_000,
  waitingSince: minutes('00'),
  now: minutes('05'),
  ...changes,
})

test.each<[string, Partial<Hope>, boolean]>([
  ['all away for too long', {}, true],
  ['within patience', { now: minutes('01') }, false],
  ['away for long, but the job has come just now', { waitingSince: minutes('04'), now: minutes('05') }, false],
  ['one is back', { away: new Set([1]) }, false],
  ['one is full only', { entries: [entry(1, 'unreachable'), entry(2, 'full')] }, false],
  ['one was not asked yet', { entries: [entry(1, 'unreachable')] }, false],
  ['one can never, the other is away', { entries: [entry(1, 'cannot_run'), entry(2, 'unreachable')] }, true],
  ['all can never', { entries: [entry(1, 'cannot_run'), entry(2, 'cannot_run')], away: new Set() }, true],
  ['more patience with one', { patienceMs: ({ groupId }) => (groupId === 2 ? 3_600_000 : 60_000) }, false],
  ['the only group', { groups: [1] }, true],
])('whether any group may take the job: %s', (_, changes, hopeless) => {
  expect(isHopeless(hope(changes))).toBe(hopeless)
})

test('every reason is told that holds at the end', () => {
  const entries = [entry(1, 'full', { until: now }), entry(1, 'unreachable'), entry(2, 'cannot_run')]
  expect(hopelessText(entries)).toBe(
    'None of the instance groups of this job can run it:\n- group 1: unreachable!\n- group 2: cannot_run!',
  )
})
