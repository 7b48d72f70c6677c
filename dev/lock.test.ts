import { expect, test } from 'vitest'
import { locked } from './lock.ts'

test('the second waits until the first is done, even when the first fails', async () => {
  const order: string[] = []
  const name = `test-${process.pid}`
  const gate = Promise.withResolvers<void>()
  const first = locked(
    name,
    () => order.push('first waits'),
    async () => {
      await gate.promise
      order.push('first')
      throw new Error('failed')
    },
  )
  const second = locked(
    name,
    () => {
      order.push('second waits')
      gate.resolve()
    },
    async () => order.push('second'),
  )
  await expect(first).rejects.toThrow('failed')
  await second
  expect(order).toEqual(['second waits', 'first', 'second'])
})
