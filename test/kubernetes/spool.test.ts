/** The spooled worker on a real cluster, with the real runner. */
import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, inject, test, vi } from 'vitest'
import type { Cluster } from '../../kubernetes/cluster.ts'
import type { SpooledPod } from '../../kubernetes/pod-talk.ts'
import { wrapperArgs } from '../../kubernetes/scripts.ts'
import { acknowledge, deliverPayload, readSpool, signalRunner } from '../../kubernetes/spool.ts'
import type { PayloadSource, SpoolSession } from '../../kubernetes/spool-session.ts'
import { Place } from './place.ts'

let place: Place
const signal = AbortSignal.timeout(900_000)
beforeAll(async () => {
  place = await Place.open(inject('stack'), `spool-${process.pid}`)
})
afterAll(() => place.undo.all())

const sha = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')
const spoolSha = async (pod: SpooledPod) => (await place.shell(pod, 'sha256sum </mayfly/spool/out')).split(' ')[0]
const processes = (pod: SpooledPod, name: string) =>
  place.shell(pod, `for p in /proc/[0-9]*; do read -r c <$p/comm && [ "$c" = ${name} ] && echo $p; done`)

/** Records of a runner's output that are JSON; the artifacts zip between them is none. */
function records(output: Buffer): Record<string, unknown>[] {
  return output
    .toString('latin1')
    .split('\n')
    .flatMap((line) => {
      const start = line.indexOf('{')
      try {
        return start < 0 ? [] : [JSON.parse(line.slice(start))]
      } catch {
        return []
      }
    })
}

/** Counters of the events, in the order they came. */
const counters = (output: Buffer) =>
  records(output).flatMap((record) => (typeof record.counter === 'number' ? [record.counter] : []))
const upTo = (last: number) => Array.from({ length: last }, (_, i) => i + 1)

/** Delivers, and answers with the connection that did. */
async function deliver(cluster: Cluster, pod: SpooledPod, payload: PayloadSource, size: number): Promise<SpoolSession> {
  return (await deliverPayload(cluster, pod, payload, size, signal)) ?? expect.fail('it was started before')
}

/** Delivers, and hangs up: what follows has connections of its own. */
async function bringIn(cluster: Cluster, pod: SpooledPod, payload: PayloadSource, size: number): Promise<void> {
  const session = await deliver(cluster, pod, payload, size)
  session.close()
}

async function run(tasks: object[], pod: SpooledPod): Promise<SpoolSession> {
  const payload = await place.payload(tasks)
  return await deliver(place.viaProxy, pod, () => payload.stream(), payload.size)
}

const debugTasks = (count: number) =>
  Array.from({ length: count }, (_, i) => ({ name: `task ${i}`, 'ansible.builtin.debug': { msg: `line ${i}` } }))

test('a play: delivered, read to the end and acknowledged over one connection, deleted; nothing secret is left', async () => {
  const pod = await place.pod('', { payloadVolumeBytes: 1 })
  const session = await run(debugTasks(3), pod)
  const chunks: Buffer[] = []
  for await (const chunk of readSpool(place.viaProxy, pod, 0, signal, session)) chunks.push(chunk)
  const output = Buffer.concat(chunks)
  expect(records(output)).toEqual(
    expect.arrayContaining([expect.objectContaining({ status: 'successful' }), { eof: true }]),
  )
  expect(counters(output)).toEqual(upTo(counters(output).length))
  expect(sha(output)).toBe(await spoolSha(pod))
  expect(await place.shell(pod, 'ls /mayfly/in')).toBe('claim\ncommit\npid\nrc\nwrapper')
  expect(await session.acknowledge(output.length, signal)).toBe(true)
  // Its container ends by itself, with the runner's exit code.
  await vi.waitFor(
    async () => {
      const { status } = await place.cluster.getPod(place.namespace, pod.name)
      expect(status?.containerStatuses?.[0]?.state?.terminated).toMatchObject({ exitCode: 0 })
    },
    { timeout: 120_000, interval: 200 },
  )
  expect(await place.cluster.deletePod(place.namespace, pod.name, { uid: pod.uid, graceSeconds: 0 })).toBe('gone')
  await expect(place.cluster.getPod(place.namespace, pod.name)).rejects.toMatchObject({ name: 'NotFoundError' })
})

describe('connections that break', () => {
  test('cut again and again while the payload goes in and the output comes back', async () => {
    const pod = await place.pod()
    const payload = await place.payload([
      ...debugTasks(40),
      { name: 'pause', 'ansible.builtin.command': 'sleep 1' },
      ...debugTasks(20),
    ])
    let uploads = 0
    async function* interrupted() {
      uploads++
      let sent = 0
      for await (const chunk of payload.stream()) {
        yield chunk
        sent += chunk.length
        if (uploads <= 3 && sent > payload.size / 2) place.proxy.cut()
      }
    }
    const session = await deliver(place.viaProxy, pod, interrupted, payload.size)
    expect(uploads).toBe(4)
    const chunks: Buffer[] = []
    let cuts = 0
    for await (const chunk of readSpool(place.viaProxy, pod, 0, signal, session)) {
      chunks.push(chunk)
      if (cuts < 12) {
        cuts++
        place.proxy.cut()
      }
    }
    const output = Buffer.concat(chunks)
    expect(cuts).toBeGreaterThanOrEqual(5)
    expect(sha(output)).toBe(await spoolSha(pod))
    expect(counters(output)).toEqual(upTo(counters(output).length))
    // The cut readers' processes are gone, too.
    await vi.waitFor(async () => expect(await processes(pod, 'tail')).toBe(''), { timeout: 120_000, interval: 300 })
    expect(await session.acknowledge(output.length, signal)).toBe(false)
    await acknowledge(place.viaProxy, pod, output.length, signal)
  })

  test('frozen for ever: noticed by the ping, and read on', async () => {
    const pod = await place.pod('', {
      args: wrapperArgs(['sh', '-c', 'cat; for i in 1 2 3 4 5 6 7 8 9 10 11 12; do echo $i; sleep 1; done']),
    })
    const session = await deliver(place.viaProxy, pod, Buffer.from('begin\n'), 6)
    let output = ''
    let frozen = 0
    for await (const chunk of readSpool(place.viaProxy, pod, 0, signal, session)) {
      output += chunk
      if (output.includes('2\n') && frozen++ === 0) place.proxy.freeze()
    }
    expect(output).toBe('begin\n1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n')
    await acknowledge(place.viaProxy, pod, output.length, signal)
  })
})

test('ten megabytes in one line without end, read by a slow reader', async () => {
  const pod = await place.pod('', {
    args: wrapperArgs(['sh', '-c', 'cat >/dev/null; head -c 10000000 /dev/urandom | tr "\\n" x']),
  })
  const session = await deliver(place.cluster, pod, Buffer.from('x'), 1)
  const hash = createHash('sha256')
  let size = 0
  for await (const chunk of readSpool(place.cluster, pod, 0, signal, session)) {
    hash.update(chunk)
    size += chunk.length
    await new Promise(setImmediate)
  }
  expect(size).toBe(10_000_000)
  expect(hash.digest('hex')).toBe(await spoolSha(pod))
  expect(await session.acknowledge(size, signal)).toBe(true)
})

test('two workers deliver at once: the play starts once', async () => {
  const pod = await place.pod('', { args: wrapperArgs(['sh', '-c', 'cat; echo started']) })
  const payloads = ['first \n', 'second\n']
  const answers = await Promise.all(
    payloads.map((text) => deliverPayload(place.cluster, pod, Buffer.from(text), text.length, signal)),
  )
  const [first, ...others] = answers.filter((answer) => answer !== null)
  expect(others).toEqual([])
  // Whoever was not the first reads as well.
  first?.close()
  let output = ''
  for await (const chunk of readSpool(place.cluster, pod, 0, signal)) output += chunk
  expect(output).toMatch(/^(first |second)\nstarted\n$/)
  await acknowledge(place.cluster, pod, output.length, signal)
})

describe('stopping', () => {
  test('the runner is told, and says that it was cancelled', async () => {
    const pod = await place.pod()
    const session = await run([{ name: 'long', 'ansible.builtin.command': 'sleep 100' }], pod)
    const chunks: Buffer[] = []
    let told = ''
    for await (const chunk of readSpool(place.cluster, pod, 0, signal, session)) {
      chunks.push(chunk)
      if (!told && Buffer.concat(chunks).includes('playbook_on_task_start'))
        told = await signalRunner(place.cluster, pod, signal)
    }
    expect(told).toBe('signalled')
    const said = records(Buffer.concat(chunks))
    expect(said).toEqual(expect.arrayContaining([expect.objectContaining({ status: 'canceled' }), { eof: true }]))
    const { exitCode } = await acknowledge(place.cluster, pod, Buffer.concat(chunks).length, signal)
    expect(exitCode).toBe(254)
  })

  test('a pod that is deleted under the reader still hands over its last words', async () => {
    const pod = await place.pod('', {
      args: wrapperArgs(['sh', '-c', 'trap "echo bye; exit 3" TERM; echo here; while :; do sleep 0.1; done']),
    })
    const session = await deliver(place.cluster, pod, Buffer.from('x'), 1)
    let output = ''
    for await (const chunk of readSpool(place.cluster, pod, 0, signal, session)) {
      output += chunk
      if (output === 'here\n')
        expect(await place.cluster.deletePod(place.namespace, pod.name, { uid: pod.uid })).toBe('deleting')
    }
    expect(output).toBe('here\nbye\n')
    expect(await session.acknowledge(output.length, signal)).toBe(true)
  })

  // Even without grace the kubelet sends TERM first; only a runner that ignores it is killed in the middle of its output.
  test('a pod that is deleted without grace is told as deleted', async () => {
    const pod = await place.pod('', {
      args: wrapperArgs(['sh', '-c', 'trap "" TERM; echo here; while :; do sleep 1; done']),
    })
    const session = await deliver(place.cluster, pod, Buffer.from('x'), 1)
    const reading = (async () => {
      for await (const _ of readSpool(place.cluster, pod, 0, signal, session)) {
        await place.cluster.deletePod(place.namespace, pod.name, { uid: pod.uid, graceSeconds: 0 })
      }
    })()
    const error = await reading.catch((caught) => caught)
    expect(error).toMatchObject({ name: 'PodEndedError' })
    expect(error.toCause()).toMatchObject({ kind: 'pod_deleted' })
  })
})

test('a read-only root, no privileges, another user: the wrapper works there as well', async () => {
  const override = `
metadata: {}
spec:
  securityContext: {runAsUser: 1000, runAsGroup: 1000, runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}
  containers:
    - name: worker
      env: [{name: HOME, value: /runner}]
      securityContext: {readOnlyRootFilesystem: true, allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}
`
  const pod = await place.pod(override)
  const session = await run(debugTasks(1), pod)
  const chunks: Buffer[] = []
  for await (const chunk of readSpool(place.cluster, pod, 0, signal, session)) chunks.push(chunk)
  const output = Buffer.concat(chunks)
  expect(records(output)).toContainEqual(expect.objectContaining({ status: 'successful' }))
  expect(await session.acknowledge(output.length, signal)).toBe(true)
})

test('another worker than the one that delivered: it reads on from an offset, and acknowledges', async () => {
  const pod = await place.pod()
  const payload = await place.payload(debugTasks(5))
  await bringIn(place.viaProxy, pod, () => payload.stream(), payload.size)
  const chunks: Buffer[] = []
  for await (const chunk of readSpool(place.cluster, pod, 0, signal)) {
    chunks.push(chunk)
    break
  }
  const offset = Buffer.concat(chunks).length
  for await (const chunk of readSpool(place.cluster, pod, offset, signal)) chunks.push(chunk)
  const output = Buffer.concat(chunks)
  expect(sha(output)).toBe(await spoolSha(pod))
  expect(records(output)).toContainEqual(expect.objectContaining({ status: 'successful' }))
  expect(await acknowledge(place.cluster, pod, output.length, signal)).toEqual({ exitCode: 0, stderrTail: '' })
})
