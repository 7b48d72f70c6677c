/** What a workflow adds to its nodes: from the end of one to the pod of the next, and a whole chain against its pods. */
import type { V1Pod } from '@kubernetes/client-node'
import { until } from '../dev/wait.ts'
import { atMost, type Bench, info, type Measurement } from './bench.ts'
import type { Stand } from './stand.ts'
import { median, percentile } from './statistics.ts'

const length = 100

/** When a node's pod was there, by the watch: milliseconds since the epoch. */
interface PodTimes {
  created: number
  /** Its container is done, or its deletion was asked for. */
  ended: number | undefined
}

interface NodeOnWire {
  id: number
  job: number
}

/** A chain of nodes that do nothing, each after the success of the one before. */
async function makeChain({ client, template, organizationId }: Stand): Promise<number> {
  const templateId = await template('tiny.yml')
  const name = `chain of ${length}`
  const chain = await client.post<{ id: number }>('/workflow_job_templates/', { name, organization: organizationId })
  let before: number | undefined
  for (let index = 0; index < length; index++) {
    const body = { unified_job_template: templateId, identifier: `n${index}` }
    const node = await client.post<{ id: number }>(`/workflow_job_templates/${chain.id}/workflow_nodes/`, body)
    if (before) await client.post(`/workflow_job_template_nodes/${before}/success_nodes/`, { id: node.id })
    before = node.id
  }
  return chain.id
}

function jobOf(pod: V1Pod): number {
  return Number(pod.metadata?.labels?.['ansible-awx-job-id'])
}

function hasEnded(type: string, { metadata, status }: V1Pod): boolean {
  return (
    type === 'DELETED' ||
    metadata?.deletionTimestamp !== undefined ||
    status?.phase === 'Succeeded' ||
    status?.phase === 'Failed'
  )
}

async function measure(stand: Stand): Promise<Measurement[]> {
  const { client, cluster } = stand
  const chain = await makeChain(stand)
  const pods = new Map<number, PodTimes>()
  const stop = await cluster.watch((type, pod) => {
    const known = pods.get(jobOf(pod))
    if (!known) pods.set(jobOf(pod), { created: Date.now(), ended: undefined })
    else if (known.ended === undefined && hasEnded(type, pod)) known.ended = Date.now()
  })
  try {
    const { workflow_job: run } = await client.post<{ workflow_job: number }>(
      `/workflow_job_templates/${chain}/launch/`,
    )
    const wait = { what: 'the chain to end', seconds: 3600, everyMs: 500 }
    const { elapsed, status } = await until(wait, async () => {
      const job = await client.get<{ elapsed: number; status: string; finished: string | null }>(
        `/workflow_jobs/${run}/`,
      )
      return job.finished === null ? undefined : job
    })
    if (status !== 'successful') throw new Error(`the chain ended as ${status}`)
    const { results } = await client.get<{ results: NodeOnWire[] }>(
      `/workflow_jobs/${run}/workflow_nodes/?page_size=200&order_by=id`,
    )
    const gaps: number[] = []
    let sum = 0
    let finished: number | undefined
    for (const { job } of results) {
      const times = pods.get(job)
      if (!times?.ended) throw new Error(`the watch did not see the whole pod of job ${job}`)
      if (finished !== undefined) gaps.push(times.created - finished)
      sum += times.ended - times.created
      finished = Date.parse((await client.get<{ finished: string }>(`/jobs/${job}/`)).finished)
    }
    return [
      atMost('workflow.next.p50', median(gaps), 'ms', 250),
      info('workflow.next.p95', percentile(gaps, 0.95), 'ms'),
      atMost('workflow.chain', (elapsed * 1000) / sum, '×', 1.1),
      info('workflow.chain.elapsed', elapsed, 's'),
      info('workflow.chain.pods', sum / 1000, 's'),
    ]
  } finally {
    stop()
  }
}

/** Node finished until the next node's pod exists; a chain of no-op nodes against the sum of its pods. */
export const workflow: Bench = {
  name: 'workflow',
  about: `a chain of ${length} no-op nodes: what comes between its pods`,
  takes: 'about 6 min',
  async run({ say, stand }) {
    const running = await stand()
    say(`workflow: a chain of ${length}`)
    return await measure(running)
  },
}
