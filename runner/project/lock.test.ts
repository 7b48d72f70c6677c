import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { holdLock } from './lock.ts'

let folder = ''
let path = ''
const never = new AbortController().signal
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mayfly-lock-'))
  path = join(folder, 'lock')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

test('one holds it at a time', async () => {
  let holders = 0
  let most = 0
  await Promise.all(
    Array.from({ length: 5 }, async () => {
      const lock = await holdLock(path, never)
      holders += 1
      most = Math.max(most, holders)
      await new Promise((resolve) => setImmediate(resolve))
      holders -= 1
      await lock[Symbol.asyncDispose]()
    }),
  )
  expect(most).toBe(1)
  expect(existsSync(path)).toBe(false)
})

test('a holder that was killed is noticed', async () => {
  const script = `import { holdLock } from ${JSON.stringify(new URL('./lock.ts', import.meta.url).href)}
await holdLock(process.argv[1], new AbortController().signal); console.log('held'); setInterval(() => {}, 1000)`
  const holder = spawn(process.execPath, ['--input-type=module', '-e', script, path], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await once(holder.stdout, 'data')
  const waiting = holdLock(path, never)
  holder.kill('SIGKILL')
  const lock = await waiting
  expect(existsSync(path)).toBe(true)
  await lock[Symbol.asyncDispose]()
})

test('an owner elsewhere that has gone silent is given up, a living one is not', async () => {
  const owner = JSON.stringify({ host: `not-${hostname()}`, pid: 1, started: '1' })
  writeFileSync(path, owner)
  const controller = new AbortController()
  const waiting = holdLock(path, controller.signal)
  controller.abort(new Error('enough'))
  await expect(waiting).rejects.toThrow('enough')
  const long = new Date(Date.now() - 120_000)
  utimesSync(path, long, long)
  const lock = await holdLock(path, never)
  expect(existsSync(path)).toBe(true)
  await lock[Symbol.asyncDispose]()
})
