/** Two workers: one that is asked to end hands over at once; one that was only asleep finds that its jobs have gone on without it. */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { until } from '../../dev/wait.ts'
import { Operator } from '../operator/operator.ts'
import { launch, makeCatalog, makeTemplate } from '../setup/catalog.ts'
import { type Mayfly, type PartName, startMayfly } from '../setup/mayfly.ts'
import { Undo } from '../setup/own-places.ts'
import { expectNothingLeft } from '../setup/tidy.ts'
import { steadyPlay, Witness } from '../setup/witness.ts'

const undo = new Undo()
const workers = ['worker', 'worker-2'] as const satisfies PartName[]
type WorkerName = (typeof workers)[number]
let mayfly: Mayfly
let witness: Witness
let operator: Operator
let template: number
let expectedOutput: string

beforeAll(async () => {
  mayfly = await startMayfly()
  undo.add(() => mayfly.stop())
  witness = new Witness(mayfly)
  undo.add(() => witness.stop())
  operator = await Operator.open(mayfly)
  undo.add(() => operator.close())
  await mayfly.start('worker-2')
  const catalog = await makeCatalog(mayfly, { files: { 'steady.yml': steadyPlay } })
  template = await makeTemplate(mayfly, catalog, 'steady.yml', { allow_simultaneous: true })
  const job = await launch(mayfly, template)
  expect(await mayfly.ended(`/jobs/${job}/`)).toMatchObject({ status: 'successful' })
  expectedOutput = await witness.output(job)
})
afterAll(() => undo.all())

/** Who runs the play of a job, and whether it was taken over because its runner was silent; undefined while nobody does. */
async function runnerOf(job: number): Promise<{ worker: WorkerName; afterTimeout: boolean } | undefined> {
  const { pendingActivities } = (await operator.describe(job)).raw
  const activity = pendingActivities?.find(({ activityType }) => activityType?.name === 'runInPod')
  const pid = Number(activity?.lastWorkerIdentity?.split('@')[0])
  const worker = workers.find((name) => mayfly.pid(name) === pid)
  const afterTimeout = !!activity?.lastFailure?.timeoutFailureInfo
  return worker && activity?.lastStartedTime ? { worker, afterTimeout } : undefined
}

/** Resolves with the worker that runs the job once its output is being read. */
async function whoReads(job: number): Promise<WorkerName> {
  const reads = async () => (await witness.standings([job])).get(job) === 'running/reading'
  await until({ what: `job ${job} to be read`, seconds: 60, everyMs: 20 }, reads)
  const runner = await runnerOf(job)
  if (!runner) throw new Error(`nobody runs job ${job}`)
  return runner.worker
}

const other = (worker: WorkerName): WorkerName => (worker === 'worker' ? 'worker-2' : 'worker')

test('a worker that is asked to end hands its jobs over at once', async () => {
  const first = await launch(mayfly, template)
  const worker = await whoReads(first)
  const jobs = [first, await launch(mayfly, template)]
  await sleep(300)
  jobs.push(await launch(mayfly, template))
  const ended = mayfly.terminate(worker)
  const wait = { what: `${other(worker)} to go on`, seconds: 60, everyMs: 20 }
  const next = await until(wait, async () => {
    const runner = await runnerOf(first)
    return runner?.worker === other(worker) ? runner : undefined
  })
  // Without a word the other one would have waited until Temporal missed the heartbeats.
  expect(next.afterTimeout).toBe(false)
  await ended
  for (const job of jobs) await witness.expectUntouched(job, expectedOutput)
  await mayfly.start(worker)
})

test('a worker that slept through its time-outs does no harm when it wakes', async () => {
  const first = await launch(mayfly, template)
  const worker = await whoReads(first)
  const jobs = [first, await launch(mayfly, template)]
  const pid = mayfly.pid(worker) ?? 0
  process.kill(pid, 'SIGSTOP')
  try {
    // Temporal may hand the job to an open poll of the sleeper again, which costs a time-out each time.
    const wait = { what: `${other(worker)} to take over`, seconds: 120, everyMs: 20 }
    await until(wait, async () => (await runnerOf(first))?.worker === other(worker))
  } finally {
    process.kill(pid, 'SIGCONT')
  }
  for (const job of jobs) await witness.expectUntouched(job, expectedOutput)
  await witness.expectNothingLeft()
})

test('workers that end and come while jobs run, one after the other', async () => {
  const jobs: number[] = []
  for (const worker of workers) {
    jobs.push(await launch(mayfly, template))
    await whoReads(jobs.at(-1) ?? 0)
    jobs.push(await launch(mayfly, template))
    await mayfly.terminate(worker)
    await mayfly.start(worker)
  }
  for (const job of jobs) await witness.expectUntouched(job, expectedOutput)
})

test('nothing is left, and the workers have no complaint', async () => {
  await witness.expectNothingLeft()
  await expectNothingLeft(mayfly, [...workers])
})
