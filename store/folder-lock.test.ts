import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { FolderInUseError, lockFolder } from './folder-lock.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mayfly-folder-lock-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

test('one holds it, until it gives it back', async () => {
  const unlock = await lockFolder(folder)
  await expect(lockFolder(folder)).rejects.toThrow(FolderInUseError)
  await expect(lockFolder(folder)).rejects.toThrow(/already open in this process/)
  await unlock()
  const again = await lockFolder(folder)
  // Given back twice, it is not taken from whoever holds it now.
  await unlock()
  await expect(lockFolder(folder)).rejects.toThrow(FolderInUseError)
  await again()
})

test('of many that try at once one comes in at a time, though each is killed while it holds it', async () => {
  const journal = join(folder, 'journal')
  const script = `import { FolderInUseError, lockFolder } from ${JSON.stringify(join(import.meta.dirname, 'folder-lock.ts'))}
import { appendFileSync } from 'node:fs'
const [folder, journal] = process.argv.slice(1)
const rest = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds))
while (!(await lockFolder(folder).catch((error) => {
  if (!(error instanceof FolderInUseError)) throw error
}))) await rest(2)
for (const word of ['in', 'there', 'there', 'out']) {
  appendFileSync(journal, word + ' ' + process.pid + '\\n')
  await rest(5)
}
process.kill(process.pid, 'SIGKILL')`
  const holders = Array.from({ length: 12 }, () =>
    spawn(process.execPath, ['--input-type=module', '-e', script, folder, journal], { stdio: 'inherit' }),
  )
  await Promise.all(holders.map((holder) => once(holder, 'exit')))
  const lines = readFileSync(journal, 'utf8').trim().split('\n')
  const entered = lines.filter((line) => line.startsWith('in ')).map((line) => line.slice(3))
  expect(entered).toHaveLength(12)
  expect(lines).toEqual(entered.flatMap((pid) => ['in', 'there', 'there', 'out'].map((word) => `${word} ${pid}`)))
})
