import { expect, test } from 'vitest'
import { createPasswordVerifier, hashPassword, verifyPassword } from './passwords.ts'

test('hashes with argon2id and verifies', async () => {
  const hash = await hashPassword('correct horse')
  expect(hash).toMatch(/^\$argon2id\$/)
  expect(await verifyPassword(hash, 'correct horse')).toBe(true)
  expect(await verifyPassword(hash, 'wrong horse')).toBe(false)
})

test('an unknown user costs as much as a known one', async () => {
  const hash = await hashPassword('correct horse')
  const timed = async (known: string | null) => {
    const times: number[] = []
    for (let round = 0; round < 9; round++) {
      const begin = process.cpuUsage()
      await verifyPassword(known, 'wrong horse')
      const used = process.cpuUsage(begin)
      times.push(used.user + used.system)
    }
    return times.sort((one, other) => one - other)[4] ?? 0
  }
  const [known, unknown] = [await timed(hash), await timed(null)]
  expect(unknown).toBeGreaterThan(known / 3)
  expect(await verifyPassword(null, 'correct horse')).toBe(false)
})

test('remembers a success for a while, a failure never, and no password beyond a change', async () => {
  let now = 0
  const verify = createPasswordVerifier({ ttlMs: 1000, entries: 1, now: () => now })
  const hash = await hashPassword('correct horse')
  const work = async (password: string) => {
    const begin = process.cpuUsage()
    const valid = await verify(hash, password)
    const { user, system } = process.cpuUsage(begin)
    return { valid, worked: user + system > 6_000 }
  }
  expect(await work('correct horse')).toEqual({ valid: true, worked: true })
  expect(await work('correct horse')).toEqual({ valid: true, worked: false })
  expect(await work('wrong horse')).toEqual({ valid: false, worked: true })
  expect(await work('wrong horse')).toEqual({ valid: false, worked: true })
  now = 1001
  expect(await work('correct horse')).toEqual({ valid: true, worked: true })
  expect(await verify(await hashPassword('new horse'), 'correct horse')).toBe(false)
})
