import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
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
  await lock[Symbol.asyncDispose]()
})

test('waiting ends with the signal', async () => {
  const lock = await holdLock(path, never)
  const controller = new AbortController()
  const waiting = holdLock(path, controller.signal)
  controller.abort(new Error('enough'))
  await expect(waiting).rejects.toThrow('enough')
  await lock[Symbol.asyncDispose]()
})

test('where no lock can be taken, that is said', async () => {
  await expect(holdLock(join(folder, 'no such folder', 'lock'), never)).rejects.toThrow(/unable to open/)
  writeFileSync(path, 'something else\n'.repeat(100))
  await expect(holdLock(path, never)).rejects.toThrow(/not a database/)
})

test('of many that wait for one that is killed, one comes in at a time, and is killed as well', async () => {
  const journal = join(folder, 'journal')
  const script = `import { holdLock } from ${JSON.stringify(new URL('./lock.ts', import.meta.url).href)}
import { appendFileSync } from 'node:fs'
const [path, journal] = process.argv.slice(1)
const lock = await holdLock(path, new AbortController().signal)
for (const word of ['in', 'there', 'there', 'out']) {
  appendFileSync(journal, word + ' ' + process.pid + '\\n')
  await new Promise((resolve) => setTimeout(resolve, 5))
}
process.kill(process.pid, 'SIGKILL')`
  const holders = Array.from({ length: 12 }, () =>
    spawn(process.execPath, ['--input-type=module', '-e', script, path, journal], { stdio: 'inherit' }),
  )
  await Promise.all(holders.map((holder) => once(holder, 'exit')))
  const lines = readFileSync(journal, 'utf8').trim().split('\n')
  const entered = lines.filter((line) => line.startsWith('in ')).map((line) => line.slice(3))
  expect(entered).toHaveLength(12)
  expect(lines).toEqual(entered.flatMap((pid) => ['in', 'there', 'there', 'out'].map((word) => `${word} ${pid}`)))
})
