import { expect, test } from 'vitest'
import { createPasswordVerifier, hashPassword, verifyPassword } from './passwords.ts'

test('hashes with argon2id and verifies', async () => {
  const hash = await hashPassword('correct horse')
  expect(hash).toMatch(/^\$argon2id\$/)
  expect(await verifyPassword(hash, 'correct horse')).toBe(true)
  expect(await verifyPassword(hash, 'wrong horse')).toBe(false)
})

/** Processor time that `work` takes, in microseconds. Other threads of the process may add to it, and nothing takes from it. */
async function costOf(work: () => Promise<unknown>): Promise<number> {
  const begin = process.cpuUsage()
  await work()
  const { user, system } = process.cpuUsage(begin)
  return user + system
}

/** The middle one of nine. */
async function medianCost(work: () => Promise<unknown>): Promise<number> {
  const costs: number[] = []
  for (let round = 0; round < 9; round++) costs.push(await costOf(work))
  return costs.sort((one, other) => one - other)[4] ?? 0
}

test('an unknown user costs as much as a known one', async () => {
  const hash = await hashPassword('correct horse')
  const known = await medianCost(() => verifyPassword(hash, 'wrong horse'))
  const unknown = await medianCost(() => verifyPassword(null, 'wrong horse'))
  expect(unknown).toBeGreaterThan(known / 3)
  expect(await verifyPassword(null, 'correct horse')).toBe(false)
})

test('remembers a success for a while, a failure never, and no password beyond a change', async () => {
  let now = 0
  const verify = createPasswordVerifier({ ttlMs: 1000, entries: 1, now: () => now })
  const hash = await hashPassword('correct horse')
  const aCheck = await medianCost(() => verifyPassword(hash, 'wrong horse'))
  const work = async (password: string) => {
    let valid = false
    const cost = await costOf(async () => {
      valid = await verify(hash, password)
    })
    return { valid, worked: cost > aCheck / 3 }
  }
  expect(await work('correct horse')).toEqual({ valid: true, worked: true })
  // What is remembered once costs nothing, whatever else the process does at the time of one of them.
  const again = [await work('correct horse'), await work('correct horse'), await work('correct horse')]
  expect(again).toContainEqual({ valid: true, worked: false })
  expect(await work('wrong horse')).toEqual({ valid: false, worked: true })
  expect(await work('wrong horse')).toEqual({ valid: false, worked: true })
  now = 1001
  expect(await work('correct horse')).toEqual({ valid: true, worked: true })
  expect(await verify(await hashPassword('new horse'), 'correct horse')).toBe(false)
})
