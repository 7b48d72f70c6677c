import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { sql } from 'drizzle-orm'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openDatabase } from './database.ts'
import { FolderInUseError } from './folder-lock.ts'

describe('the embedded database in a folder', () => {
  let folder: string
  beforeAll(async () => {
    folder = join(await mkdtemp(join(tmpdir(), 'mayfly-pglite-')), 'database')
  })
  afterAll(() => rm(join(folder, '..'), { recursive: true, force: true }))

  test('is closed to others while open, and keeps its data', async () => {
    const url = `pglite://${folder}`
    const store = await openDatabase(url)
    await store.db.execute(sql`CREATE TABLE kept (word text)`)
    await store.db.execute(sql`INSERT INTO kept VALUES ('one')`)
    await expect(openDatabase(url)).rejects.toBeInstanceOf(FolderInUseError)
    await store.close()
    const again = await openDatabase(url)
    expect((await again.db.execute(sql`SELECT word FROM kept`)).rows).toEqual([{ word: 'one' }])
    await again.close()
  })

  test('keeps what was committed when its process is killed, and refuses a second process meanwhile', async () => {
    const url = `pglite://${folder}`
    const program = `
      import { openDatabase } from ${JSON.stringify(join(import.meta.dirname, 'database.ts'))}
      const store = await openDatabase(${JSON.stringify(url)})
      await store.db.execute("INSERT INTO kept VALUES ('two')")
      console.log('committed')
      setInterval(() => {}, 1000)
      for (;;) await store.db.execute("INSERT INTO kept VALUES ('more')")`
    const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    await once(createInterface(child.stdout), 'line')
    await expect(openDatabase(url)).rejects.toThrow(/open in process/)
    child.kill('SIGKILL')
    await once(child, 'exit')
    const store = await openDatabase(url)
    const words = await store.db.execute<{ word: string }>(sql`SELECT DISTINCT word FROM kept ORDER BY word`)
    expect(words.rows.map((row) => row.word)).toEqual(expect.arrayContaining(['one', 'two']))
    await store.close()
  })
})
