import { eq } from 'drizzle-orm'
import { pino } from 'pino'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Store } from '../../store/database.ts'
import { groupBrakes } from '../../store/schema/runtime.ts'
import { testStore } from '../../store/testing.ts'
import { makeGroup } from '../../store/testing-data.ts'
import { BrakeRecord } from './brake-record.ts'

let store: Store
beforeAll(async () => {
  store = await testStore('pglite')
})
afterAll(() => store.close())

const full = { kind: 'quota', reason: 'used up' } as const

/** The record of a group, over a store that does not take the next writes of a kind. */
async function recordOf() {
  const groupId = await makeGroup(store.db)
  const refusals = { insert: 0, delete: 0 }
  const db = new Proxy(store.db, {
    get(target, key) {
      if ((key === 'insert' || key === 'delete') && refusals[key] > 0) {
        refusals[key]--
        throw new Error('the database is away')
      }
      return Reflect.get(target, key, target)
    },
  })
  const record = new BrakeRecord({ store: { ...store, db }, log: pino({ level: 'silent' }) }, groupId, () => {})
  const written = async () => {
    const [row] = await store.db.select().from(groupBrakes).where(eq(groupBrakes.instanceGroupId, groupId))
    return row?.kind ?? 'open'
  }
  const comesTo = (kind: string) => expect.poll(written, { timeout: 60_000 }).toBe(kind)
  return { record, refusals, written, comesTo }
}

test('a brake that closes is on record at once, and not any more when it has been open for a while', async () => {
  const { record, written, comesTo } = await recordOf()
  record.show(full)
  await record.settled()
  expect(await written()).toBe('quota')
  record.show(null)
  await comesTo('open')
  await record.stop()
})

test('what the store did not take is written when it does', async () => {
  const { record, refusals, comesTo } = await recordOf()
  refusals.insert = 1
  record.show(full)
  await record.settled()
  await comesTo('quota')
  refusals.delete = 2
  record.show(null)
  await comesTo('open')
  await record.stop()
})

test('a worker that is asked to end writes what the store did not take before', async () => {
  const { record, refusals, written } = await recordOf()
  record.show(full)
  await record.settled()
  refusals.delete = 1
  record.show(null)
  await expect.poll(() => refusals.delete, { timeout: 60_000 }).toBe(0)
  await record.stop()
  expect(await written()).toBe('open')
})
