import type { AddressInfo } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'
import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import { pino } from 'pino'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { DatabaseUnavailableError } from '../store/errors.ts'
import { bodyStream } from './body-stream.ts'
import type { ApiDeps } from './context.ts'
import { errorResponse, toApiError } from './error-response.ts'

const deps = { log: pino({ level: 'silent' }) } as unknown as ApiDeps
const [ended, cancelled] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
const size = 100_000

/** So many pieces, at once or one each turn; then what the last word says. */
async function* pieces(count: number, pace: string, then: string): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    for (let made = 0; made < count || then === 'endless'; made++) {
      if (pace === 'slow') for (let turns = 0; turns < 20; turns++) await turn()
      yield Buffer.alloc(size, 0x78)
    }
    if (pace === 'slow') for (let turns = 0; turns < 20; turns++) await turn()
    if (then === 'away') throw new DatabaseUnavailableError('database unavailable: its address')
  } finally {
    ended.resolve()
  }
}

let server: ReturnType<typeof serve>
let url: string
beforeAll(async () => {
  const app = new Hono<{ Bindings: { outgoing: { destroy(): void } } }>()
  // Like the API's own: the server treats answers whose headers were looked at in another way.
  app.use(async (c, next) => {
    await next()
    c.res.headers.set('X-API-Node', 'mayfly-1')
  })
  app.get('/:count/:pace/:then', async (c) => {
    const { count, pace, then } = c.req.param()
    const cutConnection = () => c.env.outgoing.destroy()
    try {
      const asked = { deps, cutConnection, request: c.req.raw }
      return new Response(await bodyStream(pieces(Number(count), pace, then), asked, cancelled.resolve))
    } catch (error) {
      return errorResponse(toApiError(error, deps.log))
    }
  })
  server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' })
  await new Promise((resolve) => server.once('listening', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(() => new Promise((resolve) => server.close(resolve)))

for (const pace of ['fast', 'slow']) {
  test.each([0, 1, 2, 3, 9])(`all of %i pieces, ${pace}`, async (count) => {
    expect((await (await fetch(`${url}/${count}/${pace}/end`)).text()).length).toBe(count * size)
  })

  test.each([1, 2, 3, 9])(
    `what fails after %i pieces, ${pace}, does not end as if it were whole, and says nothing of why`,
    async (count) => {
      const printed = vi.spyOn(console, 'error')
      let text = ''
      const read = async () => {
        const response = await fetch(`${url}/${count}/${pace}/away`)
        const decoder = new TextDecoder()
        for await (const piece of response.body ?? []) text += decoder.decode(piece)
      }
      await expect(read()).rejects.toThrow(/terminated|fetch failed/)
      expect(text.replaceAll('x', '')).toBe('')
      expect(printed).not.toHaveBeenCalled()
      printed.mockRestore()
    },
  )

  test(`what fails before the first piece, ${pace}, is refused`, async () => {
    const response = await fetch(`${url}/0/${pace}/away`)
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '5'])
    expect(await response.json()).toEqual({ detail: expect.stringContaining('database does not answer') })
  })
}

test('HEAD reads nothing', async () => {
  const response = await fetch(`${url}/0/fast/away`, { method: 'HEAD' })
  expect([response.status, await response.text()]).toEqual([200, ''])
})

test('whoever hangs up ends it', async () => {
  const response = await fetch(`${url}/0/fast/endless`)
  await response.body?.cancel()
  await cancelled.promise
  await ended.promise
})

test('whoever hangs up while a piece is being made is no failure', async () => {
  const [begun, making] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  async function* slow(): AsyncGenerator<Uint8Array, void, undefined> {
    yield new Uint8Array(1)
    begun.resolve()
    await making.promise
    yield new Uint8Array(1)
  }
  const cutConnection = vi.fn()
  const warn = vi.fn()
  const asked = { deps: { log: { warn, error: warn } }, cutConnection, request: { method: 'GET' } }
  const stream = await bodyStream(slow(), asked as unknown as Parameters<typeof bodyStream>[1])
  const reader = stream?.getReader()
  await reader?.read()
  const second = reader?.read()
  await begun.promise
  const gone = reader?.cancel()
  making.resolve()
  await Promise.all([second, gone])
  // Everything that was promised has happened by the next turn.
  await new Promise(setImmediate)
  expect([cutConnection.mock.calls, warn.mock.calls]).toEqual([[], []])
})
