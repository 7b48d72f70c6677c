import { createReadStream, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { SpoolReader, type SpoolRecord } from '../runner/stream.ts'
import { writeSpool } from './spool.ts'

test('a made spool is whole: counters without gap, an end, and the size that was told', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'mayfly-spool-'))
  try {
    const file = join(folder, 'spool')
    const size = await writeSpool(file, 500)
    expect(size).toBe(statSync(file).size)
    const reader = new SpoolReader()
    const records: SpoolRecord[] = []
    for await (const chunk of createReadStream(file)) records.push(...reader.push(chunk as Buffer))
    records.push(...reader.finish())
    expect(records.filter(({ kind }) => kind === 'event')).toHaveLength(500)
    expect(records.filter(({ kind }) => kind === 'damage' || kind === 'noise')).toEqual([])
    expect(records.at(-1)?.kind).toBe('eof')
  } finally {
    rmSync(folder, { recursive: true })
  }
})
