import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { makeEmptyPglite } from '../store/testing-pglite.ts'
import { type CompositionOptions, openComposition } from './compose.ts'
import { CommandError } from './errors.ts'
import { readSettings } from './settings.ts'

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mayfly-compose-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

function options(env: Record<string, string>, migrate: boolean): CompositionOptions {
  const all = { MAYFLY_DATA: folder, MAYFLY_SECRET_KEY_FILE: join(folder, 'key'), ...env }
  const { signal } = new AbortController()
  return { settings: readSettings(all), env: all, log: pino({ level: 'silent' }), migrate, signal }
}

const embedded = () => ({ MAYFLY_DATABASE_URL: `pglite://${join(folder, 'db')}` })

test('a database without schema is refused with the remedy, and is free again', async () => {
  await makeEmptyPglite(join(folder, 'db'))
  const refused = openComposition(options(embedded(), false))
  await expect(refused).rejects.toThrow(CommandError)
  await expect(refused).rejects.toMatchObject({ remedy: expect.stringContaining('mayfly migrate') })
  const { store } = await openComposition(options(embedded(), true))
  await store.close()
})

test('the first start makes the admin, later ones do not', async () => {
  const first = await openComposition(options(embedded(), true))
  await first.store.close()
  expect(first.generatedPassword).toMatch(/^.{20,}$/)
  const second = await openComposition(options(embedded(), false))
  await second.store.close()
  expect(second.generatedPassword).toBeUndefined()
  expect(second.installUuid).toBe(first.installUuid)
})

test('a server that does not answer is waited for, in bounds', async () => {
  const env = { MAYFLY_DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none', MAYFLY_STARTUP_TIMEOUT: '0.3' }
  await expect(openComposition(options(env, false))).rejects.toThrow('the database does not answer')
})

test('the wait ends when the process is asked to end', async () => {
  const controller = new AbortController()
  const waiting = openComposition({
    ...options({ MAYFLY_DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none' }, false),
    signal: controller.signal,
  })
  controller.abort(new Error('asked to end'))
  await expect(waiting).rejects.toThrow('asked to end')
})
