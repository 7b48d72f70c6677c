import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { ArtifactsZip } from './artifacts-zip.ts'
import { LeftFilesError, leftFiles } from './left-files.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mayfly-left-files-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** A zip as the runner makes it, by the same library; values are Python expressions. */
function zipOf(files: Record<string, string>): string {
  const path = join(folder, 'all.zip')
  const script = `
import sys, zipfile
with zipfile.ZipFile(sys.argv[1], 'w', compression=zipfile.ZIP_DEFLATED, allowZip64=True) as z:
${Object.entries(files)
  .map(([name, content]) => `    z.writestr(${JSON.stringify(name)}, ${content})`)
  .join('\n')}
`
  execFileSync('python3', ['-c', script, path])
  return path
}

async function kept(zip: ArtifactsZip): Promise<Buffer> {
  const pieces: Buffer[] = []
  for await (const piece of leftFiles(zip)) pieces.push(piece)
  return Buffer.concat(pieces)
}

const read = `
import sys, zipfile, json
z = zipfile.ZipFile(sys.argv[1])
print(json.dumps([z.testzip(), {i.filename: [z.read(i)[:20].decode(), i.file_size, oct(i.external_attr >> 16)] for i in z.infolist()}]))`

test('files of the play are kept as they were, those of the runner are not', async () => {
  const path = zipOf({
    command: `'{"env": {"TOKEN": "secret"}}'`,
    ...{ rc: `'0'`, status: `'successful'`, 'job_events/': `''`, 'fact_cache/h1': `'{}'`, 'job_events/1.json': `''` },
    'report.txt': `'all is well'`,
    'reports/': `''`,
    'reports/größe.html': `'<p>' * 100000`,
    'zeros.bin': `'\\0' * 50000000`,
    empty: `''`,
    'back\\slash': `'kept'`,
  })
  const zip = await kept(path)
  expect(zip.length).toBeLessThan(100_000)
  expect(zip.includes('command')).toBe(false)
  expect(await kept(readFileSync(path)), 'from memory').toEqual(zip)
  writeFileSync(join(folder, 'kept.zip'), zip)
  const [damaged, files] = JSON.parse(
    execFileSync('python3', ['-c', read, join(folder, 'kept.zip')], { encoding: 'utf8' }),
  )
  expect(damaged).toBeNull()
  expect(files).toEqual({
    'report.txt': ['all is well', 11, '0o600'],
    'reports/größe.html': ['<p><p><p><p><p><p><p', 300_000, '0o600'],
    'zeros.bin': ['\0'.repeat(20), 50_000_000, '0o600'],
    empty: ['', 0, '0o600'],
    'back\\slash': ['kept', 4, '0o600'],
  })
})

test('nothing, when the play left nothing', async () => {
  expect(await kept(zipOf({ command: `'{}'`, rc: `'0'`, 'fact_cache/h1': `'{}'` }))).toHaveLength(0)
})

test('what is no zip is said', async () => {
  const path = join(folder, 'none.zip')
  writeFileSync(path, 'no zip')
  await expect(kept(path)).rejects.toThrow(LeftFilesError)
})
