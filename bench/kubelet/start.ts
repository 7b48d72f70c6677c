/** Starts simulated nodes on a cluster of ours, for a bench or a test. */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { stackPaths } from '../../dev/paths.ts'
import type { TestStack } from '../../test/setup/stack.ts'
import { type BehaviourPlan, calmPlan } from './behaviour.ts'
import type { SimulationMessage, SimulationOptions } from './main.ts'
import { type NodeCounts, simulatedKey } from './node.ts'

/** What of the nodes may differ. */
export interface SimulationWishes {
  /** Default 1. */
  nodes?: number
  /** Default 1. */
  seed?: number
  plan?: Partial<BehaviourPlan>
  /** Folder in which every play that begins leaves a line, in a file that is called as its pod. Default: none. */
  marks?: string
}

/** Running nodes. */
export interface SimulatedNodes {
  pid: number
  /** What a container group's pod_spec_override needs below `spec`, so that its pods go to these nodes and to no other. */
  podSpec: { nodeSelector: Record<string, string>; tolerations: object[] }
  counts(): Promise<NodeCounts & { execs: number }>
  stop(): Promise<void>
}

const program = join(import.meta.dirname, 'main.ts')
const node = join(import.meta.dirname, '..', '..', 'node_modules', '.bin', 'node')
/** In every kubelet certificate of a cluster of ours. */
const address = '127.0.0.1'

/**
 * Registers the nodes and resolves when they take pods. `owner` is a DNS label that nobody else uses; `log` is the file for what goes wrong.
 * Needs a cluster of the stack's own: the API server accepts a kubelet only with a certificate of the cluster's authority.
 */
export async function startNodes(
  stack: Pick<TestStack, 'stackName' | 'kubeconfigPath' | 'kubeContext' | 'auditLogPath'>,
  owner: string,
  log: string,
  { nodes = 1, seed = 1, plan = {}, marks }: SimulationWishes = {},
): Promise<SimulatedNodes> {
  if (!stack.auditLogPath) throw new Error('simulated nodes need a cluster that dev/ started: unset KUBECONFIG')
  const options: SimulationOptions = {
    kubeconfig: stack.kubeconfigPath,
    context: stack.kubeContext,
    certificates: join(stackPaths(stack.stackName).state, 'certificates'),
    ...{ address, owner, nodes, seed, plan: { ...calmPlan, ...plan }, marks },
  }
  const file = openSync(log, 'a')
  const child = fork(program, [JSON.stringify(options)], {
    execPath: node,
    execArgv: [],
    stdio: ['ignore', file, file, 'ipc'],
  })
  closeSync(file)
  const message = async (): Promise<SimulationMessage> => {
    const ended = new AbortController()
    const gone = once(child, 'exit', { signal: ended.signal }).then(() => {
      throw new Error(`the simulated nodes ended:\n${readFileSync(log, 'utf8').slice(-2000)}`)
    })
    gone.catch(() => {})
    const [said] = await Promise.race([once(child, 'message', { signal: ended.signal }), gone])
    ended.abort()
    return said as SimulationMessage
  }
  await message()
  return {
    pid: child.pid ?? 0,
    podSpec: { nodeSelector: { [simulatedKey]: owner }, tolerations: [{ operator: 'Exists' }] },
    async counts() {
      const answer = message()
      child.send('counts')
      const said = await answer
      if (!('counts' in said)) throw new Error('the simulated nodes said something else')
      return said.counts
    },
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return
      const exit = once(child, 'exit')
      child.kill('SIGTERM')
      await exit
    },
  }
}
