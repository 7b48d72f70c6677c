/** Checks of the Temporal server. */
import { randomBytes } from 'node:crypto'
import type { Check } from '../../dev/doctor.ts'
import { reasonOf } from '../../worker/reason.ts'
import { connectTemporal, type TemporalLink } from '../../worker/temporal.ts'

const fairnessRemedy =
  'set matching.enableFairness=true and matching.numTaskqueueReadPartitions=1, …WritePartitions=1 in its dynamic configuration (deploy/temporal/)'

/** Whether the server answers, has our namespace, and takes notice of priority and fairness, which no version tells but by its deeds. */
export async function temporalChecks(env: NodeJS.ProcessEnv): Promise<Check[]> {
  const name = 'temporal server'
  const address = env.TEMPORAL_ADDRESS
  if (!address && !env.TEMPORAL_PROFILE) {
    return [{ name, ok: true, detail: 'none named; mayfly dev starts its own, or set TEMPORAL_ADDRESS' }]
  }
  let link: TemporalLink
  try {
    link = await connectTemporal(env)
  } catch (error) {
    const detail = `${address ?? 'the one of the profile'} does not answer: ${reasonOf(error)}`
    return [{ name, ok: false, detail, remedy: 'start it, or correct TEMPORAL_ADDRESS' }]
  }
  const { connection, namespace } = link
  try {
    const { serverVersion } = await connection.workflowService.getSystemInfo({})
    const answers = { name, ok: true, detail: `${address ?? ''} answers, version ${serverVersion}` }
    try {
      await connection.workflowService.describeNamespace({ namespace })
    } catch (error) {
      const remedy = `temporal operator namespace create --retention 720h ${namespace}`
      return [answers, { name: 'temporal namespace', ok: false, detail: reasonOf(error), remedy }]
    }
    return [answers, { name: 'temporal namespace', ok: true, detail: namespace }, await fairnessCheck(link)]
  } catch (error) {
    return [{ name, ok: false, detail: reasonOf(error), remedy: 'look at its log' }]
  } finally {
    await connection.close()
  }
}

/**
 * Stands three workflows of one tenant and then one of another in a queue that nobody serves, and looks who comes second. The four are
 * terminated again.
 */
async function fairnessCheck(link: TemporalLink): Promise<Check> {
  const { connection, client, namespace } = link
  const name = 'temporal fairness'
  const taskQueue = `mayfly-doctor-${randomBytes(6).toString('hex')}`
  const waiting: string[] = []
  try {
    for (const [index, fairnessKey] of ['first', 'first', 'first', 'second'].entries()) {
      const workflowId = `${taskQueue}-${index}`
      await client.workflow.start('probe', { workflowId, taskQueue, priority: { fairnessKey } })
      waiting.push(workflowId)
    }
    const { workflowTaskQueuePartitions: partitions } = await connection.workflowService.listTaskQueuePartitions({
      namespace,
      taskQueue: { name: taskQueue },
    })
    const order: string[] = []
    for (let place = 0; place < 2; place++) {
      const poll = () => connection.workflowService.pollWorkflowTaskQueue({ namespace, taskQueue: { name: taskQueue } })
      const task = await connection.withDeadline(Date.now() + 10_000, poll)
      order.push(task.workflowExecution?.workflowId ?? '')
    }
    const fair = order.some((id) => id === waiting[3])
    const count = partitions?.length ?? 0
    if (fair && count === 1) return { name, ok: true, detail: 'priority and fairness are observed, one partition' }
    const detail = fair
      ? `queues have ${count} partitions: order is only approximate`
      : 'priority and fairness are ignored'
    return { name, ok: false, detail, remedy: fairnessRemedy }
  } catch (error) {
    return { name, ok: false, detail: `cannot be told: ${reasonOf(error)}`, remedy: fairnessRemedy }
  } finally {
    await Promise.all(
      waiting.map((id) =>
        client.workflow
          .getHandle(id)
          .terminate('mayfly doctor')
          .catch(() => {}),
      ),
    )
  }
}
