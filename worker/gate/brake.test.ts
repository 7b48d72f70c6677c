import { expect, test } from 'vitest'
import { Brake } from './brake.ts'

function open() {
  let now = 1_000_000
  const brake = new Brake(() => now, { momentMs: 100, pods: 3, oldestMs: 1_000, clearMs: 500 })
  const pods = (count: number, message = '0/1 nodes are available: 1 Insufficient cpu.') =>
    Array.from({ length: count }, (_, index) => ({ name: `pod-${index}`, message }))
  return {
    brake,
    pods,
    pass: (ms: number) => {
      now += ms
    },
    /** Lets time pass to the moment the brake names, as its clock would. */
    follow: () => {
      const passed = (brake.nextAt ?? now) - now
      now += passed
      return passed
    },
    kind: () => brake.closed?.kind ?? 'open',
  }
}

test('a refusal holds until something changes, or one tries again; the tries become rarer', () => {
  const { brake, kind, follow } = open()
  expect([kind(), brake.nextAt]).toEqual(['open', null])
  brake.refused('quota', 'used up')
  expect([brake.closed, follow(), kind()]).toEqual([{ kind: 'quota', reason: 'used up' }, 1_000, 'open'])
  brake.refused('quota', 'used up')
  expect(follow()).toBe(2_000)
  for (const wait of [4_000, 5_000, 5_000]) {
    brake.refused('quota', 'used up')
    expect(follow()).toBe(wait)
  }
  brake.forget()
  brake.refused('quota', 'used up')
  expect(follow()).toBe(1_000)
  brake.refused('quota', 'used up')
  brake.roomMade()
  expect(kind()).toBe('open')
})

test('a refusal right after a change may be older than the change: one tries again soon', () => {
  const { brake, follow } = open()
  brake.roomMade()
  brake.refused('quota', 'used up')
  expect(follow()).toBe(300)
})

test('an API server that sheds load is left alone for as long as it asks, whatever else happens', () => {
  const { brake, kind, follow } = open()
  brake.throttled('overloaded (429)', 7_000)
  brake.throttled('overloaded (429)', 1_000)
  brake.roomMade()
  expect([kind(), follow(), kind()]).toEqual(['throttled', 7_000, 'open'])
  brake.throttled('overloaded (429)', 86_400_000)
  expect(follow(), 'nobody waits a day').toBe(60_000)
})

test('a watched quota without room closes, and opens as soon as it has some', () => {
  const { brake, kind } = open()
  brake.showQuota('Quota two is used up')
  brake.roomMade()
  expect([kind(), brake.nextAt]).toEqual(['quota', null])
  brake.showQuota(null)
  expect(kind()).toBe('open')
})

test('pods that no node takes close when there are many, or when one waits long', () => {
  const many = open()
  many.brake.showUnschedulable(many.pods(3))
  expect(many.kind(), 'a moment is no sign').toBe('open')
  expect([many.follow(), many.kind()]).toEqual([100, 'scheduler'])
  expect(many.brake.closed?.reason).toBe(
    'No node takes 3 pods of this group: 0/1 nodes are available: 1 Insufficient cpu.',
  )
  const long = open()
  long.brake.showUnschedulable(long.pods(2))
  expect([long.follow(), long.kind()]).toEqual([1_000, 'scheduler'])
})

test('it opens only after there has been none for a while; what flickers keeps it closed', () => {
  const { brake, pods, pass, kind, follow } = open()
  brake.showUnschedulable(pods(3))
  follow()
  expect(kind()).toBe('scheduler')
  brake.showUnschedulable(pods(1))
  expect([kind(), brake.nextAt], 'fewer than it takes to close').toEqual(['scheduler', null])
  brake.showUnschedulable([])
  pass(499)
  brake.showUnschedulable(pods(1))
  brake.showUnschedulable([])
  pass(499)
  expect(kind()).toBe('scheduler')
  pass(1)
  expect([kind(), brake.nextAt]).toEqual(['open', null])
})

test('each reason keeps it closed by itself, and the weightiest is told', () => {
  const { brake, pods, kind, pass } = open()
  brake.showUnschedulable(pods(3))
  pass(100)
  brake.refused('quota', 'refused')
  brake.showQuota('watched')
  brake.throttled('429', 500)
  expect(kind()).toBe('throttled')
  pass(500)
  expect(brake.closed).toEqual({ kind: 'quota', reason: 'watched' })
  brake.showQuota(null)
  expect(brake.closed).toEqual({ kind: 'quota', reason: 'refused' })
  brake.roomMade()
  expect(kind()).toBe('scheduler')
})
