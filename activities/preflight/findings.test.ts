import { expect, test } from 'vitest'
import { errorFromResponse } from '../../kubernetes/error-shapes.ts'
import { errorFromNetwork } from '../../kubernetes/network-errors.ts'
import { PodEndedError, PodNotStartingError } from '../../kubernetes/pod-errors.ts'
import { InvalidCaError } from '../../kubernetes/target.ts'
import { cause } from '../../model/cause.ts'
import { GroupMisconfiguredError } from '../deps.ts'
import { findingOf } from './findings.ts'

const coded = (code: string) => errorFromNetwork('k8s:6443', Object.assign(new Error(code), { code }))
const refusal = (status: number, message: string, more: object = {}) =>
  errorFromResponse({
    ...{ host: 'k8s:6443', method: 'POST', path: '/api/v1/namespaces/jobs/pods', status },
    body: JSON.stringify({ kind: 'Status', message, ...more }),
  })
const rbac = 'pods is forbidden: User "u" cannot create resource "pods/exec" in API group "" in the namespace "jobs"'
const quota = (requested: string) => `exceeded quota: q, requested: pods=${requested}, used: pods=2, limited: pods=2`

test.each<[string, unknown, RegExp]>([
  ['a name that nobody knows', coded('ENOTFOUND'), /Check the host name/],
  ['a closed port', coded('ECONNREFUSED'), /Check the port/],
  ['silence', coded('ETIMEDOUT'), /firewall/],
  ['a connection that breaks', coded('ECONNRESET'), /what lies between/],
  [
    'a login page',
    errorFromResponse({ ...{ host: 'k', method: 'GET', path: '/', status: 404, body: '<html>' } }),
    /login page/,
  ],
  ['an expired certificate', coded('CERT_HAS_EXPIRED'), /Renew the certificate/],
  ['a certificate of tomorrow', coded('CERT_NOT_YET_VALID'), /clocks/],
  ['an unknown authority', coded('UNABLE_TO_VERIFY_LEAF_SIGNATURE'), /ssl_ca_cert/],
  ['a self-signed certificate', coded('DEPTH_ZERO_SELF_SIGNED_CERT'), /ssl_ca_cert/],
  ['a wrong name', coded('ERR_TLS_CERT_ALTNAME_INVALID'), /Use a name in host/],
  ['no TLS', coded('ERR_SSL_WRONG_VERSION_NUMBER'), /http:\/\//],
  ['another failure of TLS', coded('ERR_TLS_SOMETHING'), /Check host and ssl_ca_cert/],
  ['a wrong token', refusal(401, 'Unauthorized'), /Make a new token/],
  [
    'a missing right',
    refusal(403, rbac),
    /in namespace jobs: \{apiGroups: \[""\], resources: \[pods\/exec\], verbs: \[create\]\}/,
  ],
  ['a quota that is too small', refusal(403, quota('3')), /Raise quota q, or lower the requests/],
  ['a quota that is used up', refusal(403, quota('1')), /Wait until pods end/],
  [
    'a missing namespace',
    refusal(404, 'namespaces "jobs" not found', { details: { kind: 'namespaces', name: 'jobs' } }),
    /Create the namespace/,
  ],
  ['a pod that is refused', refusal(422, 'invalid'), /pod spec override/],
  ['a broken API server', refusal(500, 'etcdserver: no leader'), /health of the API server/],
  ['one that sheds load', refusal(429, 'too many'), /Test again in a while/],
  ['a damaged authority', new InvalidCaError('damaged'), /Correct the credential/],
  ['a group without its credential', new GroupMisconfiguredError('gone'), /Change the instance group/],
  ['an image', new PodNotStartingError(cause('image_not_pullable', 'no')), /registry credential/],
  ['a container', new PodNotStartingError(cause('container_not_created', 'no')), /config map/],
  ['a pod that somebody deleted', new PodEndedError('gone', 'pod', null), /events of the pod/],
])('%s has its remedy', (_name, error, remedy) => {
  expect(findingOf(error)).toMatchObject({ outcome: 'failed', remedy: expect.stringMatching(remedy) })
})

test('a defect of ours is nobody else’s to mend', () => {
  expect(() => findingOf(new TypeError('x is undefined'))).toThrow(TypeError)
})
