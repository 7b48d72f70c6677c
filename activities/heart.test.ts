import type { Context } from '@temporalio/activity'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Heart } from './heart.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

/** As much of an activity's context as a heart looks at, and what it was told. */
function activity(heartbeatTimeoutMs: number) {
  const beats: unknown[] = []
  const context = {
    info: { heartbeatTimeoutMs },
    heartbeat: (details: unknown) => beats.push(details),
    cancellationSignal: new AbortController().signal,
  } as unknown as Context
  return { context, beats }
}

test('beats every second, with what it was given to say, until it ends', () => {
  const { context, beats } = activity(10_000)
  const heart = new Heart(context)
  vi.advanceTimersByTime(1_000)
  heart.says({ phase: 'running' })
  vi.advanceTimersByTime(2_000)
  expect(beats).toEqual([{}, { phase: 'running' }, { phase: 'running' }])
  heart.end()
  vi.advanceTimersByTime(10_000)
  expect(beats).toHaveLength(3)
})

test('a rare one beats three times before it would be taken for dead, whatever time it has', () => {
  for (const timeoutMs of [6_000, 10_000, 30_000]) {
    const { context, beats } = activity(timeoutMs)
    const heart = new Heart(context, { rare: true })
    vi.advanceTimersByTime(timeoutMs)
    expect(beats).toHaveLength(3)
    heart.end()
  }
})

test('a cancel that was heard of elsewhere is a wish to cancel, and not to stop', () => {
  const heart = new Heart(activity(10_000).context, { rare: true })
  heart.cancelled()
  expect(heart.cancel.aborted).toBe(true)
  expect(heart.stop.aborted).toBe(false)
  heart.end()
})
