/** Checks of the Temporal server. */
import type { Check } from '../../dev/doctor.ts'
import { checkOrder } from '../../worker/order-check.ts'
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

/** Whether jobs would start in their order, as a worker finds it out. */
async function fairnessCheck(link: TemporalLink): Promise<Check> {
  const name = 'temporal fairness'
  try {
    const problems = await checkOrder(link)
    if (problems.length === 0) return { name, ok: true, detail: 'priority and fairness are observed, one partition' }
    return { name, ok: false, detail: problems.join(' '), remedy: fairnessRemedy }
  } catch (error) {
    return { name, ok: false, detail: `cannot be told: ${reasonOf(error)}`, remedy: fairnessRemedy }
  }
}
