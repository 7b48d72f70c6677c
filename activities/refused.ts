import {
  ConfigurationError,
  ForbiddenError,
  isTransient,
  KubernetesError,
  NotFoundError,
  QuotaBusyError,
  QuotaExceededError,
  TlsError,
  TooManyRequestsError,
  UnauthorizedError,
  UnreachableError,
  type UnreachableReason,
} from '../kubernetes/errors.ts'
import { cause } from '../model/cause.ts'
import type { AttemptRow } from '../store/claims.ts'
import { cannotTake } from './cannot-take.ts'
import type { ActivityDeps } from './deps.ts'
import { giveBack } from './give-back.ts'
import { AwayError, busyMs, NoRoomError } from './no-room.ts'
import { type Asked, keepRefusal } from './refusal.ts'
import type { AdmitInput } from './types.ts'

/** An API server that has just started refuses everybody until it has read the rights; longer than this it means it. */
const refusalPatienceMs = 10_000

/** How nobody can have heard of a request. */
const neverSent: ReadonlySet<UnreachableReason> = new Set(['dns', 'refused', 'not-kubernetes'])

/** What a refusal means: no room (benign, and the brake closes), try again, or the end of the job. */
export async function refused(deps: ActivityDeps, input: AdmitInput, asked: Asked, error: unknown): Promise<never> {
  const { place, attempt } = asked
  const { job } = asked.document
  if (!(error instanceof KubernetesError)) throw error
  const found = error.toCause() ?? cause('pod_rejected', error.message)
  const waitedMs = Date.now() - Date.parse(attempt.claimedAt)
  // One that listed pods before and is refused now has met an API server that has just started.
  const known = deps.gates.reached(place.groupId)
  const refusedToKnown = known && (error instanceof UnauthorizedError || error instanceof ForbiddenError)
  if (refusedToKnown && waitedMs < refusalPatienceMs) throw new AwayError(error.message)
  if (isTransient(error) && !isBusy(error)) {
    const unsent = wasNeverSent(error, attempt)
    // Where nobody was ever reached silence is as good; if there is a pod after all, the reaper finds it.
    const unheard = unsent || (!known && error instanceof UnreachableError && error.reason === 'timeout')
    // Else the pod may have been created without our hearing of it: the claim is kept, and the next try adopts what there is. A job that has other groups is not kept from them for long.
    const holds = !input.hasOthers || (!unheard && waitedMs <= deps.settings.endpointPatienceSeconds * 1000)
    const clear = async (last: boolean) => {
      // Of a cluster that is known to be one the end of the pod is waited for.
      if (!last || !known) await giveBack(deps, attempt, { numberUnused: unsent && !last })
      if (last) await keepRefusal(deps, asked, found)
    }
    const since = attempt.claimedAt
    return await cannotTake(deps, input, { job, why: 'unreachable', found, since, holds, clear })
  }
  if (error instanceof QuotaExceededError && !error.neverFits) {
    await giveBack(deps, attempt)
    await deps.gates.closeBrake(place.groupId, error.message)
    throw new NoRoomError('braked', error.message, null)
  }
  if (error instanceof QuotaBusyError) {
    await giveBack(deps, attempt)
    throw new NoRoomError(null, error.message, busyMs)
  }
  if (error instanceof TooManyRequestsError) {
    await giveBack(deps, attempt)
    // Whoever else asks now would only be one more.
    await deps.gates.throttled(place.cluster.host, error.message, Math.max(busyMs, error.retryAfterMs))
    throw new NoRoomError('braked', error.message, null)
  }
  const clear = async (last: boolean) => {
    // What is kept of a refusal that ends the job is kept by its number.
    await giveBack(deps, attempt, last ? { numberUnused: false } : undefined)
    if (last) await keepRefusal(deps, asked, found)
  }
  return await cannotTake(deps, input, { job, why: isRepairable(error) ? 'misconfigured' : 'cannot_run', found, clear })
}

/** Whether the API server cannot have heard of the pod: nobody answered at its address, and no earlier try was under way. */
function wasNeverSent(error: KubernetesError, attempt: AttemptRow): boolean {
  return attempt.podName === '' && error instanceof UnreachableError && neverSent.has(error.reason)
}

/** Whether somebody can repair what the cluster refused, without a change of the job or the group's pod: an identity, a right, a certificate, a namespace. */
function isRepairable(error: KubernetesError): boolean {
  return (
    error instanceof UnauthorizedError ||
    error instanceof ForbiddenError ||
    error instanceof TlsError ||
    error instanceof ConfigurationError ||
    (error instanceof NotFoundError && error.what === 'namespace')
  )
}

/** The cluster has too much to do just now. */
function isBusy(error: KubernetesError): boolean {
  return error instanceof QuotaBusyError || error instanceof TooManyRequestsError
}
