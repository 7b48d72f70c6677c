import type { Cause } from '../model/cause.ts'

/** Base of everything that goes wrong between us and a cluster. The message is for people and holds no secret. */
export abstract class KubernetesError extends Error {
  /** True where the same call may succeed a little later. */
  readonly transient: boolean = false
  /** What a job that failed by this is told; null where the caller must decide (such as a missing pod). */
  toCause(): Cause | null {
    return null
  }
}

/** 401: the token is wrong or expired. */
export class UnauthorizedError extends KubernetesError {}
/** 403 by RBAC. */
export class ForbiddenError extends KubernetesError {
  readonly verb: string = ''
  readonly resource: string = ''
  readonly namespace: string = ''
}
/** 403 "exceeded quota". Room may come; `neverFits` when the request alone is larger than the quota. */
export class QuotaExceededError extends KubernetesError {
  readonly quota: string = ''
  readonly requested: Record<string, string> = {}
  readonly used: Record<string, string> = {}
  readonly limited: Record<string, string> = {}
  readonly neverFits: boolean = false
}
/** 409 on the quota object or 500 "quota evaluation timed out": ask again soon. */
export class QuotaBusyError extends KubernetesError {
  override readonly transient = true
}
/** 404; `what` tells a missing namespace from a missing object in it. */
export class NotFoundError extends KubernetesError {
  readonly what: 'namespace' | 'object' = 'object'
}
/** 409 on create: an object of this name exists. */
export class AlreadyExistsError extends KubernetesError {}
/** 409 otherwise: a precondition (uid, version) does not hold. */
export class ConflictError extends KubernetesError {}
/** 400, 422, or a refusal by admission or LimitRange: this manifest is never accepted. */
export class InvalidObjectError extends KubernetesError {}
/** 410: the resource version asked for is too old; list again. */
export class GoneError extends KubernetesError {}
/** 429. */
export class TooManyRequestsError extends KubernetesError {
  override readonly transient = true
  readonly retryAfterMs: number = 1000
}
/** 5xx. */
export class ServerError extends KubernetesError {
  override readonly transient = true
}
/** The TLS handshake failed: certificate, host name or protocol. */
export class TlsError extends KubernetesError {}
/** DNS, refused, reset, timed out. */
export class UnreachableError extends KubernetesError {
  override readonly transient = true
}
/** exec: the container does not run, not yet or no longer. Look at the pod to tell which. */
export class ContainerNotRunningError extends KubernetesError {}
/** exec: the container runs but the command could not be started (not in the image, or no room). */
export class CommandNotStartedError extends KubernetesError {}
/** exec: the connection broke before the command's end. */
export class ExecLostError extends KubernetesError {
  override readonly transient = true
}
/** The pod is gone, terminal or replaced; `pod` is its last known state, null when gone. */
export class PodEndedError extends KubernetesError {}
/** The pod cannot start (image, configuration, …). */
export class PodNotStartingError extends KubernetesError {}
/** The spool in the pod is not complete at the size that was stored. */
export class SpoolIncompleteError extends KubernetesError {}

/** True where the same call may succeed a little later. */
export function isTransient(error: unknown): boolean {
  return error instanceof KubernetesError && error.transient
}
