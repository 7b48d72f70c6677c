import type { Cluster } from '../../kubernetes/cluster.ts'
import type { Contact, EndpointCertificate } from '../../kubernetes/cluster-probe.ts'
import { ForbiddenError, NotFoundError, TlsError } from '../../kubernetes/errors.ts'
import { roleRules, type WantedRight, wantedRights } from '../../model/preflight-rights.ts'
import type { Checklist } from './checklist.ts'
import { type Finding, failed, findingOf, passed, skipped, tlsRemedies, warning } from './findings.ts'

const dayMs = 86_400_000
/** A certificate or token that ends sooner is worth a word. */
const soonMs = 7 * dayMs

/** Where to look, and as whom. */
export interface ClusterToTest {
  cluster: Cluster
  namespace: string
  /** The execution environment's registry asks for a login, so that a pull secret is made. */
  pullSecret: boolean
  signal: AbortSignal
}

/** Checks of a cluster that change nothing in it: reach, tls, identity, namespace, rights. */
export async function checkCluster(list: Checklist, place: ClusterToTest): Promise<void> {
  const { cluster, signal } = place
  await checkContact(list, place)
  await list.check('identity', async () => {
    const { name, expires } = await cluster.probe.whoAmI({ signal })
    const who = name === '' ? 'The API server accepts the token.' : `The API server knows us as ${name}.`
    if (expires === null) return passed(who)
    const until = `${who} The token is valid until ${expires.toISOString()}.`
    if (expires.getTime() - Date.now() > soonMs) return passed(until)
    return warning(
      until,
      'Put a token into bearer_token of the credential that is valid for longer, before this one ends.',
    )
  })
  // First, because in a namespace that is not there nobody has a right by a Role.
  await list.check('namespace', () => checkNamespace(place))
  await list.check('rights', () => checkRights(place))
}

/** One request tells both whether anybody is there and whether TLS holds. */
async function checkContact(list: Checklist, { cluster, signal }: ClusterToTest): Promise<void> {
  if (!list.sound) return
  const begun = performance.now()
  const elapsed = () => performance.now() - begun
  try {
    const contact = await cluster.probe.contact({ signal })
    const version = contact.version === '' ? '' : `, Kubernetes ${contact.version}`
    list.note('reach', passed(`The API server at ${cluster.host} answers${version}.`), elapsed())
    list.note('tls', tlsFinding(contact))
  } catch (error) {
    signal.throwIfAborted()
    if (!(error instanceof TlsError)) return list.note('reach', findingOf(error), elapsed())
    list.note('reach', passed(`Somebody listens at ${cluster.host}.`), elapsed())
    list.note('tls', findingOf(error))
  }
}

function tlsFinding({ certificate }: Contact): Finding {
  if (!certificate)
    return warning(
      'The connection is not encrypted, or its certificate could not be looked at.',
      'Use https:// in host of the credential.',
    )
  const { verified, problem } = certificate
  if (!verified) {
    const found = problem ? ` It would fail: ${problem.replaceAll('-', ' ')}.` : ' It would succeed.'
    const remedy = problem ? `${tlsRemedies[problem]} Then set verify_ssl.` : 'Set verify_ssl of the credential.'
    return warning(`The certificate of the API server is not verified.${found}`, remedy)
  }
  return lifetimeFinding(certificate)
}

function lifetimeFinding({ issuer, expires }: EndpointCertificate): Finding {
  const message = `The certificate is by ${issuer || 'an authority without name'} and valid until ${expires.toISOString()}.`
  return expires.getTime() - Date.now() < soonMs ? warning(message, tlsRemedies.expired) : passed(message)
}

async function checkRights({ cluster, namespace, pullSecret, signal }: ClusterToTest): Promise<Finding> {
  const asked = wantedRights({ pullSecret }).flatMap((right) =>
    right.verbs.map((verb) => ({ ...right, verbs: [verb] })),
  )
  const answers = await Promise.all(
    asked.map(async (right) => {
      const { resource, verbs } = right
      return { right, allowed: await cluster.probe.mayI(namespace, { verb: verbs[0] ?? '', resource }, { signal }) }
    }),
  )
  if (answers.every(({ allowed }) => allowed === null)) {
    return warning(
      'The API server does not say which rights the identity has.',
      'Grant the right to create selfsubjectaccessreviews, which the cluster role system:basic-user gives.',
    )
  }
  const missing = answers.filter(({ allowed }) => allowed === false).map(({ right }) => right)
  if (missing.length === 0) return passed(`All rights in namespace ${namespace} are there.`)
  const message = `Missing in namespace ${namespace}: ${missing.map(({ verbs, resource, loss }) => `${verbs.join(' ')} ${resource} (${loss})`).join('; ')}.`
  const remedy = `Grant them by a Role in namespace ${namespace}: ${roleRules(missing)}.`
  return missing.some(({ needed }: WantedRight) => needed) ? failed(message, remedy) : warning(message, remedy)
}

async function checkNamespace({ cluster, namespace, signal }: ClusterToTest): Promise<Finding> {
  try {
    const { status } = await cluster.getNamespace(namespace, { signal })
    if (status?.phase !== 'Terminating') return passed(`Namespace ${namespace} is there.`)
    return failed(
      `Namespace ${namespace} is being deleted.`,
      'Wait until it is gone and create it anew, or name another one in metadata.namespace of the pod spec override.',
    )
  } catch (error) {
    if (error instanceof ForbiddenError)
      return skipped(`The right to get namespaces is missing, so only a pod can tell whether ${namespace} is there.`)
    if (error instanceof NotFoundError) {
      return failed(
        `Namespace ${namespace} does not exist.`,
        'Create the namespace, or name another one in metadata.namespace of the pod spec override.',
      )
    }
    throw error
  }
}
