/** Starts what a bench needs of a stack. */
import { type StackAddresses, type StackOptions, stackStatus, startStack, stopStack } from '../dev/stack.ts'
import type { Undo } from '../test/setup/own-places.ts'
import type { TestStack } from '../test/setup/stack.ts'
import type { Say } from './bench.ts'

const stackName = process.env.MAYFLY_BENCH_STACK || 'bench'

/** Addresses of a stack that a bench needs. */
export type BenchStack = Omit<TestStack, 'ansibleGalaxy'>

/** Starts everything; a stack that was running before is used and left running. */
export async function startParts(say: Say, undo: Undo): Promise<BenchStack> {
  const want = { kubernetes: true, temporal: true, image: true, postgres: true }
  const { kubeconfigPath, kubeContext, temporalAddress, postgresUrl, image, auditLogPath } = await start(
    want,
    say,
    undo,
  )
  if (!kubeconfigPath || !temporalAddress || !postgresUrl || !image) {
    throw new Error('the benches need Temporal, a cluster, an image in MAYFLY_EE_IMAGE for it, and PostgreSQL')
  }
  return { stackName, kubeconfigPath, kubeContext, image, temporalAddress, postgresUrl, auditLogPath }
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
