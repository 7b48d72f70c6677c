import { setImmediate as turn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { ByteQueue } from './byte-queue.ts'

const nobody = { full: () => {}, ready: () => {} }

test('hands out what was pushed, then ends or fails', async () => {
  const queue = new ByteQueue(100, 50, nobody)
  for (const text of ['a', '', 'bc']) queue.push(Buffer.from(text))
  const read: string[] = []
  queue.fail(new Error('cut off'))
  queue.end()
  const reading = async () => {
    for await (const chunk of queue) read.push(chunk.toString())
  }
  await expect(reading()).rejects.toThrow('cut off')
  expect(read).toEqual(['a', 'bc'])
})

test('stops its source above one mark and lets it go on below the other', async () => {
  const told: string[] = []
  const queue = new ByteQueue(3, 2, { full: () => told.push('full'), ready: () => told.push('ready') })
  for (let count = 0; count < 5; count++) queue.push(Buffer.from('x'))
  expect(told).toEqual(['full'])
  queue.end()
  for await (const _ of queue) if (told.length > 1) break
  expect(told).toEqual(['full', 'ready'])
})

test('a reader that never waits lets others have their turn', async () => {
  const queue = new ByteQueue(100 << 20, 1, nobody)
  for (let count = 0; count < 64; count++) queue.push(Buffer.alloc(32 * 1024))
  queue.end()
  let turns = 0
  let over = false
  const others = (async () => {
    while (!over) {
      await turn()
      turns += 1
    }
  })()
  for await (const chunk of queue) expect(chunk.length).toBe(32 * 1024)
  over = true
  await others
  expect(turns).toBeGreaterThan(20)
})
