import { pino } from 'pino'
import { describe, expect, test } from 'vitest'
import { cause } from '../../model/cause.ts'
import { follow } from './interruption.ts'

describe('what may end an attempt from outside', () => {
  const log = pino({ level: 'silent' })
  const drained = cause('group_drained', 'The group is drained.')
  const aborted = (signal: AbortSignal) =>
    new Promise<null>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }))

  test('is told with its cause when it comes', async () => {
    const found = Promise.withResolvers<typeof drained>()
    const interruption = follow({ log }, 'a group', () => found.promise)
    expect(interruption).toMatchObject({ cause: null, signal: { aborted: false } })
    const come = new Promise((resolve) => interruption.signal.addEventListener('abort', resolve, { once: true }))
    found.resolve(drained)
    await come
    expect(interruption.cause).toBe(drained)
  })

  test('interrupts nothing when it can come no more, cannot be followed, or is followed no longer', async () => {
    const finds = [async () => null, () => Promise.reject(new Error('away')), aborted]
    for (const find of finds) {
      const ended = Promise.withResolvers<void>()
      const interruption = follow({ log }, 'a group', async (over) => {
        try {
          return await find(over)
        } finally {
          ended.resolve()
        }
      })
      interruption.end()
      await ended.promise
      await Promise.resolve()
      expect(interruption).toMatchObject({ cause: null, signal: { aborted: false } })
    }
  })
})
