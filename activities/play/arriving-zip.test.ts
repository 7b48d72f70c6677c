import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { ArrivingZip } from './arriving-zip.ts'

const folder = mkdtempSync(join(tmpdir(), 'mayfly-arriving-zip-'))
afterAll(() => rmSync(folder, { recursive: true }))

const path = (name: string) => join(folder, 'artifacts', name)

test('a small zip stays in memory, and one that begins again is only what came since', async () => {
  const zip = new ArrivingZip(path('small.zip'))
  await zip.begin()
  await zip.append(Buffer.from('of a reader that was cut off'))
  await zip.begin()
  await zip.append(Buffer.from('all '))
  await zip.append(Buffer.from('of it'))
  expect(await zip.end()).toEqual(Buffer.from('all of it'))
  expect(existsSync(path('small.zip'))).toBe(false)
})

test('a large zip is a file, which is removed with what it was to be', async () => {
  const piece = Buffer.alloc(100_000, 'x')
  const zip = new ArrivingZip(path('large.zip'))
  await zip.begin()
  for (let count = 0; count < 5; count++) await zip.append(piece)
  expect(await zip.end()).toBe(path('large.zip'))
  expect(readFileSync(path('large.zip'))).toEqual(Buffer.alloc(500_000, 'x'))
  await zip.discard()
  expect(existsSync(path('large.zip'))).toBe(false)

  await zip.begin()
  for (let count = 0; count < 5; count++) await zip.append(piece)
  await zip.begin()
  expect(existsSync(path('large.zip')), 'it began again').toBe(false)
  await zip.append(Buffer.from('small'))
  expect(await zip.end()).toEqual(Buffer.from('small'))
})
