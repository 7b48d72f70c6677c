/** Launches a job template, shows its output as it comes, and measures the phases. */
import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import type { Cluster } from '../../kubernetes/cluster.ts'
import { podLabels } from '../../model/attempt.ts'
import { CommandError } from '../errors.ts'
import type { ApiClient } from './client.ts'

/** What a run gave; durations in seconds, as seen from here. */
export interface JobRun {
  id: number
  status: string
  explanation: string
  /** POST of the launch → its pod exists. */
  queued: number
  /** Pod exists → the play's first event. */
  podStart: number
  /** First event → recap. */
  play: number
  /** Recap → status final and pod gone. */
  cleanUp: number
  lines: number
  /** Tasks that changed something, over all hosts. */
  changed: number
  artifacts: Record<string, unknown>
  podsLeft: number
}

/** Where a job runs and how it is shown. */
export interface Stage {
  client: ApiClient
  cluster: Cluster
  namespace: string
  show: (text: string) => void
}

/** Launches and follows a job to its end. Throws CommandError when a repeated launch makes a second job. */
export async function runJob(stage: Stage, templateId: number): Promise<JobRun> {
  const { client, cluster, namespace, show } = stage
  const begin = performance.now()
  const seconds = (from: number, to: number) => Math.max(to - from, 0) / 1000
  const id = await launchTwice(client, templateId)
  let ended = 0
  const pods = watchPods(cluster, namespace, id, () => ended)

  let first = 0
  let recap = 0
  for await (const { event, stdout } of client.events(`/jobs/${id}/`)) {
    first ||= performance.now()
    if (event === 'playbook_on_stats') recap = performance.now()
    if (stdout !== '') show(stdout)
  }
  const job = await client.get(`/jobs/${id}/`)
  ended = performance.now()
  const { seen, gone, left } = await pods
  const summaries = await client.list(`/jobs/${id}/job_host_summaries/`, { page_size: 200 })
  const output = await client.text(`/jobs/${id}/stdout/?format=txt`)
  return {
    id,
    status: String(job.status),
    explanation: String(job.job_explanation),
    queued: seconds(begin, seen),
    podStart: seconds(seen, first || seen),
    play: seconds(first, recap || first),
    cleanUp: seconds(recap || first, Math.max(ended, gone)),
    lines: output.split('\n').length - 1,
    changed: summaries.reduce((sum, { changed }) => sum + Number(changed), 0),
    artifacts: (job.artifacts ?? {}) as Record<string, unknown>,
    podsLeft: left,
  }
}

/** As a client does whose first answer was lost: the same key gives the same job. */
async function launchTwice(client: ApiClient, templateId: number): Promise<number> {
  const headers = { 'idempotency-key': randomUUID() }
  const launch = () => client.post<{ job: number }>(`/job_templates/${templateId}/launch/`, {}, headers)
  const { job } = await launch()
  const again = await launch()
  if (again.job !== job) throw new CommandError(`one Idempotency-Key gave the jobs ${job} and ${again.job}`)
  return job
}

/** When the job's pod came and went. Ends two minutes after the job's end, which `endedAt` tells (0 before), so that a pod left behind is told. */
async function watchPods(cluster: Cluster, namespace: string, jobId: number, endedAt: () => number) {
  const selector = `${podLabels.job}=${jobId}`
  const patienceMs = 120_000
  // How soon it came is a matter of milliseconds; how long it stays, one of seconds.
  const [untilSeenMs, untilGoneMs] = [50, 250]
  let seen = 0
  for (;;) {
    const over = endedAt()
    const count = (await cluster.listPods(namespace, selector)).length
    const now = performance.now()
    if (count > 0) seen ||= now
    if (count === 0 && (seen > 0 || over > 0)) return { seen: seen || now, gone: now, left: 0 }
    if (over > 0 && now - over > patienceMs) return { seen, gone: now, left: count }
    await pause(seen > 0 ? untilGoneMs : untilSeenMs)
  }
}
