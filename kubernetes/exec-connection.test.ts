/** What becomes of an exec whose connection or reader is not as it should be. */
import { once } from 'node:events'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { WebSocket } from 'ws'
import { frame, ScriptedApiServer } from './testing/api-server.ts'

let server: ScriptedApiServer
beforeEach(async () => {
  server = await ScriptedApiServer.start()
})
afterEach(async () => {
  vi.useRealTimers()
  await server.stop()
})

const exec = (options = {}) => server.cluster.exec('jobs', 'pod', 'worker', ['true'], options)

describe('connections that go bad', () => {
  test('dropped: lost at once', async () => {
    server.onExec = (_socket, raw) => raw.destroy()
    await expect((await exec({ stdin: 'open' })).result).rejects.toMatchObject({ name: 'ExecLostError' })
  })

  test('half-open: lost after two pings without answer', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
    const opened = new Promise<void>((resolve) => {
      server.onExec = (socket, raw) => {
        // Nothing of ours is looked at any more, as behind a router that forgot the connection.
        socket.removeAllListeners()
        raw.pause()
        raw.removeAllListeners('data')
        resolve()
      }
    })
    const session = await exec({ stdin: 'open' })
    await opened
    await vi.advanceTimersByTimeAsync(5_000)
    await vi.advanceTimersByTimeAsync(5_000)
    await expect(session.result).rejects.toMatchObject({ name: 'ExecLostError' })
  })

  test('pinged: stays', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
    let socket: WebSocket | undefined
    server.onExec = (accepted) => {
      socket = accepted
    }
    const session = await exec({ stdin: 'open' })
    for (let i = 0; i < 5; i++) {
      const pinged = once(socket as WebSocket, 'ping')
      await vi.advanceTimersByTimeAsync(5_000)
      await pinged
      await vi.waitFor(() => expect(socket?.readyState).toBe(1), 60_000)
      // The pong must be here before the next period begins.
      const echoed = once(socket as WebSocket, 'pong')
      socket?.ping()
      await echoed
    }
    socket?.send(frame.success())
    socket?.close(1000)
    expect(await session.result).toEqual({ exitCode: 0 })
  })

  test('stopped by a reader that does not read: given up after two minutes', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
    const sent = new Promise<void>((resolve) => {
      server.onExec = (socket) => {
        for (let i = 0; i < 40; i++) socket.send(frame.stdout(Buffer.alloc(65_536)))
        resolve()
      }
    })
    const session = await exec({ stdin: 'open' })
    await sent
    const iterator = session.stdout[Symbol.asyncIterator]()
    await iterator.next()
    await vi.waitFor(async () => {
      await vi.advanceTimersByTimeAsync(120_000)
      await expect(Promise.race([session.result, Promise.resolve('still open')])).rejects.toMatchObject({
        name: 'ExecLostError',
      })
    }, 60_000)
  })

  test('abort() ends both sides', async () => {
    const closed = new Promise((resolve) => {
      server.onExec = (socket) => socket.once('close', resolve)
    })
    const session = await exec({ stdin: 'open' })
    session.abort()
    await expect(session.result).rejects.toMatchObject({ name: 'ExecLostError' })
    await closed
  })

  test('an aborted signal is the reason everybody gets', async () => {
    const stop = new AbortController()
    const session = await exec({ stdin: 'open', signal: stop.signal })
    stop.abort(new Error('enough'))
    await expect(session.result).rejects.toThrow('enough')
    await expect(exec({ signal: stop.signal })).rejects.toThrow('enough')
  })
})

test('a slow reader stops the sender, and gets every byte', async () => {
  const pieces = 600
  let sent = 0
  server.onExec = async (socket) => {
    for (; sent < pieces; sent++) {
      await new Promise((resolve) => socket.send(frame.stdout(Buffer.alloc(65_536, sent)), resolve))
    }
    socket.send(frame.success())
    socket.close(1000)
  }
  const session = await exec({ stdin: 'open' })
  const iterator = session.stdout[Symbol.asyncIterator]()
  await iterator.next()
  let before = -1
  await vi.waitFor(
    () => {
      const now = sent
      const same = now === before
      before = now
      expect(same).toBe(true)
    },
    { interval: 200, timeout: 60_000 },
  )
  expect(sent).toBeLessThan(pieces)
  let bytes = 65_536
  for (let step = await iterator.next(); !step.done; step = await iterator.next()) bytes += step.value.length
  expect(bytes).toBe(pieces * 65_536)
  expect(await session.result).toEqual({ exitCode: 0 })
})
