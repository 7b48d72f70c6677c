import { expect, test } from 'vitest'
import { Batcher, type Stretch } from './batcher.ts'

test('stores everything in order, and gathers what arrives while a commit is in flight', async () => {
  const commits: Stretch<number>[] = []
  const gates: (() => void)[] = []
  const batcher = new Batcher<number>((batch) => {
    commits.push({ ...batch, items: [...batch.items] })
    return new Promise((resolve) => gates.push(resolve))
  })
  await batcher.add({ items: [1], end: 10, bytes: 10 })
  await batcher.add({ items: [2], end: 20, bytes: 10 })
  await batcher.add({ items: [3, 4], end: 30, bytes: 10 })
  expect(commits.map((batch) => batch.items)).toEqual([[1]])
  gates.shift()?.()
  await expect.poll(() => commits.length).toBe(2)
  expect(commits[1]).toMatchObject({ items: [2, 3, 4], end: 30 })
  gates.shift()?.()
  await batcher.flush()
  expect(commits.flatMap((batch) => batch.items)).toEqual([1, 2, 3, 4])
})

test('a full batch makes the reader wait until the store has caught up', async () => {
  let release: () => void = () => {}
  const batcher = new Batcher<string>(
    () =>
      new Promise((resolve) => {
        release = resolve
      }),
    { maxBytes: 100 },
  )
  await batcher.add({ items: ['a'], end: 1, bytes: 90 })
  let added = false
  const blocked = batcher.add({ items: ['b'], end: 2, bytes: 200 }).then(() => {
    added = true
  })
  await Promise.resolve()
  expect(added).toBe(false)
  const first = release
  first()
  await expect.poll(() => release !== first).toBe(true)
  release()
  await blocked
  await batcher.flush()
  expect(added).toBe(true)
})

test('while a full batch is stored the next one is read', async () => {
  const gates: (() => void)[] = []
  const batcher = new Batcher<number>(() => new Promise((resolve) => gates.push(resolve)), { maxBytes: 100 })
  await batcher.add({ items: [1], end: 1, bytes: 90 })
  const full = batcher.add({ items: [2], end: 2, bytes: 200 })
  gates.shift()?.()
  // Nobody ends the commit of 2, which took the full batch over.
  await full
  await batcher.add({ items: [3], end: 3, bytes: 90 })
  expect(gates).toHaveLength(1)
  gates.shift()?.()
  await expect.poll(() => gates.length).toBe(1)
  gates.shift()?.()
  await batcher.flush()
})

test('a failed commit surfaces at the next add and at flush, and nothing is stored after it', async () => {
  const stored: number[] = []
  const batcher = new Batcher<number>(async (batch) => {
    if (batch.items.includes(2)) throw new Error('database away')
    stored.push(...batch.items)
  })
  await batcher.add({ items: [1], end: 1, bytes: 1 })
  await batcher.flush()
  await batcher.add({ items: [2], end: 2, bytes: 1 })
  await expect(batcher.flush()).rejects.toThrow('database away')
  await expect(batcher.add({ items: [3], end: 3, bytes: 1 })).rejects.toThrow('database away')
  expect(stored).toEqual([1])
})

test('whoever waits for room is told of a commit that failed', async () => {
  let fail: (error: Error) => void = () => {}
  const batcher = new Batcher<number>(
    () =>
      new Promise((_, reject) => {
        fail = reject
      }),
    { maxBytes: 100 },
  )
  await batcher.add({ items: [1], end: 1, bytes: 1 })
  const full = batcher.add({ items: [2], end: 2, bytes: 200 })
  fail(new Error('database away'))
  await expect(full).rejects.toThrow('database away')
})
