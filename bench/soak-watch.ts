/** What is watched of a soak while it runs, and when it has ended. */
import { setTimeout as pause } from 'node:timers/promises'
import { Connection } from '@temporalio/client'
import { residentMegabytes } from './processes.ts'
import type { Stand } from './stand.ts'

const lookEveryMs = 2_000

/** Memory of the worker that lived longest: the mean of its second half against that of its first, after it has warmed up. */
export function watchMemory(pid: () => number, signal: AbortSignal): () => { growth: number; last: number } {
  let [of, samples]: [number, number[]] = [0, []]
  const timer = setInterval(() => {
    if (pid() !== of) [of, samples] = [pid(), []]
    try {
      samples.push(residentMegabytes(of))
    } catch {
      // It was killed a moment ago.
    }
  }, lookEveryMs)
  signal.addEventListener('abort', () => clearInterval(timer), { once: true })
  return () => {
    const warm = samples.slice(Math.min(15, Math.floor(samples.length / 3)))
    const mean = (some: number[]): number => some.reduce((all, one) => all + one, 0) / some.length
    const half = Math.floor(warm.length / 2)
    return { growth: mean(warm.slice(half)) / mean(warm.slice(0, half)), last: samples.at(-1) ?? Number.NaN }
  }
}

/** The most pods there were at any time that had not ended. */
export function watchPods({ cluster }: Stand): () => Promise<number> {
  const live = new Set<string>()
  let most = 0
  const watching = cluster.watch((type, pod) => {
    const uid = pod.metadata?.uid ?? ''
    const ended = pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed'
    if (type === 'DELETED' || ended) live.delete(uid)
    else live.add(uid)
    most = Math.max(most, live.size)
  })
  return async () => {
    const stop = await watching
    stop()
    return most
  }
}

/** Workflows of jobs that are open; visibility is told of an end a moment late, so it is asked until it says none. */
export async function openWorkflows({ stack, id }: Stand): Promise<number> {
  const connection = await Connection.connect({ address: stack.temporalAddress })
  try {
    const query = 'ExecutionStatus = "Running" AND WorkflowId STARTS_WITH "job-"'
    let open = Number.NaN
    for (let look = 0; look < 30 && open !== 0; look++) {
      if (look > 0) await pause(1_000)
      const answer = await connection.workflowService.countWorkflowExecutions({ namespace: id, query })
      open = Number(answer.count)
    }
    return open
  } finally {
    await connection.close()
  }
}
