/**
 * Three workers that share the load of one group: killed and started again in turn, asked to end, put to sleep. Nodes are simulated, so that there may be many jobs;
 * how long it takes until a dead worker's jobs go on, `npm run bench -- takeover` measures.
 */
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startNodes } from '../../bench/kubelet/start.ts'
import { until } from '../../dev/wait.ts'
import { Operator } from '../operator/operator.ts'
import { type Catalog, launch, makeCatalog, makeTemplate } from '../setup/catalog.ts'
import { type Mayfly, type PartName, startMayfly } from '../setup/mayfly.ts'
import { Undo } from '../setup/own-places.ts'
import { PodRecord } from '../setup/pods.ts'
import { expectNothingLeft } from '../setup/tidy.ts'
import { Witness } from '../setup/witness.ts'

const undo = new Undo()
const workers = ['worker', 'worker-2', 'worker-3'] as const satisfies PartName[]
type WorkerName = (typeof workers)[number]

/** Either may be what keeps a job out: five jobs of one fork count ten, and a job of four forks counts five. */
const limits = { max_concurrent_jobs: 5, max_forks: 12 }
const hosts = ['web1', 'web2', 'web3', 'web4', 'web5']
const shortMs = 1_500
/** Long enough for one after the other to find it at work, each perhaps only after the time-out of a heartbeat (10 s), on a machine that is busy. */
const longMs = 60_000

let mayfly: Mayfly
let witness: Witness
let pods: PodRecord
let operator: Operator
let catalog: Catalog
let expectedOutput: string

beforeAll(async () => {
  mayfly = await startMayfly()
  undo.add(() => mayfly.stop())
  const others = Promise.all([mayfly.start('worker-2'), mayfly.start('worker-3')])
  witness = new Witness(mayfly)
  undo.add(() => witness.stop())
  pods = await PodRecord.open(mayfly.stack, mayfly.kubernetesNamespace)
  undo.add(async () => pods.close())
  operator = await Operator.open(mayfly)
  undo.add(() => operator.close())
  const group = { ...limits, pod_spec_override: await podsOn('short', shortMs) }
  catalog = await makeCatalog(mayfly, { files: { 'play.yml': '- hosts: all\n  tasks: []\n' }, hosts, group })
  const job = await launch(mayfly, await template(1))
  expect(await mayfly.ended(`/jobs/${job}/`)).toMatchObject({ status: 'successful' })
  expectedOutput = await witness.output(job)
  await others
})
afterAll(() => undo.all())

/** What sends pods of a group to nodes of their own, where a play takes so long. */
async function podsOn(name: string, runMs: number): Promise<string> {
  const plan = { runMs, startMs: 100, reportMs: 300 }
  const nodes = await startNodes(mayfly.stack, `${mayfly.id}-${name}`, join(mayfly.folder, `${name}.log`), { plan })
  undo.add(() => nodes.stop())
  return JSON.stringify({ metadata: { namespace: mayfly.kubernetesNamespace }, spec: nodes.podSpec })
}

/** A template of the group whose jobs count for one fork more than this. */
const template = (forks: number, group = catalog.group): Promise<number> =>
  makeTemplate(mayfly, { ...catalog, group }, 'play.yml', { allow_simultaneous: true, forks })

const launchMany = (ofTemplate: number, count: number): Promise<number[]> =>
  Promise.all(Array.from({ length: count }, () => launch(mayfly, ofTemplate)))

/** Who runs the play of a job, which time this is, and whether the one before was silent; undefined while nobody does. */
async function runnerOf(job: number) {
  const { pendingActivities } = (await operator.describe(job)).raw
  const activity = pendingActivities?.find(({ activityType }) => activityType?.name === 'runInPod')
  const pid = Number(activity?.lastWorkerIdentity?.split('@')[0])
  const worker = workers.find((name) => mayfly.pid(name) === pid)
  const afterTimeout = !!activity?.lastFailure?.timeoutFailureInfo
  return worker && activity?.lastStartedTime ? { worker, attempt: activity.attempt ?? 0, afterTimeout } : undefined
}

/** Resolves with the worker that runs one of the jobs, and that job, once output is being read; 'ended' when all have ended unseen, which short ones may. */
async function whoReads(
  jobs: number[],
  of: readonly WorkerName[],
): Promise<{ job: number; worker: WorkerName } | 'ended'> {
  return await until({ what: `${of} to read a job`, seconds: 180, everyMs: 50 }, async () => {
    const standings = await witness.standings(jobs)
    for (const [job, standing] of standings) {
      const runner = standing === 'running/reading' ? await runnerOf(job) : undefined
      if (runner && of.includes(runner.worker)) return { job, worker: runner.worker }
    }
    return [...standings.values()].every((standing) => standing.startsWith('successful')) ? 'ended' : undefined
  })
}

/** As `whoReads`, of jobs that take long. */
async function whoReadsLong(...found: Parameters<typeof whoReads>): Promise<{ job: number; worker: WorkerName }> {
  const reads = await whoReads(...found)
  return reads === 'ended' ? expect.fail('the jobs ended before anybody was seen to read one') : reads
}

test('each of three workers is killed and started again under load: no limit is passed, no play starts twice, nothing is lost', async () => {
  const [narrow, wide] = await Promise.all([template(1), template(4)])
  const jobs: number[] = []
  const unharmed = new Set<WorkerName>(workers)
  while (unharmed.size > 0) {
    const more = [...(await launchMany(narrow, 6)), ...(await launchMany(wide, 2))]
    jobs.push(...more)
    const reads = await whoReads(more, workers)
    if (reads === 'ended') continue
    const { worker } = reads
    const [next = worker] = unharmed
    // Temporal gives work to whom it likes; one that has got none is killed as well.
    const victim = unharmed.has(worker) ? worker : next
    unharmed.delete(victim)
    await mayfly.restart(victim)
  }
  for (const job of jobs) await witness.expectUntouched(job, expectedOutput)
  await witness.expectNothingLeft()
  expect(pods.peak).toBeLessThanOrEqual(limits.max_concurrent_jobs)
  expect(pods.peakForks).toBeLessThanOrEqual(limits.max_forks)
})

test('one that is asked to end hands its jobs over at once, and one that slept through its time-outs does no harm when it wakes', async () => {
  const group = await mayfly.post('/instance_groups/', {
    name: 'long',
    is_container_group: true,
    pod_spec_override: await podsOn('long', longMs),
  })
  const jobs = await launchMany(await template(1, group.id), 6)
  const { job: slept, worker: sleeper } = await whoReadsLong(jobs, workers)
  const pid = mayfly.pid(sleeper) ?? 0
  const first = await runnerOf(slept)
  process.kill(pid, 'SIGSTOP')
  try {
    const { job: handed, worker: leaver } = await whoReadsLong(
      jobs.filter((job) => job !== slept),
      workers.filter((name) => name !== sleeper),
    )
    const ended = mayfly.terminate(leaver)
    const next = await until({ what: 'another one to go on', seconds: 180, everyMs: 20 }, async () => {
      const runner = await runnerOf(handed)
      return runner && runner.worker !== leaver ? runner : undefined
    })
    // Without a word the other one would have waited until Temporal missed the heartbeats.
    expect(next.afterTimeout).toBe(false)
    await ended
    await mayfly.start(leaver)
    // Whoever has it then, be it an open poll of the sleeper itself, reads beside what wakes.
    await until({ what: `job ${slept} to be begun again`, seconds: 180, everyMs: 50 }, async () => {
      const again = await runnerOf(slept)
      return (
        (again && again.attempt > (first?.attempt ?? 0)) ||
        (await witness.standings([slept])).get(slept) !== 'running/reading'
      )
    })
  } finally {
    process.kill(pid, 'SIGCONT')
  }
  for (const job of jobs) await witness.expectUntouched(job, expectedOutput)
})

test('nothing is left, and the workers have no complaint', async () => {
  await witness.expectNothingLeft()
  await expectNothingLeft(mayfly, [...workers])
})
