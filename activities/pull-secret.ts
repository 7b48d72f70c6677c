import { createHash } from 'node:crypto'
import { openInputs } from '../store/credential-inputs.ts'
import type { RunDocument } from '../store/run-document.ts'
import type { ActivityDeps, GroupPlace } from './deps.ts'

/** Host and port of a registry as the credential names it; a scheme is allowed and dropped. */
function registryHost(text: string): string {
  const url = URL.parse(text.includes('://') ? text : `https://${text}`)
  return url?.host || text
}

/**
 * Makes sure that the namespace has the pull secret of the execution environment's registry credential, and returns its name; undefined
 * when the environment has no such credential. It is named by the credential, so all jobs share one.
 */
export async function providePullSecret(
  deps: Pick<ActivityDeps, 'keyring' | 'settings'>,
  document: Pick<RunDocument, 'registryCredential'>,
  place: GroupPlace,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { registryCredential } = document
  if (!registryCredential) return undefined
  const inputs = openInputs(deps.keyring, registryCredential)
  const [username, password] = [String(inputs.username ?? ''), String(inputs.password ?? '')]
  const auth = Buffer.from(`${username}:${password}`).toString('base64')
  const config = { auths: { [registryHost(String(inputs.host ?? ''))]: { username, password, auth } } }
  const install = createHash('sha256').update(deps.settings.installUuid).digest('hex').slice(0, 5)
  const name = `automation-${install}-image-pull-secret-${registryCredential.credential.id}`
  await place.cluster.createOrUpdateSecret(
    place.namespace,
    {
      metadata: { name },
      type: 'kubernetes.io/dockerconfigjson',
      stringData: { '.dockerconfigjson': JSON.stringify(config) },
    },
    { signal },
  )
  return name
}
