import { PassThrough } from 'node:stream'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import {
  acknowledgeScript,
  deliveryRetry,
  readerScript,
  sessionScript,
  signalScript,
} from '../../kubernetes/scripts.ts'
import { type Behaviour, calmPlan, choose, type Outcome } from './behaviour.ts'
import type { ExecCall } from './exec-server.ts'
import { seeded } from './random.ts'
import { type Report, SimulatedPod } from './simulated-pod.ts'
import { runScript } from './spooled-scripts.ts'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
})
afterEach(() => {
  vi.useRealTimers()
})

const behaviour: Behaviour = { outcome: 'successful', startMs: 100, runMs: 1_000, reportMs: 500, cutExecs: 0 }

function pod(outcome: Outcome = 'successful') {
  const reports: Report[] = []
  const made = new SimulatedPod({ ...behaviour, outcome }, 'abcdef01', (report) => reports.push(report))
  return { pod: made, reports }
}

function run(target: SimulatedPod, script: string, word = '', stdin: Buffer[] = []) {
  const said = { stdout: '', stderr: '' }
  const gone = new AbortController()
  const input = new PassThrough()
  for (const chunk of stdin) input.write(chunk)
  gone.signal.addEventListener('abort', () => input.end())
  const call: ExecCall = {
    namespace: 'n',
    pod: 'p',
    container: 'worker',
    command: ['sh', '-c', script, 'mayfly', word],
    stdin: input,
    signal: gone.signal,
    stdout: (data) => {
      said.stdout += Buffer.from(data).toString()
    },
    stderr: (data) => {
      said.stderr += Buffer.from(data).toString()
    },
    cut: () => {},
  }
  return { said, gone, input, end: runScript(target, call) }
}

/** Lets everything happen that needs no time, until this has. */
async function until(happened: () => boolean): Promise<void> {
  while (!happened()) await new Promise(setImmediate)
}

/** Delivers, and hangs up: the runner runs. */
async function deliver(target: SimulatedPod, payload = 'a'): Promise<void> {
  const { said, gone, end } = run(target, sessionScript, String(payload.length), [Buffer.from(payload)])
  await until(() => said.stdout.includes('delivered\n'))
  gone.abort()
  await end
}

async function started(outcome: Outcome = 'successful') {
  const made = pod(outcome)
  made.pod.begin()
  await vi.advanceTimersByTimeAsync(100)
  return made
}

test('a play goes from the delivery to the acknowledgement over one connection, and the node reports it late', async () => {
  const { pod: target, reports } = pod()
  target.begin()
  expect(await run(target, sessionScript, '3').end).toEqual({ refused: 'container not found ("worker")' })
  await vi.advanceTimersByTimeAsync(100)
  const { said, input, end } = run(target, sessionScript, '3', [Buffer.from('ab'), Buffer.from('c')])
  await until(() => said.stdout.includes('delivered\n{"status": "starting"'))
  await vi.advanceTimersByTimeAsync(1_000)
  await until(() => /^mayfly-end \d+\n$/.test(said.stderr))
  const output = said.stdout.slice('ready\ndelivered\n'.length)
  const size = output.length
  expect(said.stdout).toBe(`ready\ndelivered\n${output}`)
  expect(output.trim().split('\n').at(-1)).toMatch(/\{"eof": true\}$/)
  expect(output).toContain('"uuid": "abcdef01-')
  input.write(`${size - 1}\n`)
  input.write(`${size}\n`)
  expect(await end).toBe(0)
  expect(said.stderr).toBe(`mayfly-end ${size}\nincomplete ${size} 0\nacknowledged ${size} 0\n`)
  await new Promise(setImmediate)
  expect(target.state).toBe('ended')
  expect(reports.map(({ state }) => state)).toEqual(['running'])
  await vi.advanceTimersByTimeAsync(500)
  expect(reports.at(-1)).toMatchObject({ state: 'ended', exitCode: 0, reason: 'Completed' })
})

test('where the connection was lost, the output is read and acknowledged by others', async () => {
  const { pod: target } = await started()
  await deliver(target)
  const read = run(target, readerScript, '0')
  await vi.advanceTimersByTimeAsync(1_000)
  expect(await read.end).toBe(0)
  const size = read.said.stdout.length
  expect(read.said.stderr).toBe(`mayfly-end ${size}\n`)
  const acknowledge = run(target, acknowledgeScript, String(size))
  expect(await acknowledge.end).toBe(0)
  expect(acknowledge.said.stdout).toBe(`acknowledged ${size} 0\n\nmayfly-end\n`)
  await new Promise(setImmediate)
  expect(target.state).toBe('ended')
})

test('whoever is connected to a pod that is evicted is cut off from its end', async () => {
  const { pod: target } = await started('evicted')
  const { said, end } = run(target, sessionScript, '1', [Buffer.from('a')])
  await until(() => said.stdout.includes('delivered\n'))
  await vi.advanceTimersByTimeAsync(500)
  expect(await end).toBe(137)
})

test('a payload that is cut off starts nothing, and one that is there is not replaced', async () => {
  const { pod: target } = await started()
  const cut = run(target, sessionScript, '3', [Buffer.from('ab')])
  cut.gone.abort()
  expect(await cut.end).toBe(deliveryRetry.cutOff)
  expect(target.runnerStarted).toBe(false)
  await deliver(target)
  const second = run(target, sessionScript, '1', [Buffer.from('a')])
  await second.end
  expect(second.said.stdout).toBe('started\n')
})

test('a reader begins at its offset, and ends when its client is gone', async () => {
  const { pod: target } = await started()
  await deliver(target)
  const size = target.spool.length
  const read = run(target, readerScript, String(size))
  read.gone.abort()
  expect(await read.end).toBe(0)
  expect(read.said).toEqual({ stdout: '', stderr: '' })
})

test('a runner that is told to stop says so; a pod without one takes no payload any more', async () => {
  const { pod: target } = await started()
  await deliver(target)
  const signalled = run(target, signalScript)
  await signalled.end
  expect(signalled.said.stdout).toBe('signalled\n')
  expect(target.spool.toString()).toContain('{"status": "canceled"')
  expect(target.spool.toString().trim().endsWith('{"eof": true}')).toBe(true)
  const again = run(target, signalScript)
  await again.end
  expect(again.said.stdout).toBe('ended\n')
  const { pod: other } = await started()
  await run(other, signalScript).end
  const late = run(other, sessionScript, '1')
  await late.end
  expect(late.said.stdout).toBe('started\n')
})

test('a killed runner leaves half a line, an evicted pod its report, an image that is missing no container', async () => {
  const killed = await started('killed')
  await deliver(killed.pod)
  await vi.advanceTimersByTimeAsync(500)
  expect(killed.pod.exitCode).toBe(137)
  expect(killed.pod.spool.at(-1)).not.toBe(10)
  const evicted = await started('evicted')
  await deliver(evicted.pod)
  await vi.advanceTimersByTimeAsync(500)
  expect(evicted.reports.at(-1)).toMatchObject({ state: 'evicted' })
  const missing = await started('unpullable')
  await vi.advanceTimersByTimeAsync(500)
  expect(missing.reports).toMatchObject([{ state: 'waiting', reason: 'ErrImagePull' }])
  expect(missing.pod.state).toBe('starting')
})

test('a pod that is deleted with time to end stops its runner first', async () => {
  const { pod: target, reports } = await started()
  await deliver(target)
  let gone = false
  target.terminate(() => {
    gone = true
  })
  await vi.advanceTimersByTimeAsync(100)
  expect(gone).toBe(true)
  await vi.advanceTimersByTimeAsync(500)
  expect(reports.at(-1)).toMatchObject({ state: 'ended', exitCode: 254 })
})

test('a script that no image has', async () => {
  const { pod: target } = await started()
  expect(await run(target, 'echo hello').end).toBe(127)
})

test('a seed repeats the row of fates, in the shares of the plan', () => {
  const plan = { ...calmPlan, shares: { failed: 0.2, evicted: 0.1 } }
  const row = (seed: number) => {
    const random = seeded(seed)
    return Array.from({ length: 2_000 }, () => choose(plan, random))
  }
  expect(row(7)).toEqual(row(7))
  expect(row(7)).not.toEqual(row(8))
  const share = (outcome: Outcome) => row(7).filter((one) => one.outcome === outcome).length / 2_000
  expect(share('failed')).toBeCloseTo(0.2, 1)
  expect(share('evicted')).toBeCloseTo(0.1, 1)
  expect(share('successful')).toBeCloseTo(0.7, 1)
  for (const { runMs } of row(7)) expect(Math.abs(runMs - plan.runMs)).toBeLessThanOrEqual(plan.runMs * 0.2)
})
