import { describe, expect, test } from 'vitest'
import { errorFromResponse } from './error-shapes.ts'
import { isTransient, type KubernetesError, QuotaExceededError } from './errors.ts'

/** Bodies as Kubernetes 1.34 sent them. */
const status = (code: number, reason: string, message: string, details?: object) =>
  JSON.stringify({ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', code, reason, message, details })
const errorOf = (code: number, body: string, retryAfter?: string): KubernetesError =>
  errorFromResponse({
    host: 'k8s:6443',
    method: 'POST',
    path: '/api/v1/namespaces/jobs/pods',
    status: code,
    body,
    ...(retryAfter ? { retryAfter } : {}),
  })

const forbidden = (message: string, details: object = { name: 'x', kind: 'pods' }) =>
  status(403, 'Forbidden', message, details)
const quota = (requested: string, used: string, limited: string) =>
  forbidden(`pods "x" is forbidden: exceeded quota: q, requested: ${requested}, used: ${used}, limited: ${limited}`)

test.each([
  ['a wrong token', 401, status(401, 'Unauthorized', 'Unauthorized'), 'UnauthorizedError', 'unauthorized', false],
  [
    'a missing right',
    403,
    forbidden(
      'pods is forbidden: User "system:serviceaccount:a:b" cannot create resource "pods" in API group "" in the namespace "jobs"',
      { kind: 'pods' },
    ),
    'ForbiddenError',
    'forbidden',
    false,
  ],
  ['a quota that is used up', 403, quota('pods=1', 'pods=2', 'pods=2'), 'QuotaExceededError', null, false],
  [
    'a quota that never fits',
    403,
    quota('requests.memory=3Gi', 'requests.memory=0', 'requests.memory=2Gi'),
    'QuotaExceededError',
    'quota_never_fits',
    false,
  ],
  [
    'a conflict on the quota',
    409,
    status(
      409,
      'Conflict',
      'Operation cannot be fulfilled on resourcequotas "q": the object has been modified; please apply your changes to the latest version and try again',
      { name: 'q', kind: 'resourcequotas' },
    ),
    'QuotaBusyError',
    null,
    true,
  ],
  [
    'a quota that was not evaluated in time',
    500,
    status(500, 'InternalError', 'Internal error occurred: resource quota evaluation timed out'),
    'QuotaBusyError',
    null,
    true,
  ],
  [
    'a quota that demands limits',
    403,
    forbidden('pods "x" is forbidden: failed quota: q: must specify limits.memory for: worker'),
    'InvalidObjectError',
    'pod_rejected',
    false,
  ],
  [
    'a LimitRange',
    403,
    forbidden('pods "x" is forbidden: maximum memory usage per Container is 1Gi, but limit is 2Gi'),
    'InvalidObjectError',
    'pod_rejected',
    false,
  ],
  [
    'Pod Security',
    403,
    forbidden('pods "x" is forbidden: violates PodSecurity "restricted:latest": hostNetwork=true'),
    'InvalidObjectError',
    'pod_rejected',
    false,
  ],
  [
    'a webhook',
    400,
    status(400, 'BadRequest', 'admission webhook "policy.example.com" denied the request: no'),
    'InvalidObjectError',
    'pod_rejected',
    false,
  ],
  [
    'a service account that is missing',
    403,
    forbidden('pods "x" is forbidden: error looking up service account jobs/nope: serviceaccount "nope" not found'),
    'InvalidObjectError',
    'pod_rejected',
    false,
  ],
  [
    'an invalid pod',
    422,
    status(422, 'Invalid', 'Pod "x" is invalid: spec.containers[0].image: Required value'),
    'InvalidObjectError',
    'pod_rejected',
    false,
  ],
  [
    'a wrong type',
    400,
    status(400, 'BadRequest', 'Pod in version "v1" cannot be handled as a Pod: json: cannot unmarshal'),
    'InvalidObjectError',
    'pod_rejected',
    false,
  ],
  [
    'a missing namespace',
    404,
    status(404, 'NotFound', 'namespaces "jobs" not found', { name: 'jobs', kind: 'namespaces' }),
    'NotFoundError',
    'namespace_missing',
    false,
  ],
  [
    'a namespace that is being deleted',
    403,
    forbidden('pods "x" is forbidden: unable to create new content in namespace jobs because it is being terminated', {
      name: 'x',
      kind: 'pods',
      causes: [{ reason: 'NamespaceTerminating', message: 'namespace jobs is being terminated' }],
    }),
    'NotFoundError',
    'namespace_missing',
    false,
  ],
  [
    'a missing pod',
    404,
    status(404, 'NotFound', 'pods "x" not found', { name: 'x', kind: 'pods' }),
    'NotFoundError',
    null,
    false,
  ],
  [
    'a name that is taken',
    409,
    status(409, 'AlreadyExists', 'pods "x" already exists', { name: 'x', kind: 'pods' }),
    'AlreadyExistsError',
    null,
    false,
  ],
  [
    'another uid',
    409,
    status(
      409,
      'Conflict',
      'Operation cannot be fulfilled on pods "x": the UID in the precondition (a) does not match the UID in record (b)',
      { name: 'x', kind: 'pods' },
    ),
    'ConflictError',
    null,
    false,
  ],
  ['an old version', 410, status(410, 'Expired', 'too old resource version: 1 (2)'), 'GoneError', null, true],
  [
    'too many requests',
    429,
    status(429, 'TooManyRequests', 'Too many requests, please try again later.'),
    'TooManyRequestsError',
    'endpoint_unreachable',
    true,
  ],
  [
    'an internal error',
    500,
    status(500, 'InternalError', 'Internal error occurred: etcdserver: leader changed'),
    'ServerError',
    'endpoint_unreachable',
    true,
  ],
  [
    'a balancer without backend',
    503,
    '<html><body><h1>503 Service Unavailable</h1>',
    'ServerError',
    'endpoint_unreachable',
    true,
  ],
  ['a login page', 302, '<a href="/login">Found</a>', 'UnreachableError', 'endpoint_unreachable', true],
  ['another service', 404, '{"code": 5, "message": "Not Found"}', 'UnreachableError', 'endpoint_unreachable', true],
  [
    'HTTP spoken to HTTPS',
    400,
    'Client sent an HTTP request to an HTTPS server.\n',
    'UnreachableError',
    'endpoint_unreachable',
    true,
  ],
])('%s', (_name, code, body, name, kind, transient) => {
  const error = errorOf(code, body)
  expect(error.name).toBe(name)
  expect(error.toCause()?.kind ?? null).toBe(kind)
  expect(isTransient(error)).toBe(transient)
  expect(error.detail).toContain(String(code))
})

describe('what the errors say', () => {
  test('a missing right: verb, resource and namespace', () => {
    expect(
      errorOf(
        403,
        forbidden(
          'pods "p" is forbidden: User "u" cannot get resource "pods/exec" in API group "" in the namespace "jobs"',
        ),
      ),
    ).toMatchObject({
      verb: 'get',
      resource: 'pods/exec',
      namespace: 'jobs',
      message: 'The credential has no right to get pods/exec in namespace jobs (403 Forbidden).',
    })
    expect(
      errorOf(
        403,
        forbidden('pods is forbidden: User "u" cannot list resource "pods" in API group "" at the cluster scope'),
      ),
    ).toMatchObject({
      verb: 'list',
      namespace: '',
      message: 'The credential has no right to list pods in the whole cluster (403 Forbidden).',
    })
  })

  test('a used up quota: its name, the numbers, and only what is in the way', () => {
    const error = errorOf(
      403,
      quota(
        'limits.memory=1Gi,pods=1,requests.cpu=500m',
        'limits.memory=0,pods=2,requests.cpu=1',
        'limits.memory=8Gi,pods=2,requests.cpu=1200m',
      ),
    )
    expect(error).toBeInstanceOf(QuotaExceededError)
    expect(error).toMatchObject({
      quota: 'q',
      neverFits: false,
      requested: { 'limits.memory': '1Gi', pods: '1', 'requests.cpu': '500m' },
      used: { pods: '2' },
      limited: { pods: '2' },
      message: 'Quota q is used up: pods 2 of 2 in use, 1 requested; requests.cpu 1 of 1200m in use, 500m requested.',
    })
  })

  test('a quota that never fits: only what is too large', () => {
    expect(
      errorOf(403, quota('limits.memory=2Gi,pods=1', 'limits.memory=0,pods=9', 'limits.memory=1024Mi,pods=9')),
    ).toMatchObject({
      neverFits: true,
      message: 'The pod can never fit into quota q: it requests limits.memory 2Gi, and the quota is 1024Mi.',
    })
  })

  test('a quota of zero never fits', () => {
    expect(errorOf(403, quota('pods=1', 'pods=0', 'pods=0'))).toMatchObject({ neverFits: true })
  })

  test('too many requests: when to come back', () => {
    const body = status(429, 'TooManyRequests', 'slow down', { retryAfterSeconds: 7 })
    expect(errorOf(429, body)).toMatchObject({ retryAfterMs: 7000 })
    expect(errorOf(429, 'text', '3')).toMatchObject({ retryAfterMs: 3000 })
    expect(errorOf(429, 'text')).toMatchObject({ retryAfterMs: 1000 })
    expect(errorOf(429, 'text', 'Wed, 21 Oct 2026 07:28:00 GMT')).toMatchObject({ retryAfterMs: 1000 })
  })

  test('the host', () => {
    for (const code of [401, 500]) expect(errorOf(code, status(code, '', 'x')).message).toContain('k8s:6443')
  })
})
