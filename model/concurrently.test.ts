import { expect, test } from 'vitest'
import { eachConcurrently } from './concurrently.ts'

/** Notes what is under way, and ends it when told to. */
class Work {
  readonly begun: number[] = []
  readonly #ends = new Map<number, PromiseWithResolvers<void>>()

  do = async (item: number): Promise<void> => {
    this.begun.push(item)
    const end = Promise.withResolvers<void>()
    this.#ends.set(item, end)
    await end.promise
  }

  async end(item: number, error?: Error): Promise<void> {
    if (error) this.#ends.get(item)?.reject(error)
    else this.#ends.get(item)?.resolve()
    await new Promise(setImmediate)
  }
}

test('begins the items in order, and another one only when one has ended', async () => {
  const work = new Work()
  const all = eachConcurrently([1, 2, 3, 4].values(), 2, work.do)
  expect(work.begun).toEqual([1, 2])
  await work.end(2)
  expect(work.begun).toEqual([1, 2, 3])
  await work.end(3)
  await work.end(1)
  await work.end(4)
  await all
  expect(work.begun).toEqual([1, 2, 3, 4])
})

test('tells of the first error, and goes on with the rest', async () => {
  const work = new Work()
  const all = eachConcurrently([1, 2, 3], 2, work.do)
  const told = expect(all).rejects.toThrow('one')
  await work.end(1, new Error('one'))
  await told
  await work.end(2)
  expect(work.begun).toEqual([1, 2, 3])
})

test('is done at once where there is nothing to do', async () => {
  await eachConcurrently([], 3, () => Promise.reject(new Error('never')))
})
