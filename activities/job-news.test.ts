import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { channels } from '../store/channel.ts'
import type { Store } from '../store/database.ts'
import { notify } from '../store/notify.ts'
import { testStore } from '../store/testing.ts'
import { JobNews } from './job-news.ts'

let store: Store
beforeAll(async () => {
  store = await testStore('pglite')
})
afterAll(() => store.close())

const forEver = (signal: AbortSignal) => sleep(2 ** 31 - 1, undefined, { signal })

test('a wait ends when its job has changed, and not for others', async () => {
  const news = await JobNews.of(store, 7)
  let over = false
  const waiting = news.interrupt(new AbortController().signal, forEver).then(() => {
    over = true
  })
  await notify(store.db, channels.jobs, 8)
  // Notifications arrive in the order in which they were made.
  const other = await JobNews.of(store, 9)
  const heard = other.interrupt(new AbortController().signal, forEver)
  await notify(store.db, channels.jobs, 9)
  await heard
  expect(over).toBe(false)
  await notify(store.db, channels.jobs, 7)
  await waiting
  await Promise.all([news.end(), other.end()])
})

test('a wait that ends by itself, fails or is asked to stop does so as it would without', async () => {
  const news = await JobNews.of(store, 7)
  const never = new AbortController().signal
  await news.interrupt(never, async () => {})
  await expect(news.interrupt(never, () => Promise.reject(new Error('no')))).rejects.toThrow('no')
  const asked = new AbortController()
  const waiting = news.interrupt(asked.signal, forEver)
  asked.abort(new Error('stop'))
  await expect(waiting).rejects.toThrow('stop')
  await news.end()
})
