import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { acknowledgeScript, readerScript, signalScript, uploadRetry, uploadScript } from '../../kubernetes/scripts.ts'
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
  const call: ExecCall = {
    namespace: 'n',
    pod: 'p',
    container: 'worker',
    command: ['sh', '-c', script, 'mayfly', word],
    stdin: (async function* () {
      yield* stdin
    })(),
    signal: gone.signal,
    stdout: (data) => {
      said.stdout += Buffer.from(data).toString()
    },
    stderr: (data) => {
      said.stderr += Buffer.from(data).toString()
    },
    cut: () => {},
  }
  return { said, gone, end: runScript(target, call) }
}

async function started(outcome: Outcome = 'successful') {
  const made = pod(outcome)
  made.pod.begin()
  await vi.advanceTimersByTimeAsync(100)
  return made
}

test('a play goes from the upload to the acknowledgement, and the node reports it late', async () => {
  const { pod: target, reports } = pod()
  target.begin()
  expect(await run(target, uploadScript, '3').end).toEqual({ refused: 'container not found ("worker")' })
  await vi.advanceTimersByTimeAsync(100)
  const upload = run(target, uploadScript, '3', [Buffer.from('ab'), Buffer.from('c')])
  expect(await upload.end).toBe(0)
  expect(upload.said.stdout).toBe('ready\ndelivered\n')
  const read = run(target, readerScript, '0')
  await vi.advanceTimersByTimeAsync(1_000)
  expect(await read.end).toBe(0)
  const lines = read.said.stdout.trim().split('\n')
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({ status: 'starting' })
  expect(lines.at(-1)).toMatch(/\{"eof": true\}$/)
  expect(read.said.stdout).toContain('"uuid": "abcdef01-')
  const size = read.said.stdout.length
  expect(read.said.stderr).toBe(`mayfly-end ${size}\n`)
  const acknowledge = run(target, acknowledgeScript, String(size))
  expect(await acknowledge.end).toBe(0)
  expect(acknowledge.said.stdout).toBe(`acknowledged ${size} 0\n\nmayfly-end\n`)
  await new Promise(setImmediate)
  expect(target.state).toBe('ended')
  expect(reports.map(({ state }) => state)).toEqual(['running'])
  await vi.advanceTimersByTimeAsync(500)
  expect(reports.at(-1)).toMatchObject({ state: 'ended', exitCode: 0, reason: 'Completed' })
})

test('a payload that is cut off starts nothing, and one that is there is not replaced', async () => {
  const { pod: target } = await started()
  expect(await run(target, uploadScript, '3', [Buffer.from('ab')]).end).toBe(uploadRetry.cutOff)
  expect(target.runnerStarted).toBe(false)
  await run(target, uploadScript, '1', [Buffer.from('a')]).end
  const second = run(target, uploadScript, '1', [Buffer.from('a')])
  await second.end
  expect(second.said.stdout).toBe('started\n')
})

test('a reader begins at its offset, and ends when its client is gone', async () => {
  const { pod: target } = await started()
  await run(target, uploadScript, '0').end
  const size = target.spool.length
  const read = run(target, readerScript, String(size))
  read.gone.abort()
  expect(await read.end).toBe(0)
  expect(read.said).toEqual({ stdout: '', stderr: '' })
})

test('a runner that is told to stop says so; a pod without one takes no payload any more', async () => {
  const { pod: target } = await started()
  await run(target, uploadScript, '0').end
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
  const late = run(other, uploadScript, '0')
  await late.end
  expect(late.said.stdout).toBe('started\n')
})

test('a killed runner leaves half a line, an evicted pod its report, an image that is missing no container', async () => {
  const killed = await started('killed')
  await run(killed.pod, uploadScript, '0').end
  await vi.advanceTimersByTimeAsync(500)
  expect(killed.pod.exitCode).toBe(137)
  expect(killed.pod.spool.at(-1)).not.toBe(10)
  const evicted = await started('evicted')
  await run(evicted.pod, uploadScript, '0').end
  await vi.advanceTimersByTimeAsync(500)
  expect(evicted.reports.at(-1)).toMatchObject({ state: 'evicted' })
  const missing = await started('unpullable')
  await vi.advanceTimersByTimeAsync(500)
  expect(missing.reports).toMatchObject([{ state: 'waiting', reason: 'ErrImagePull' }])
  expect(missing.pod.state).toBe('starting')
})

test('a pod that is deleted with time to end stops its runner first', async () => {
  const { pod: target, reports } = await started()
  await run(target, uploadScript, '0').end
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
