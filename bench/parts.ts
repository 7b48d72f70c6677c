/** Starts what a bench needs of a stack. */
import { type StackAddresses, type StackOptions, stackStatus, startStack, stopStack } from '../dev/stack.ts'
import type { Undo } from '../test/setup/own-places.ts'
import type { TestStack } from '../test/setup/stack.ts'
import type { Say } from './bench.ts'
import { startTemporalOnPostgres, type TemporalOnPostgres } from './temporal-on-postgres.ts'

const stackName = process.env.MAYFLY_BENCH_STACK || 'bench'

/** Addresses of a stack that a bench needs. */
export interface BenchStack extends Omit<TestStack, 'ansibleGalaxy' | 'migratedDatabase'> {
  /** The Temporal that is used instead of the stack's. */
  ownTemporal: TemporalOnPostgres | undefined
}

/** Which Temporal: the stack's, a development server over SQLite, or the full server on PostgreSQL. */
export const temporals = ['development', 'postgres'] as const
export type Temporal = (typeof temporals)[number]

/** Starts everything; a stack that was running before is used and left running. */
export async function startParts(say: Say, undo: Undo, temporal: Temporal = 'development'): Promise<BenchStack> {
  const want = { kubernetes: true, temporal: temporal === 'development', image: true, postgres: true }
  const { kubeconfigPath, kubeContext, postgresUrl, image, auditLogPath, ...others } = await start(want, say, undo)
  const ownTemporal = want.temporal ? undefined : await startTemporalOnPostgres(say, undo)
  const temporalAddress = ownTemporal?.address ?? others.temporalAddress
  if (!kubeconfigPath || !temporalAddress || !postgresUrl || !image) {
    throw new Error('the benches need Temporal, a cluster, an image in MAYFLY_EE_IMAGE for it, and PostgreSQL')
  }
  return { stackName, kubeconfigPath, kubeContext, image, temporalAddress, postgresUrl, auditLogPath, ownTemporal }
}

/** Starts PostgreSQL alone; gives its superuser's address. */
export async function startPostgres(say: Say, undo: Undo): Promise<string> {
  const want = { kubernetes: false, temporal: false, image: false, postgres: true }
  const { postgresUrl } = await start(want, say, undo)
  if (!postgresUrl) throw new Error('the stack lacks PostgreSQL')
  return postgresUrl
}

async function start(want: StackOptions['want'], say: Say, undo: Undo): Promise<StackAddresses> {
  const running = (await stackStatus(stackName)).parts.some((part) => part.alive)
  if (!running) undo.add(() => stopStack(stackName))
  return startStack({ name: stackName, want, progress: say })
}
