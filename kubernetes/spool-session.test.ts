import { createHash, randomBytes } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { afterEach, describe, expect, test, vi } from 'vitest'
import type { ExecOptions, ExecSession } from './exec.ts'
import { ExecLostError } from './exec-errors.ts'
import type { PodAccess } from './pod-talk.ts'
import { wrapperArgs } from './scripts.ts'
import { acknowledge, deliverPayload, readSpool } from './spool.ts'
import type { SpoolSession } from './spool-session.ts'
import { LocalPod, type Tools } from './testing/local-pod.ts'

const signal = AbortSignal.timeout(600_000)
const pods: LocalPod[] = []
/** The command's $1 is the pod's folder. */
function podRunning(command: string, tools: Tools = 'gnu'): LocalPod {
  const pod = new LocalPod(tools)
  pods.push(pod)
  pod.start(wrapperArgs(['sh', '-c', command, 'sh', pod.folder]))
  return pod
}
afterEach(async () => {
  for (const pod of pods.splice(0)) await pod.remove()
})

async function delivered(pod: LocalPod, payload: Uint8Array | string = 'work'): Promise<SpoolSession> {
  const bytes = Buffer.from(payload)
  return (await deliverPayload(pod, pod.ref, bytes, bytes.length, signal)) ?? expect.fail('it was started before')
}

async function readAll(pod: LocalPod, session: SpoolSession | null): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of readSpool(pod, pod.ref, 0, signal, session)) chunks.push(chunk)
  return Buffer.concat(chunks)
}

const sha = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')
const spoolOf = (pod: LocalPod) => readFileSync(join(pod.folder, 'spool', 'out'))
const isAcknowledged = (pod: LocalPod) => existsSync(join(pod.folder, 'in', 'ack'))

const isOfContainer = (words: string) => words.includes('shift 2') || words.startsWith('sh -c cat;')
/** What `seq 1 500` prints. */
const sequence = Array.from({ length: 500 }, (_, index) => `${index + 1}\n`).join('')
/** Command lines of living processes that mention the pod's folder, but for the wrapper's and the runner's. */
const scriptsIn = (pod: LocalPod) =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
        return words.includes(pod.folder) && !isOfContainer(words) ? [words.slice(0, 80)] : []
      } catch {
        return []
      }
    })

describe.each(['gnu', 'small'] as const)('with %s tools', (tools) => {
  test('payload, output and acknowledgement go over one connection', async () => {
    const pod = podRunning('cat; i=0; while [ $i -lt 40 ]; do seq 1 50; sleep 0.01; i=$((i+1)); done; exit 5', tools)
    const payload = randomBytes(300_000)
    const session = await delivered(pod, payload)
    const execs = pod.execs
    const output = await readAll(pod, session)
    expect(sha(output.subarray(0, payload.length))).toBe(sha(payload))
    expect(sha(output)).toBe(sha(spoolOf(pod)))
    expect(await session.acknowledge(output.length, signal)).toBe(true)
    expect(await pod.ended()).toBe(5)
    expect(pod.execs).toBe(execs)
    await vi.waitFor(() => expect(scriptsIn(pod)).toEqual([]), { timeout: 120_000 })
  })

  test('whoever leaves at the last record acknowledges over it, although the runner has not ended yet', async () => {
    const pod = podRunning('cat; echo eof; sleep 0.5; exit 2', tools)
    const session = await delivered(pod, 'abc')
    let output = ''
    for await (const chunk of readSpool(pod, pod.ref, 0, signal, session)) {
      output += chunk
      if (output.endsWith('eof\n')) break
    }
    expect(await session.acknowledge(output.length, signal)).toBe(true)
    expect(await pod.ended()).toBe(2)
  })

  test('hanging up leaves no process in the pod, and its output to the next reader', async () => {
    const pod = podRunning('cat; echo here; sleep 30', tools)
    const session = await delivered(pod, 'abc')
    for await (const _ of readSpool(pod, pod.ref, 0, signal, session)) break
    session.close()
    await vi.waitFor(() => expect(scriptsIn(pod)).toEqual([]), { timeout: 120_000 })
    for await (const chunk of readSpool(pod, pod.ref, 3, signal)) {
      expect(chunk.toString()).toBe('here\n')
      break
    }
  })

  test.each([1, 2, 3])('a connection that breaks after piece %i of the output is followed by others', async (last) => {
    // Each piece is printed when as many have come before, so that none comes together with another.
    const pod = podRunning(
      'cat; for i in 1 2 3 4 5 6 7 8; do seq 1 500; until [ -e "$1/come-$i" ]; do sleep 0.02; done; done',
      tools,
    )
    const session = await delivered(pod)
    let pieces = 0
    pod.onOutput = (exec) => {
      writeFileSync(join(pod.folder, `come-${++pieces}`), '')
      if (pieces === last) exec.lose()
    }
    const execs = pod.execs
    const output = await readAll(pod, session)
    expect(sha(output)).toBe(sha(spoolOf(pod)))
    expect(pod.execs).toBe(execs + 1)
    expect(await session.acknowledge(output.length, signal)).toBe(false)
    expect(await acknowledge(pod, pod.ref, output.length, signal)).toMatchObject({ exitCode: 0 })
    expect(await pod.ended()).toBe(0)
  })
})

describe('an acknowledgement', () => {
  test('of another size is refused, and the pod goes on waiting', async () => {
    const pod = podRunning('cat;')
    const session = await delivered(pod, 'seven b')
    await readAll(pod, session)
    expect(await session.acknowledge(5, signal)).toBe(false)
    expect(isAcknowledged(pod)).toBe(false)
    await expect(acknowledge(pod, pod.ref, 5, signal)).rejects.toMatchObject({ size: 7, expected: 5 })
    expect(await acknowledge(pod, pod.ref, 7, signal)).toMatchObject({ exitCode: 0 })
  })

  test('is not made by who only hangs up', async () => {
    const pod = podRunning('cat;')
    const session = await delivered(pod, 'abc')
    expect((await readAll(pod, session)).toString()).toBe('abc')
    session.close()
    await vi.waitFor(() => expect(scriptsIn(pod)).toEqual([]), { timeout: 120_000 })
    expect(isAcknowledged(pod)).toBe(false)
  })

  test('over a connection that is lost is made again over another one', async () => {
    const pod = podRunning('cat;')
    const session = await delivered(pod, 'abc')
    await readAll(pod, session)
    pod.cut()
    expect(await session.acknowledge(3, signal)).toBe(false)
    expect(await acknowledge(pod, pod.ref, 3, signal)).toMatchObject({ exitCode: 0 })
    expect(await pod.ended()).toBe(0)
  })

  test('that was told lets the wrapper go also when nobody hears the answer', async () => {
    const pod = podRunning('cat; until [ -e "$1/go" ]; do sleep 0.02; done')
    const proving = join(pod.folder, 'proving')
    pod.install('sleep', `#!/bin/sh\n[ $1 = 0.05 ] && : >${proving}\nPATH=/usr/bin:/bin exec sleep "$@"\n`)
    const session = await delivered(pod, 'abc')
    for await (const _ of readSpool(pod, pod.ref, 0, signal, session)) break
    rmSync(proving, { force: true })
    const answered = session.acknowledge(3, signal)
    await vi.waitFor(() => expect(existsSync(proving)).toBe(true), { timeout: 120_000 })
    pod.cut()
    expect(await answered).toBe(false)
    writeFileSync(join(pod.folder, 'go'), '')
    expect(await pod.ended()).toBe(0)
  })

  test('ends with its signal', async () => {
    const pod = podRunning('cat; sleep 30')
    const session = await delivered(pod, 'abc')
    for await (const _ of readSpool(pod, pod.ref, 0, signal, session)) break
    const stop = new AbortController()
    const answered = session.acknowledge(3, stop.signal)
    stop.abort(new Error('enough'))
    expect(await answered).toBe(false)
  })
})

test('a connection that breaks with the answer to the delivery: what was started is not started again', async () => {
  const pod = podRunning('cat; echo started')
  const lossy: PodAccess = {
    getPod: () => pod.getPod(),
    async exec(...words) {
      const session = await pod.exec(...words)
      const stdout = (async function* () {
        for await (const chunk of session.stdout) {
          if (chunk.includes('delivered')) throw new ExecLostError('lost')
          yield chunk
        }
      })()
      return { ...session, stdout, result: session.result, resize: () => {}, abort: () => session.abort() }
    },
  }
  expect(await deliverPayload(lossy, pod.ref, Buffer.from('abc\n'), 4, signal)).toBe(null)
  let output = ''
  for await (const chunk of readSpool(pod, pod.ref, 0, signal)) output += chunk
  expect(output).toBe('abc\nstarted\n')
})

test('an end that is told before the last bytes have come', async () => {
  const stdout = new PassThrough()
  let stderr = ''
  let news: () => void = () => {}
  const session: ExecSession = {
    stdout,
    get stderr() {
      return stderr
    },
    result: new Promise(() => {}),
    resize: () => {},
    abort: () => {},
  }
  const access: PodAccess = {
    getPod: () => expect.fail('nothing is wrong with the pod'),
    async exec(_namespace, _pod, _container, _command, { onStderr = () => {} }: ExecOptions = {}) {
      news = onStderr
      return session
    },
  }
  const pod = { namespace: 'n', name: 'p', uid: 'u' }
  stdout.write('ready\n')
  const delivery = deliverPayload(access, pod, Buffer.from('x'), 1, signal)
  stdout.write('delivered\nab')
  const read: string[] = []
  const reading = (async () => {
    for await (const chunk of readSpool(access, pod, 0, signal, await delivery)) read.push(chunk.toString())
  })()
  await vi.waitFor(() => expect(read.join('')).toBe('ab'), { timeout: 120_000 })
  stderr = 'mayfly-end 5\n'
  news()
  stdout.write('cde')
  await reading
  expect(read.join('')).toBe('abcde')
})

describe('a connection that is there and brings nothing', () => {
  const patience = { deliveryMs: 500, outputMs: 100, arrivalMs: 100 }

  test('is left for another one while the payload is delivered', async () => {
    const pod = podRunning('cat; echo started')
    const first = pod.execs
    const access: PodAccess = {
      getPod: () => pod.getPod(),
      async exec(...words) {
        const session = await pod.exec(...words)
        if (pod.execs === first + 1) session.hang()
        return session
      },
    }
    const session = await deliverPayload(access, pod.ref, Buffer.from('abc\n'), 4, signal, patience)
    // A machine may be too slow for the second as well, also after it has delivered.
    expect(pod.execs).toBeGreaterThanOrEqual(first + 2)
    expect((await readAll(pod, session)).toString()).toBe('abc\nstarted\n')
  })

  test.each([1, 2, 3])('is left for another one after piece %i of the output', async (last) => {
    const pod = podRunning(
      'cat; for i in 1 2 3 4; do seq 1 500; sleep 0.05; done; until [ -e "$1/go" ]; do sleep 0.02; done',
    )
    const session = await delivered(pod)
    let pieces = 0
    pod.onOutput = (exec) => {
      if (++pieces === last) exec.hang()
    }
    const chunks: Buffer[] = []
    let length = 0
    for await (const chunk of readSpool(pod, pod.ref, 0, signal, session, patience)) {
      chunks.push(chunk)
      length += chunk.length
      if (length === 4 + 4 * Buffer.byteLength(sequence)) writeFileSync(join(pod.folder, 'go'), '')
    }
    expect(sha(Buffer.concat(chunks))).toBe(sha(spoolOf(pod)))
  })

  test('is kept where the pod has no more either', async () => {
    const pod = podRunning('cat; until [ -e "$1/go" ]; do sleep 0.02; done; echo end')
    const session = await delivered(pod, 'abc')
    let output = ''
    const reading = (async () => {
      // What comes while the pod is asked may take its time.
      const arriving = { ...patience, arrivalMs: 60_000 }
      for await (const chunk of readSpool(pod, pod.ref, 0, signal, session, arriving)) output += chunk
    })()
    await vi.waitFor(() => expect(output).toBe('abc'), { timeout: 120_000 })
    const execs = pod.execs
    // Asked twice whether there is more, and there was not.
    await vi.waitFor(() => expect(pod.execs).toBeGreaterThanOrEqual(execs + 2), { timeout: 120_000 })
    expect(output).toBe('abc')
    writeFileSync(join(pod.folder, 'go'), '')
    await reading
    expect(output).toBe('abcend\n')
    expect(await session.acknowledge(output.length, signal)).toBe(true)
  })
})

test('a session that was ended before its output was read: others read it', async () => {
  const pod = podRunning('cat;')
  const session = await delivered(pod, 'abc')
  session.close()
  expect((await readAll(pod, session)).toString()).toBe('abc')
  expect(await session.acknowledge(3, signal)).toBe(false)
})

test('a container that is killed while its output is read is told as its end', async () => {
  const pod = podRunning('cat; sleep 30')
  const session = await delivered(pod, 'abc')
  const reading = (async () => {
    for await (const _ of readSpool(pod, pod.ref, 0, signal, session)) {
      pod.kill('SIGKILL')
      await pod.ended()
      pod.cut()
    }
  })()
  await expect(reading).rejects.toMatchObject({ name: 'PodEndedError', how: 'terminal' })
})

test('who reads ends it with the signal’s reason', async () => {
  const pod = podRunning('cat; sleep 30')
  const session = await delivered(pod, 'abc')
  const stop = new AbortController()
  const reading = (async () => {
    for await (const _ of readSpool(pod, pod.ref, 0, stop.signal, session)) stop.abort(new Error('enough'))
  })()
  await expect(reading).rejects.toThrow('enough')
  await vi.waitFor(() => expect(scriptsIn(pod)).toEqual([]), { timeout: 120_000 })
})
