import { Client } from '@temporalio/client'
import { loadClientConnectConfig } from '@temporalio/envconfig'
import protocol from '@temporalio/proto'
import { NativeConnection } from '@temporalio/worker'
import { searchAttributes } from '../workflows/names.ts'

/** A connection to Temporal that the workers and the client of this process share. */
export interface TemporalLink {
  connection: NativeConnection
  client: Client
  namespace: string
}

/**
 * Connects with the standard Temporal environment (TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, TEMPORAL_PROFILE, TEMPORAL_TLS_*, …).
 * Throws when the server does not answer; callers decide whether to wait.
 */
export async function connectTemporal(env: NodeJS.ProcessEnv): Promise<TemporalLink> {
  const config = loadClientConnectConfig({ overrideEnvVars: { ...env } as Record<string, string> })
  const namespace = config.namespace ?? 'default'
  const connection = await NativeConnection.connect({
    ...config.connectionOptions,
    // Server and worker mostly share a machine or a rack: compressing costs more than it saves.
    grpcCompression: { codec: 'none' },
  })
  // An eager start hands the first workflow task to a worker of this process in the answer to the start itself.
  return { connection, client: new Client({ connection, namespace }), namespace }
}

const valueTypes = protocol.temporal.api.enums.v1.IndexedValueType
const indexedTypes = {
  Int: valueTypes.INDEXED_VALUE_TYPE_INT,
  Keyword: valueTypes.INDEXED_VALUE_TYPE_KEYWORD,
} as const

/** Registers our search attributes where they are missing. Idempotent; several workers may do it at once. */
export async function registerSearchAttributes({ connection, namespace }: TemporalLink): Promise<void> {
  const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace })
  const missing = Object.entries(searchAttributes).filter(([name]) => !(name in (customAttributes ?? {})))
  if (missing.length === 0) return
  await connection.operatorService.addSearchAttributes({
    namespace,
    searchAttributes: Object.fromEntries(missing.map(([name, type]) => [name, indexedTypes[type]])),
  })
}
