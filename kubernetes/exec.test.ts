import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { WebSocket } from 'ws'
import type { ExecSession } from './exec.ts'
import { frame, ScriptedApiServer } from './testing/api-server.ts'

let server: ScriptedApiServer
beforeEach(async () => {
  server = await ScriptedApiServer.start()
})
afterEach(async () => {
  await server.stop()
})

const exec = (options = {}, command = ['true']) => server.cluster.exec('jobs', 'pod', 'worker', command, options)

async function outputOf(session: ExecSession): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of session.stdout) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

/** Sends frames and closes as the API server does. */
const script = (...frames: Buffer[]) => {
  server.onExec = (socket) => {
    for (const data of frames) socket.send(data)
    socket.close(1000)
  }
}

describe('what is asked', () => {
  test('the path, the command word by word, the token', async () => {
    let asked = { url: '', authorization: '', protocols: '' }
    server.onExec = (socket, _raw, { url = '', headers }) => {
      asked = { url, authorization: headers.authorization ?? '', protocols: headers['sec-websocket-protocol'] ?? '' }
      socket.send(frame.success())
      socket.close(1000)
    }
    await (await exec({}, ['sh', '-c', 'a b & "c"'])).result
    const url = new URL(asked.url, 'http://x')
    expect(url.pathname).toBe('/api/v1/namespaces/jobs/pods/pod/exec')
    expect(url.searchParams.getAll('command')).toEqual(['sh', '-c', 'a b & "c"'])
    expect(Object.fromEntries(url.searchParams)).toMatchObject({
      container: 'worker',
      stdin: 'false',
      stdout: 'true',
      stderr: 'true',
      tty: 'false',
    })
    expect(asked.authorization).toBe('Bearer token-of-the-test')
    expect(asked.protocols).toBe('v5.channel.k8s.io,v4.channel.k8s.io')
  })
})

describe('a terminal', () => {
  test('is asked for with its size, which can change; stderr is part of it', async () => {
    const sizes: unknown[] = []
    let query = new URLSearchParams()
    server.onExec = (socket, _raw, { url = '' }) => {
      query = new URL(url, 'http://x').searchParams
      socket.on('message', (data: Buffer) => {
        if (data[0] === 4) sizes.push(JSON.parse(data.subarray(1).toString()))
        if (sizes.length < 2) return
        socket.send(frame.success())
        socket.close(1000)
      })
    }
    const session = await exec({ stdin: 'open', terminal: { columns: 100, rows: 30 } })
    session.resize({ columns: 120, rows: 40 })
    await session.result
    expect(Object.fromEntries(query)).toMatchObject({ tty: 'true', stdin: 'true', stdout: 'true', stderr: 'false' })
    expect(sizes).toEqual([
      { Width: 100, Height: 30 },
      { Width: 120, Height: 40 },
    ])
  })
})

describe('how a command ends', () => {
  test('success, with both outputs apart', async () => {
    script(frame.stdout('out '), frame.stderr('err'), frame.stdout(''), frame.stdout('more'), frame.success())
    const onStderr = vi.fn()
    const session = await exec({ onStderr })
    expect(await outputOf(session)).toBe('out more')
    expect(await session.result).toEqual({ exitCode: 0 })
    expect(session.stderr).toBe('err')
    expect(onStderr).toHaveBeenCalledOnce()
  })

  test('an exit code', async () => {
    script(frame.stdout('x'), frame.exit(3))
    const session = await exec()
    expect(await outputOf(session)).toBe('x')
    expect(await session.result).toEqual({ exitCode: 3 })
  })

  test.each([
    'container not found ("worker")',
    'Internal error occurred: unable to upgrade connection: container not found ("worker")',
    'error executing command in container: container is in CONTAINER_EXITED state',
    'failed to exec in container: failed to load task: no running task found: task x not found',
    'failed to exec in container: failed to create exec "x": task 0a1b not found: not found',
    'failed to exec in container: failed to create exec "x": container not created: not found',
    'failed to exec in container: failed to create exec "x": cannot exec in a deleted state: unknown',
    'OCI runtime exec failed: exec failed: cannot exec in a stopped container: unknown',
  ])('a container that does not run: %s', async (message) => {
    script(frame.failure(message))
    const session = await exec()
    await expect(outputOf(session)).rejects.toMatchObject({ name: 'ContainerNotRunningError', detail: message })
    await expect(session.result).rejects.toMatchObject({ name: 'ContainerNotRunningError' })
  })

  test.each([
    'Internal error occurred: error sending request: Post "https://10.0.0.7:10250/exec/n/p/worker?command=sh": dial tcp 10.0.0.7:10250: connect: connection refused',
    'error dialing backend: dial tcp 10.0.0.7:10250: i/o timeout',
  ])('a node that does not answer: %s', async (message) => {
    script(frame.failure(message))
    await expect((await exec()).result).rejects.toMatchObject({
      name: 'ExecLostError',
      detail: message,
      transient: true,
    })
  })

  test('a command that is not in the image', async () => {
    script(frame.failure('OCI runtime exec failed: exec: "sh": executable file not found in $PATH: unknown'))
    await expect((await exec()).result).rejects.toMatchObject({ name: 'CommandNotStartedError' })
  })

  test.each([
    ['a close without status', [frame.stdout('half')]],
    ['a status that is cut off', [frame.stdout('half'), Buffer.from('\x03{"status":"Succ')]],
  ])('%s is a lost connection, after what was received', async (_name, frames) => {
    script(...frames)
    const session = await exec()
    let got = ''
    const reading = (async () => {
      for await (const chunk of session.stdout) got += chunk
    })()
    await expect(reading).rejects.toMatchObject({ name: 'ExecLostError' })
    expect(got).toBe('half')
  })

  test('only the last 64 KiB of stderr are kept', async () => {
    script(frame.stderr('a'.repeat(60_000)), frame.stderr('b'.repeat(60_000)), frame.success())
    const session = await exec()
    await session.result
    expect(session.stderr).toHaveLength(65_536)
    expect(session.stderr.endsWith('b'.repeat(60_000))).toBe(true)
  })
})

describe('a refused upgrade', () => {
  const status = (code: number, message: string, reason = '') => ({
    kind: 'Status',
    status: 'Failure',
    code,
    message,
    reason,
  })

  test.each([
    [404, 'pods "pod" not found', 'NotFoundError'],
    [
      403,
      'pods "pod" is forbidden: User "x" cannot get resource "pods/exec" in API group "" in the namespace "jobs"',
      'ForbiddenError',
    ],
    [401, 'Unauthorized', 'UnauthorizedError'],
    [400, 'container nope is not valid for pod pod', 'InvalidObjectError'],
    [400, 'pod pod does not have a host assigned', 'ContainerNotRunningError'],
    [500, 'unable to upgrade connection: pod does not exist', 'ContainerNotRunningError'],
    [500, 'error dialing backend: dial tcp 10.0.0.1:10250: connect: connection refused', 'ServerError'],
    [503, 'apiserver not ready', 'ServerError'],
  ])('%i %s', async (code, message, name) => {
    server.refuseExec = { status: code, body: status(code, message) }
    const error = await exec().catch((caught: Error) => caught)
    expect(error).toMatchObject({ name })
    expect(JSON.stringify(error) + String(error)).not.toContain('token-of-the-test')
  })

  test('a server that is away', async () => {
    await server.stop()
    await expect(exec()).rejects.toMatchObject({ name: 'UnreachableError', reason: 'refused' })
    server = await ScriptedApiServer.start()
  })
})

describe('stdin', () => {
  const collect = (socket: WebSocket, done: (pieces: Buffer[]) => void) => {
    const pieces: Buffer[] = []
    socket.on('message', (data: Buffer) => {
      if (data[0] === 255) return done(pieces)
      pieces.push(data.subarray(1))
    })
  }

  test('is sent in small pieces and closed', async () => {
    let sizes: number[] = []
    server.onExec = (socket) =>
      collect(socket, (pieces) => {
        sizes = pieces.map((piece) => piece.length)
        socket.send(frame.success())
        socket.close(1000)
      })
    async function* stdin() {
      yield Buffer.alloc(150_000)
      yield Buffer.from('end')
    }
    await (await exec({ stdin: stdin() })).result
    expect(sizes).toEqual([65_536, 65_536, 18_928, 3])
  })

  test('that fails ends the command with its error', async () => {
    async function* stdin() {
      yield Buffer.from('x')
      throw new Error('the source broke')
    }
    const session = await exec({ stdin: stdin() })
    await expect(session.result).rejects.toThrow('the source broke')
    await expect(outputOf(session)).rejects.toThrow('the source broke')
  })

  test('a server that offers only v4 is served', async () => {
    server.protocols = ['v4.channel.k8s.io']
    server.onExec = (socket) =>
      socket.on('message', (data: Buffer) => {
        socket.send(frame.stdout(data.subarray(1)))
        socket.send(frame.success())
        socket.close(1000)
      })
    async function* stdin() {
      yield Buffer.from('counted')
    }
    expect(await outputOf(await exec({ stdin: stdin() }))).toBe('counted')
  })
})
