import { type Cause, type CauseKind, cause } from '../model/cause.ts'

/** Base of everything that goes wrong between us and a cluster. The message is for people and holds no secret. */
export abstract class KubernetesError extends Error {
  override name = this.constructor.name
  /** True where the same call may succeed a little later. */
  readonly transient: boolean = false
  /** The raw evidence: the API server's own words. */
  readonly detail: string
  /** The cause of a job's end by this error; null where only the caller can know (such as a missing pod). */
  protected readonly causeKind: CauseKind | null = null

  constructor(message: string, detail = message) {
    super(message)
    this.detail = detail
  }

  /** What a job that ends by this error is told. */
  toCause(): Cause | null {
    return this.causeKind && cause(this.causeKind, this.message, this.detail)
  }
}

/** 401: the token is wrong or expired. */
export class UnauthorizedError extends KubernetesError {
  protected override readonly causeKind = 'unauthorized'
}

/** 403 by RBAC: the identity lacks a right. `namespace` is '' for cluster-wide requests. */
export class ForbiddenError extends KubernetesError {
  protected override readonly causeKind = 'forbidden'
  readonly verb: string
  readonly resource: string
  readonly namespace: string

  constructor(right: { verb: string; resource: string; namespace: string }, message: string, detail: string) {
    super(message, detail)
    this.verb = right.verb
    this.resource = right.resource
    this.namespace = right.namespace
  }
}

/** What the API server says of an exhausted quota; quantities by resource, as texts such as `500m`. */
export interface QuotaNumbers {
  quota: string
  requested: Record<string, string>
  used: Record<string, string>
  limited: Record<string, string>
}

/** 403 "exceeded quota". Room may come, unless `neverFits`: the request alone is larger than the quota. */
export class QuotaExceededError extends KubernetesError {
  readonly quota: string
  readonly requested: Record<string, string>
  readonly used: Record<string, string>
  readonly limited: Record<string, string>
  readonly neverFits: boolean
  protected override readonly causeKind: CauseKind | null

  constructor(numbers: QuotaNumbers, neverFits: boolean, message: string, detail: string) {
    super(message, detail)
    this.quota = numbers.quota
    this.requested = numbers.requested
    this.used = numbers.used
    this.limited = numbers.limited
    this.neverFits = neverFits
    this.causeKind = neverFits ? 'quota_never_fits' : null
  }
}

/** 409 on the quota object, or 500 "resource quota evaluation timed out": too many creations at once, ask again soon. */
export class QuotaBusyError extends KubernetesError {
  override readonly transient = true
}

/** 404. `namespace`: the namespace itself is missing or being deleted; `object`: something in it is missing. */
export class NotFoundError extends KubernetesError {
  readonly what: 'namespace' | 'object'
  protected override readonly causeKind: CauseKind | null

  constructor(what: 'namespace' | 'object', message: string, detail: string) {
    super(message, detail)
    this.what = what
    this.causeKind = what === 'namespace' ? 'namespace_missing' : null
  }
}

/** 409 on create: an object of this name exists. */
export class AlreadyExistsError extends KubernetesError {}

/** 409 otherwise: a precondition (uid, version) does not hold. */
export class ConflictError extends KubernetesError {}

/** 400, 413, 422 or a refusal by admission (LimitRange, Pod Security, webhook): this object is never accepted as it is. */
export class InvalidObjectError extends KubernetesError {
  protected override readonly causeKind = 'pod_rejected'
}

/** 410: the resource version asked for is too old; list again. */
export class GoneError extends KubernetesError {
  override readonly transient = true
  /** By which the rest of a list can be had all the same, as it is by now; '' where the API server offers none. */
  readonly continueToken: string

  constructor(message: string, detail: string, continueToken = '') {
    super(message, detail)
    this.continueToken = continueToken
  }
}

/** 429: the API server sheds load. */
export class TooManyRequestsError extends KubernetesError {
  override readonly transient = true
  protected override readonly causeKind = 'endpoint_unreachable'
  readonly retryAfterMs: number

  constructor(retryAfterMs: number, message: string, detail: string) {
    super(message, detail)
    this.retryAfterMs = retryAfterMs
  }
}

/** 5xx. */
export class ServerError extends KubernetesError {
  override readonly transient = true
  protected override readonly causeKind = 'endpoint_unreachable'
  readonly status: number

  constructor(status: number, message: string, detail: string) {
    super(message, detail)
    this.status = status
  }
}

/** What is wrong with an endpoint's TLS. */
export type TlsReason = 'expired' | 'not-yet-valid' | 'unknown-authority' | 'wrong-name' | 'no-tls' | 'other'

/** The TLS handshake failed. The message names what is wrong: issuer, host name, expiry, protocol. */
export class TlsError extends KubernetesError {
  protected override readonly causeKind = 'tls_failed'
  readonly reason: TlsReason

  constructor(message: string, detail: string, reason: TlsReason = 'other') {
    super(message, detail)
    this.reason = reason
  }
}

/** What kept us from talking to an API server. */
export type UnreachableReason = 'dns' | 'refused' | 'timeout' | 'connection' | 'not-kubernetes'

/** Nobody answers at the endpoint, or what answers is no Kubernetes API. The message names the host. */
export class UnreachableError extends KubernetesError {
  override readonly transient = true
  protected override readonly causeKind = 'endpoint_unreachable'
  readonly reason: UnreachableReason

  constructor(reason: UnreachableReason, message: string, detail: string) {
    super(message, detail)
    this.reason = reason
  }
}

/** What is configured (credential, kubeconfig, certificate authority) cannot be used at all. */
export class ConfigurationError extends KubernetesError {
  protected override readonly causeKind = 'group_misconfigured'
}

/** True where the same call may succeed a little later. */
export function isTransient(error: unknown): boolean {
  return error instanceof KubernetesError && error.transient
}
