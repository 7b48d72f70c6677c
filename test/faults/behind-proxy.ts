import { makeClusterCredential } from '../setup/catalog.ts'
import type { Mayfly } from '../setup/mayfly.ts'
import { tokenAs } from '../setup/service-account.ts'
import type { FaultProxy } from './fault-proxy.ts'

/** Makes a credential of the cluster behind the proxy, for somebody who may do everything there; its id. */
export async function credentialBehind(proxy: FaultProxy, mayfly: Mayfly, organization: number): Promise<number> {
  const token = await tokenAs(mayfly, 'mayfly', { kind: 'ClusterRole', name: 'cluster-admin' }, 7_200)
  const inputs = { host: proxy.url, bearer_token: token, verify_ssl: true, ssl_ca_cert: proxy.ca }
  return await makeClusterCredential(mayfly, organization, inputs)
}
