import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { privateFolder, writeFiles } from './local-folder.ts'

let root = ''
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'mayfly-updates-'))
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

/** Higher than the kernel gives. */
const deadPid = 99_999_999

test('a folder is private, holds the files of a run, and is gone afterwards', async () => {
  {
    await using folder = await privateFolder(root, 7)
    await writeFiles(folder.path, [{ path: 'env/tmp_1_key', content: 'secret', mode: 0o600 }])
    expect(statSync(folder.path).mode & 0o777).toBe(0o700)
    expect(statSync(join(folder.path, 'env/tmp_1_key')).mode & 0o777).toBe(0o600)
    expect(readFileSync(join(folder.path, 'env/tmp_1_key'), 'utf8')).toBe('secret')
  }
  expect(readdirSync(root)).toEqual([])
})

test('what dead processes of this machine left is removed, and nothing else', async () => {
  const left = `3_${hostname()}_${deadPid}_0a1b2c3d`
  const beforeUs = `4_${hostname()}_${process.pid}_0a1b2c3d`
  const alive = `5_${hostname()}_${process.ppid}_0a1b2c3d`
  const elsewhere = `6_another-machine_${deadPid}_0a1b2c3d`
  for (const name of [left, beforeUs, alive, elsewhere]) mkdirSync(join(root, name))
  {
    await using first = await privateFolder(root, 7)
    await using second = await privateFolder(root, 8)
    expect(readdirSync(root)).toHaveLength(4)
    expect(first.path).not.toBe(second.path)
  }
  expect(readdirSync(root).toSorted()).toEqual([alive, elsewhere].toSorted())
})
