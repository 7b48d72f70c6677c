import { createHash, randomBytes } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { PodEndedError, SpoolIncompleteError } from './pod-errors.ts'
import { wrapperArgs } from './scripts.ts'
import { acknowledge, deliverPayload, readSpool, signalRunner } from './spool.ts'
import { LocalPod, type Tools } from './testing/local-pod.ts'

const signal = AbortSignal.timeout(600_000)
const pods: LocalPod[] = []
function newPod(tools: Tools = 'gnu'): LocalPod {
  const pod = new LocalPod(tools)
  pods.push(pod)
  return pod
}
afterEach(async () => {
  for (const pod of pods.splice(0)) await pod.remove()
})

async function readAll(pod: LocalPod, from = 0): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of readSpool(pod, pod.ref, from, signal)) chunks.push(chunk)
  return Buffer.concat(chunks)
}

const converse = (pod: LocalPod, payload: Uint8Array | string = 'work') => {
  const bytes = Buffer.from(payload)
  return deliverPayload(pod, pod.ref, bytes, bytes.length, signal)
}
/** Delivers, and hangs up: what follows has connections of its own. */
async function deliver(pod: LocalPod, payload: Uint8Array | string = 'work'): Promise<'delivered' | 'already-started'> {
  const session = await converse(pod, payload)
  session?.close()
  return session ? 'delivered' : 'already-started'
}
const sha = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')
const filesIn = (pod: LocalPod) => readdirSync(join(pod.folder, 'in')).sort()

/** Echoes its input, writes 3000 lines slowly enough to be read in pieces, and a long line without end. */
const talkative = [
  'sh',
  '-c',
  'cat; i=0; while [ $i -lt 60 ]; do seq 1 50; sleep 0.01; i=$((i+1)); done; head -c 700000 /dev/zero; echo oops >&2; exit 5',
]

describe.each(['gnu', 'small'] as const)('with %s tools', (tools) => {
  test('payload in, output back to the last byte, exit code passed on, nothing secret left', async () => {
    const pod = newPod(tools)
    const payload = randomBytes(300_000)
    pod.start(wrapperArgs(talkative))
    expect(await deliver(pod, payload)).toBe('delivered')
    const output = await readAll(pod)
    expect(sha(output.subarray(0, payload.length))).toBe(sha(payload))
    expect(sha(output)).toBe(sha(readFileSync(join(pod.folder, 'spool', 'out'))))
    expect(await acknowledge(pod, pod.ref, output.length, signal)).toEqual({ exitCode: 5, stderrTail: 'oops\n' })
    expect(await pod.ended()).toBe(5)
    expect(filesIn(pod)).toEqual(['ack', 'claim', 'commit', 'pid', 'rc', 'wrapper'])
  })

  test('a reader whose connection breaks again and again gets every byte once', async () => {
    const pod = newPod(tools)
    pod.start(wrapperArgs(talkative))
    await deliver(pod)
    let cuts = 0
    pod.onOutput = (session) => {
      if (cuts === 6) return
      cuts++
      session.lose()
    }
    const output = await readAll(pod)
    expect(cuts).toBe(6)
    expect(sha(output)).toBe(sha(readFileSync(join(pod.folder, 'spool', 'out'))))
  })

  test('reading goes on at an offset, also after the runner has ended', async () => {
    const pod = newPod(tools)
    pod.start(wrapperArgs(['sh', '-c', 'cat; echo 0123456789']))
    await deliver(pod, 'abc')
    expect((await readAll(pod)).toString()).toBe('abc0123456789\n')
    expect((await readAll(pod, 5)).toString()).toBe('23456789\n')
    expect((await readAll(pod, 14)).toString()).toBe('')
  })

  test('a lost reader leaves no process in the pod', async () => {
    const pod = newPod(tools)
    pod.start(wrapperArgs(['sh', '-c', 'echo here; sleep 600']))
    await deliver(pod)
    for await (const chunk of readSpool(pod, pod.ref, 0, signal)) {
      expect(chunk.toString()).toBe('here\n')
      break
    }
    await vi.waitFor(() => expect(processesOf(pod, 'tail')).toEqual([]), 60_000)
  })
})

/** Command lines of living processes that mention the pod's folder and a word. */
function processesOf(pod: LocalPod, word: string): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
      } catch {
        return ''
      }
    })
    .filter((line) => line.includes(pod.folder) && line.startsWith(word))
}

describe('delivery', () => {
  test('waits for the container and then delivers', async () => {
    const pod = newPod()
    const delivered = deliver(pod)
    await vi.waitFor(() => expect(pod.execs).toBeGreaterThan(1), 60_000)
    pod.start(wrapperArgs(['cat']))
    expect(await delivered).toBe('delivered')
    expect((await readAll(pod)).toString()).toBe('work')
  })

  test('a second delivery changes nothing, and a stream is only asked for when it is wanted', async () => {
    const pod = newPod()
    pod.start(wrapperArgs(['cat']))
    await deliver(pod, 'first')
    const source = vi.fn(async function* () {
      yield Buffer.from('again')
    })
    expect(await deliverPayload(pod, pod.ref, source, 5, signal)).toBe(null)
    expect(source).not.toHaveBeenCalled()
    expect((await readAll(pod)).toString()).toBe('first')
  })

  test('of ten at once one is first, and the play starts once', async () => {
    const pod = newPod()
    pod.start(wrapperArgs(['sh', '-c', `cat; echo >>"${join(pod.folder, 'starts')}"`]))
    const answers = await Promise.all(Array.from({ length: 10 }, (_, i) => deliver(pod, `payload ${i}`)))
    expect(answers.filter((answer) => answer === 'delivered')).toHaveLength(1)
    expect((await readAll(pod)).toString()).toMatch(/^payload \d$/)
    expect(readFileSync(join(pod.folder, 'starts'), 'utf8')).toBe('\n')
    expect(filesIn(pod)).not.toContain('payload')
  })

  test('a connection cut in the middle leaves nothing behind and is repeated', async () => {
    const pod = newPod()
    pod.start(wrapperArgs(['wc', '-c']))
    let tries = 0
    async function* source() {
      tries++
      yield Buffer.alloc(50_000)
      if (tries < 3) pod.cut()
      yield Buffer.alloc(50_000)
    }
    const session = await deliverPayload(pod, pod.ref, source, 100_000, signal)
    session?.close()
    expect(tries).toBe(3)
    expect((await readAll(pod)).toString().trim()).toBe('100000')
    await vi.waitFor(() => expect(filesIn(pod).filter((name) => name.startsWith('part'))).toEqual([]), 60_000)
  })

  test('a pod that is gone, replaced or ended ends it', async () => {
    const gone = newPod()
    gone.deleted = true
    await expect(deliver(gone)).rejects.toMatchObject({ name: 'PodEndedError', how: 'gone' })
    const replaced = newPod()
    replaced.uid = 'uid-2'
    await expect(deliver(replaced)).rejects.toMatchObject({ name: 'PodEndedError', how: 'replaced' })
    const ended = newPod()
    ended.start(['sh', '-c', 'exit 127'])
    await ended.ended()
    await expect(deliver(ended)).rejects.toMatchObject({ name: 'PodEndedError', how: 'terminal' })
  })

  test('an aborted one throws the signal’s reason', async () => {
    const pod = newPod()
    const stop = new AbortController()
    const delivered = deliverPayload(pod, pod.ref, Buffer.from('x'), 1, stop.signal)
    stop.abort(new Error('enough'))
    await expect(delivered).rejects.toThrow('enough')
  })
})

describe('the wrapper', () => {
  test('gives up when nothing is delivered', async () => {
    const pod = newPod()
    pod.start(wrapperArgs(['cat'], { deliverySeconds: 0 }))
    expect(await pod.ended()).toBe(75)
  })

  test('does not start a second time', async () => {
    const pod = newPod()
    pod.start(wrapperArgs(['cat'], { retentionSeconds: 0 }))
    await deliver(pod)
    await pod.ended()
    writeFileSync(join(pod.folder, 'in', 'payload'), 'again')
    pod.start(wrapperArgs(['cat']))
    expect(await pod.ended()).toBe(75)
  })

  test('tells of an image without the runner', async () => {
    const pod = newPod()
    pod.start(wrapperArgs(['no-such-runner', 'worker']))
    await deliver(pod)
    expect(await readAll(pod)).toHaveLength(0)
    const end = await acknowledge(pod, pod.ref, 0, signal)
    expect(end.exitCode).toBe(127)
    expect(end.stderrTail).toMatch(/no-such-runner.*not found/)
    expect(await pod.ended()).toBe(127)
  })

  test('ends at once on TERM while it waits for work', async () => {
    const pod = newPod()
    pod.start(wrapperArgs(['cat']))
    await vi.waitFor(() => expect(filesIn(pod)).toContain('wrapper'), 60_000)
    pod.kill('SIGTERM')
    expect(await pod.ended()).toBe(143)
  })

  test('passes TERM on and keeps the last words until they are fetched', async () => {
    const pod = newPod()
    pod.start(wrapperArgs(['sh', '-c', 'trap "echo bye; exit 3" TERM; echo here; while :; do sleep 0.05; done']))
    await deliver(pod)
    const said: string[] = []
    for await (const chunk of readSpool(pod, pod.ref, 0, signal)) {
      if (said.push(chunk.toString()) === 1) pod.kill('SIGTERM')
    }
    expect(said.join('')).toBe('here\nbye\n')
    expect(await acknowledge(pod, pod.ref, 9, signal)).toEqual({ exitCode: 3, stderrTail: '' })
    expect(await pod.ended()).toBe(3)
  })

  test('tells of a runner that was killed', async () => {
    const pod = newPod()
    pod.start(wrapperArgs(['sh', '-c', 'echo here; kill -KILL $$']))
    await deliver(pod)
    expect((await readAll(pod)).toString()).toBe('here\n')
    expect((await acknowledge(pod, pod.ref, 5, signal)).exitCode).toBe(137)
  })
})

describe('acknowledging', () => {
  test('is refused when the sizes differ, and the pod goes on waiting', async () => {
    const pod = newPod()
    pod.start(wrapperArgs(['cat']))
    await deliver(pod, 'seven b')
    await readAll(pod)
    const refused = acknowledge(pod, pod.ref, 5, signal)
    await expect(refused).rejects.toThrow(SpoolIncompleteError)
    await expect(refused).rejects.toMatchObject({ size: 7, expected: 5 })
    expect(existsSync(join(pod.folder, 'in', 'ack'))).toBe(false)
    expect(await acknowledge(pod, pod.ref, 7, signal)).toMatchObject({ exitCode: 0 })
  })

  test('waits for a runner that has said everything but not yet ended', async () => {
    const pod = newPod()
    pod.start(wrapperArgs(['sh', '-c', 'echo eof; sleep 0.5']))
    await deliver(pod)
    for await (const _ of readSpool(pod, pod.ref, 0, signal)) break
    expect(await acknowledge(pod, pod.ref, 4, signal)).toMatchObject({ exitCode: 0 })
  })

  test('lets the container end only when the answer is out, since nothing speaks after that', async () => {
    const pod = newPod()
    pod.install('tail', `#!/bin/sh\n[ -e ${pod.folder}/in/ack ] && exit 137\nPATH=/usr/bin:/bin exec tail "$@"\n`)
    pod.start(wrapperArgs(['sh', '-c', 'echo why >&2; exit 2']))
    await deliver(pod)
    await readAll(pod)
    expect(await acknowledge(pod, pod.ref, 0, signal)).toEqual({ exitCode: 2, stderrTail: 'why\n' })
    expect(await pod.ended()).toBe(2)
  })

  test('whose answer was lost is believed when the container ended with it', async () => {
    const pod = newPod()
    pod.start(wrapperArgs(['sh', '-c', 'echo eof; exit 2']))
    await deliver(pod)
    await readAll(pod)
    pod.onOutput = (session) => session.lose()
    expect(await acknowledge(pod, pod.ref, 4, signal)).toMatchObject({ exitCode: 2 })
  })
})

describe('reading', () => {
  test('a pod that vanishes is told, with its last state', async () => {
    const pod = newPod()
    pod.start(wrapperArgs(['sh', '-c', 'echo here; sleep 600']))
    await deliver(pod)
    const reading = (async () => {
      for await (const _ of readSpool(pod, pod.ref, 0, signal)) {
        pod.deleted = true
        pod.cut()
      }
    })()
    await expect(reading).rejects.toThrow(PodEndedError)
    await expect(reading).rejects.toMatchObject({ how: 'gone' })
  })

  test('a container that is killed is told as its end', async () => {
    const pod = newPod()
    pod.start(wrapperArgs(['sh', '-c', 'echo here; sleep 600']))
    await deliver(pod)
    const reading = (async () => {
      for await (const _ of readSpool(pod, pod.ref, 0, signal)) {
        pod.kill('SIGKILL')
        await pod.ended()
        pod.cut()
      }
    })()
    const error = await reading.catch((caught: PodEndedError) => caught)
    expect(error).toMatchObject({ how: 'terminal' })
    expect(error?.toCause()).toMatchObject({ kind: 'out_of_memory' })
  })

  test('an offset beyond the output is damage', async () => {
    const pod = newPod()
    pod.start(wrapperArgs(['cat']))
    await deliver(pod, 'abc')
    // Once it is all written: a reader that comes before takes what is appended, wherever that is.
    await vi.waitFor(() => expect(filesIn(pod)).toContain('rc'), 60_000)
    await expect(readAll(pod, 10)).rejects.toMatchObject({ name: 'SpoolIncompleteError', size: 3, expected: 10 })
  })
})

describe('signalling', () => {
  test('reaches a runner', async () => {
    const pod = newPod()
    pod.start(wrapperArgs(['sh', '-c', 'trap "exit 9" TERM; while :; do sleep 0.05; done']))
    await deliver(pod)
    expect(await signalRunner(pod, pod.ref, signal)).toBe('signalled')
    await readAll(pod)
    expect(await signalRunner(pod, pod.ref, signal)).toBe('ended')
  })

  test('before a delivery bars it', async () => {
    const pod = newPod()
    pod.start(wrapperArgs(['cat']))
    await vi.waitFor(() => expect(filesIn(pod)).toContain('wrapper'), 60_000)
    expect(await signalRunner(pod, pod.ref, signal)).toBe('not-started')
    expect(await deliver(pod)).toBe('already-started')
    expect(filesIn(pod)).not.toContain('payload')
  })

  test('before the container runs', async () => {
    const pod = newPod()
    expect(await signalRunner(pod, pod.ref, signal)).toBe('not-started')
  })
})
