import { KubernetesError } from '../../kubernetes/errors.ts'
import { PodEndedError, PodNotStartingError } from '../../kubernetes/pod-errors.ts'
import { podFate, unschedulableMessage } from '../../kubernetes/pod-state.ts'
import { type Cause, cause } from '../../model/cause.ts'
import { CredentialUnusableError } from '../../runner/credentials.ts'
import { InventoryVariablesError } from '../../runner/inventory.ts'
import { SourceUnusableError } from '../../runner/inventory-update/plan.ts'
import { ProjectUnreadableError } from '../../runner/project/manual.ts'
import { noteHostLimit } from '../../store/inventory-updates.ts'
import type { ActivityDeps } from '../deps.ts'
import { HostLimitError } from '../inventory/bring-in.ts'
import type { PlayInput } from './play-in-pod.ts'
import { ContainerTextError } from './prepared-container.ts'

/**
 * What an error of the play means for the job; null for one that is not about the job, such as a database that is away: the activity then
 * fails and is tried again.
 */
export async function causeOfError(deps: ActivityDeps, input: PlayInput, error: unknown): Promise<Cause | null> {
  if (
    error instanceof CredentialUnusableError ||
    error instanceof InventoryVariablesError ||
    error instanceof ContainerTextError
  )
    return cause('prestart_check_failed', error.message)
  if (error instanceof ProjectUnreadableError) return cause('project_missing', error.message)
  if (error instanceof SourceUnusableError) return cause('play_failed', error.message)
  if (error instanceof HostLimitError) {
    await noteHostLimit(deps.store.db, input.attempt.jobId)
    return cause('play_failed', error.message)
  }
  if (error instanceof DOMException && error.name === 'TimeoutError') return await whyNotStarted(deps, input)
  if (error instanceof PodEndedError || error instanceof PodNotStartingError)
    return error.toCause() ?? cause('pod_failed', error.message)
  if (error instanceof KubernetesError && !error.transient) return error.toCause()
  return null
}

/** The pod did not become ready in time: says what it was waiting for. */
async function whyNotStarted({ settings }: ActivityDeps, { cluster, pod }: PlayInput): Promise<Cause> {
  const limit = `${settings.podPendingSeconds} s`
  try {
    const state = await cluster.getPod(pod.namespace, pod.name)
    const events = await cluster.podEvents(pod.namespace, pod.name)
    const detail = events.map(({ reason, message }) => `${reason}: ${message}`).join('\n')
    const unschedulable = unschedulableMessage(state)
    if (unschedulable)
      return cause(
        'pod_unschedulable',
        `No node took the pod within ${limit}: ${unschedulable}`,
        detail || unschedulable,
      )
    const fate = podFate(state, { now: Date.now() })
    const note = fate.state === 'starting' ? fate.note : fate.state
    // The state of a pod that waits for a volume or a sandbox says nothing; its last warning does.
    const warning = events.findLast(({ type }) => type === 'Warning')
    const why = [note, warning && `${warning.reason}: ${warning.message}`].filter(Boolean).join('. ')
    return cause('pod_start_timed_out', `The pod did not start within ${limit}${why ? `: ${why}` : '.'}`, detail)
  } catch (error) {
    return cause('pod_start_timed_out', `The pod did not start within ${limit}.`, String(error))
  }
}
