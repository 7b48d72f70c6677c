import { parseQuantity } from '../model/quantity.ts'
import {
  AlreadyExistsError,
  ConflictError,
  ForbiddenError,
  GoneError,
  InvalidObjectError,
  type KubernetesError,
  NotFoundError,
  QuotaBusyError,
  QuotaExceededError,
  type QuotaNumbers,
  ServerError,
  TooManyRequestsError,
  UnauthorizedError,
  UnreachableError,
} from './errors.ts'

/** The parts of a `v1` Status that tell errors apart. */
export interface StatusBody {
  status?: string
  message?: string
  reason?: string
  code?: number
  metadata?: { continue?: string }
  details?: {
    name?: string
    kind?: string
    retryAfterSeconds?: number
    causes?: { reason?: string; message?: string }[]
  }
}

/** A refused request: what was asked of whom and what came back. */
export interface Refusal {
  host: string
  method: string
  path: string
  status: number
  body: string
  retryAfter?: string
}

/** The typed error for an answer outside 2xx. */
export function errorFromResponse(refusal: Refusal): KubernetesError {
  const status = parseStatus(refusal.body)
  const text = status?.message || shorten(refusal.body)
  const detail = `${refusal.method} ${refusal.path}: ${refusal.status} ${text}`
  switch (refusal.status) {
    case 401:
      return new UnauthorizedError(
        `The Kubernetes API at ${refusal.host} does not accept the token (401 Unauthorized): it is wrong or has expired.`,
        detail,
      )
    case 429: {
      const seconds = status?.details?.retryAfterSeconds ?? Number(refusal.retryAfter ?? 1)
      return new TooManyRequestsError(
        (Number.isFinite(seconds) && seconds > 0 ? seconds : 1) * 1000,
        `The Kubernetes API at ${refusal.host} is overloaded (429).`,
        detail,
      )
    }
    case 410:
      return new GoneError(text, detail, status?.metadata?.continue)
  }
  if (refusal.status >= 500) {
    if (/quota evaluation timed out/.test(text)) return new QuotaBusyError(text, detail)
    return new ServerError(
      refusal.status,
      `The Kubernetes API at ${refusal.host} answers ${refusal.status}: ${text}`,
      detail,
    )
  }
  if (!status) {
    // A proxy's login page or another service: every 4xx of a Kubernetes API to our paths carries a Status.
    return new UnreachableError(
      'not-kubernetes',
      `${refusal.host} does not answer like a Kubernetes API (${refusal.method} ${refusal.path} gave ${refusal.status}).`,
      detail,
    )
  }
  switch (refusal.status) {
    case 403:
      return forbidden(text, status, detail)
    case 404:
      return notFound(text, status, detail)
    case 409:
      if (status.reason === 'AlreadyExists') return new AlreadyExistsError(text, detail)
      if (status.details?.kind === 'resourcequotas') return new QuotaBusyError(text, detail)
      return new ConflictError(text, detail)
    default:
      return new InvalidObjectError(`Kubernetes rejected the request: ${text}`, detail)
  }
}

/** The typed error for a Status that comes inside a stream, as a watch's ERROR event. */
export function errorFromStatus(host: string, status: object): KubernetesError {
  const code = 'code' in status && typeof status.code === 'number' ? status.code : 500
  return errorFromResponse({ host, method: 'WATCH', path: '', status: code, body: JSON.stringify(status) })
}

/** The Status in a body, null where it holds none. */
export function parseStatus(body: string): StatusBody | null {
  try {
    const parsed: (StatusBody & { kind?: string }) | null = JSON.parse(body)
    return parsed?.kind === 'Status' ? parsed : null
  } catch {
    return null
  }
}

/** A pod refused for want of quota reads `exceeded quota: NAME, requested: a=1,b=2, used: a=3,b=4, limited: a=3,b=9`. */
function parseQuota(message: string): QuotaNumbers | null {
  const match = /exceeded quota: ([^,]+), requested: (.*?), used: (.*?), limited: (.*)$/.exec(message)
  if (!match) return null
  const [, quota = '', requested = '', used = '', limited = ''] = match
  return { quota, requested: quantities(requested), used: quantities(used), limited: quantities(limited) }
}

/** The requests that are larger than the quota itself, so that no freed pod ever helps. */
function hopeless({ requested, limited }: QuotaNumbers): string[] {
  return Object.keys(requested).filter((resource) => amount(requested, resource) > amount(limited, resource))
}

/** The requests for which there is no room just now. */
function exhausted({ requested, used, limited }: QuotaNumbers): string[] {
  return Object.keys(requested).filter(
    (resource) => amount(used, resource) + amount(requested, resource) > amount(limited, resource),
  )
}

function amount(amounts: Record<string, string>, resource: string): number {
  return parseQuantity(amounts[resource] ?? '')
}

function quantities(list: string): Record<string, string> {
  const pairs = list.split(',').map((pair) => pair.trim().split('='))
  return Object.fromEntries(pairs.flatMap(([key, value]) => (key && value ? [[key, value]] : [])))
}

function forbidden(text: string, status: StatusBody, detail: string): KubernetesError {
  const numbers = parseQuota(text)
  if (numbers) return quotaExceeded(numbers, detail)
  // A quota that was made a moment ago and that nobody has counted yet.
  if (/status unknown for quota/.test(text)) return new QuotaBusyError(text, detail)
  // The verb may be followed by a sub-resource: `cannot create resource "pods/exec" in API group "" in the namespace "jobs"`.
  const rbac = /cannot (\S+) resource "([^"]+)"(?:.*? in the namespace "([^"]+)")?/.exec(text)
  if (rbac) {
    const [, verb = '', resource = '', namespace = ''] = rbac
    const where = namespace ? ` in namespace ${namespace}` : ' in the whole cluster'
    return new ForbiddenError(
      { verb, resource, namespace },
      `The credential has no right to ${verb} ${resource}${where} (403 Forbidden).`,
      detail,
    )
  }
  if (
    status.details?.causes?.some((found) => found.reason === 'NamespaceTerminating') ||
    /because it is being terminated/.test(text)
  ) {
    return new NotFoundError('namespace', `The namespace is being deleted: ${text}`, detail)
  }
  return new InvalidObjectError(`Kubernetes rejected the request: ${text}`, detail)
}

function quotaExceeded(numbers: QuotaNumbers, detail: string): QuotaExceededError {
  const { quota, requested, used, limited } = numbers
  const never = hopeless(numbers)
  if (never.length > 0) {
    const wants = never.map((resource) => `${resource} ${requested[resource]}, and the quota is ${limited[resource]}`)
    return new QuotaExceededError(
      numbers,
      true,
      `The pod can never fit into quota ${quota}: it requests ${wants.join('; ')}.`,
      detail,
    )
  }
  const lacks = exhausted(numbers).map(
    (resource) => `${resource} ${used[resource]} of ${limited[resource]} in use, ${requested[resource]} requested`,
  )
  return new QuotaExceededError(numbers, false, `Quota ${quota} is used up: ${lacks.join('; ')}.`, detail)
}

function notFound(text: string, status: StatusBody, detail: string): NotFoundError {
  if (status.details?.kind === 'namespaces') {
    return new NotFoundError('namespace', `Namespace ${status.details.name ?? ''} does not exist.`, detail)
  }
  return new NotFoundError('object', text, detail)
}

function shorten(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim()
  return line.length > 300 ? `${line.slice(0, 300)}…` : line
}
