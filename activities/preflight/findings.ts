import {
  ConfigurationError,
  ForbiddenError,
  InvalidObjectError,
  KubernetesError,
  NotFoundError,
  QuotaExceededError,
  ServerError,
  TlsError,
  type TlsReason,
  TooManyRequestsError,
  UnauthorizedError,
  UnreachableError,
  type UnreachableReason,
} from '../../kubernetes/errors.ts'
import { PodEndedError, PodNotStartingError } from '../../kubernetes/pod-errors.ts'
import type { Cause } from '../../model/cause.ts'
import { roleRules } from '../../model/preflight-rights.ts'
import { GroupMisconfiguredError } from '../deps.ts'

/** What a check found: in words, and what to do about it. */
export interface Finding {
  outcome: 'passed' | 'warning' | 'failed' | 'skipped'
  message: string
  remedy: string
}

/** All is well. */
export const passed = (message: string): Finding => ({ outcome: 'passed', message, remedy: '' })
/** Jobs run, and something is lost or will be. */
export const warning = (message: string, remedy: string): Finding => ({ outcome: 'warning', message, remedy })
/** Jobs do not run. */
export const failed = (message: string, remedy: string): Finding => ({ outcome: 'failed', message, remedy })
/** Nobody looked. */
export const skipped = (message: string): Finding => ({ outcome: 'skipped', message, remedy: '' })

/** What to do about a certificate that is not trusted. */
export const tlsRemedies: Record<TlsReason, string> = {
  expired: 'Renew the certificate of the API server.',
  'not-yet-valid': 'Set the clocks of this machine and of the API server right.',
  'unknown-authority':
    'Put the certificate authority of the cluster into ssl_ca_cert of the credential, such as certificate-authority-data of a kubeconfig or the config map kube-root-ca.crt of any namespace.',
  'wrong-name':
    'Use a name in host of the credential that the certificate is made for, or add this name to the certificate.',
  'no-tls': 'Check host of the credential: the port may be that of another service, or the address may want http://.',
  other: 'Check host and ssl_ca_cert of the credential.',
}

const reachRemedies: Record<UnreachableReason, string> = {
  dns: 'Check the host name in host of the credential, and that this machine can resolve it.',
  refused: 'Check the port in host of the credential, and that the API server runs.',
  timeout: 'Check that no firewall between the workers and the API server drops the connection.',
  connection: 'Check the address in host of the credential, and what lies between the workers and the API server.',
  'not-kubernetes': 'Check host of the credential: what answers there is another service or a login page.',
}

const causeRemedies: Partial<Record<Cause['kind'], string>> = {
  image_not_pullable:
    'Check the image of the execution environment and its registry credential, and that the nodes reach the registry.',
  container_not_created:
    'Check the pod spec override: a config map, secret, volume or command that it names is missing.',
  node_refused: 'Look at what runs on the node, and at a nodeName in the pod spec override.',
  pod_failed: "Check the pod spec override: the pod's containers end by themselves.",
}

/** What an error of a cluster means to whoever looks after the group. Other errors are thrown on. */
export function findingOf(error: unknown): Finding {
  if (error instanceof GroupMisconfiguredError) return failed(error.message, 'Change the instance group as it says.')
  if (!(error instanceof KubernetesError)) throw error
  if (error instanceof PodNotStartingError || error instanceof PodEndedError) {
    const found = error.toCause()
    return failed(found.message, causeRemedies[found.kind] ?? 'Look at the events of the pod in the cluster.')
  }
  return failed(error.message, remedyOf(error))
}

function remedyOf(error: KubernetesError): string {
  if (error instanceof TlsError) return tlsRemedies[error.reason]
  if (error instanceof UnreachableError) return reachRemedies[error.reason]
  if (error instanceof UnauthorizedError) {
    return 'Make a new token for the service account (kubectl create token, or a secret of type kubernetes.io/service-account-token), and put it into bearer_token of the credential.'
  }
  if (error instanceof ForbiddenError) {
    const { verb, resource, namespace } = error
    const where = namespace ? `namespace ${namespace}` : 'the cluster'
    return `Grant the right by a Role in ${where}: ${roleRules([{ resource, verbs: [verb] }])}.`
  }
  if (error instanceof QuotaExceededError) {
    return error.neverFits
      ? `Raise quota ${error.quota}, or lower the requests and limits of the group's pod spec override.`
      : `Wait until pods end, raise quota ${error.quota}, or lower max_concurrent_jobs of the group.`
  }
  if (error instanceof NotFoundError && error.what === 'namespace') {
    return 'Create the namespace, or name another one in metadata.namespace of the pod spec override.'
  }
  if (error instanceof InvalidObjectError)
    return 'Change the pod spec override of the group so that the cluster accepts the pod.'
  if (error instanceof ConfigurationError) return 'Correct the credential of the group.'
  if (error instanceof ServerError || error instanceof TooManyRequestsError) {
    return 'Test again in a while; if it stays so, look at the health of the API server.'
  }
  return 'Test again; if it stays so, look into the log of the worker.'
}
