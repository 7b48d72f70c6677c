/** What the workflow code of a job costs the worker, and the SDK around it: its kept history, replayed again and again. */
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { keptHistories } from '../test/replay/history.ts'
import { installRuntime } from '../worker/worker.ts'
import { workflowBundle } from '../worker/workflow-bundle.ts'
import { WorkflowWorker } from '../worker/workflow-worker.ts'
import { type Bench, info, type Measurement } from './bench.ts'

/** Replays of an ordinary job, in this process, without a server. */
export const replay: Bench = {
  name: 'replay',
  about: 'CPU of the workflow of a job: its history replayed 300 times (--jobs N), without a server',
  takes: 'about 10 s',
  run: async ({ size }) => await measure(size('jobs', 300)),
}

async function measure(times: number): Promise<Measurement[]> {
  const kept = keptHistories().findLast(({ name }) => name.startsWith('job.successful'))
  if (!kept) throw new Error('there is no history of a successful job')
  installRuntime(pino({ level: 'error' }))
  const options = { workflowBundle: await workflowBundle(join(tmpdir(), 'mayfly-replay')), replayName: 'bench' }
  const histories = Array.from({ length: times }, (_, index) => ({ workflowId: `job-${index}`, history: kept.history }))
  const before = process.cpuUsage()
  for await (const { error } of WorkflowWorker.runReplayHistories(options, histories)) if (error) throw error
  const { user, system } = process.cpuUsage(before)
  return [info('replay.cpu', (user + system) / 1000 / times, 'ms of CPU a replay')]
}
