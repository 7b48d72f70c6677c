/** The simulated nodes' own process: started by start.ts, so that what they cost can be told from what the bench costs. */
import { appendFileSync, readFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { openConnection } from '../../kubernetes/connection.ts'
import type { BehaviourPlan } from './behaviour.ts'
import { createExecServer } from './exec-server.ts'
import { type NodeCounts, SimulatedNode } from './node.ts'
import { seeded } from './random.ts'
import { runScript } from './spooled-scripts.ts'

/** What start.ts gives as the only argument, in JSON. */
export interface SimulationOptions {
  kubeconfig: string
  context: string | undefined
  /** Folder with the cluster's ca.crt, and the kubelet.crt and kubelet.key whose names include `address`. */
  certificates: string
  address: string
  owner: string
  nodes: number
  seed: number
  plan: BehaviourPlan
  /** Folder in which every play that begins leaves a line, in a file that is called as its pod. */
  marks?: string | undefined
}

/** What it tells its parent. */
export type SimulationMessage = { ready: true } | { counts: NodeCounts & { execs: number } }

const options = JSON.parse(process.argv[2] ?? '') as SimulationOptions
const random = seeded(options.seed)
const say = (line: string): void => console.error(line)
const read = (file: string): string => readFileSync(join(options.certificates, file), 'utf8')
const nodes: SimulatedNode[] = []
const find = (namespace: string, pod: string) => {
  for (const node of nodes) {
    const found = node.find(namespace, pod)
    if (found) return found
  }
  return undefined
}
const mark = (pod: string): void => {
  if (options.marks) appendFileSync(join(options.marks, pod), 'begun\n')
}
let execs = 0
const server = createExecServer({
  certificate: read('kubelet.crt'),
  key: read('kubelet.key'),
  clientAuthority: read('ca.crt'),
  async exec(call) {
    execs++
    const pod = find(call.namespace, call.pod)
    if (!pod) return { refused: 'pod does not exist' }
    if (random() < pod.behaviour.cutExecs) setTimeout(call.cut, random() * 300)
    return await runScript(pod, call, () => mark(call.pod))
  },
  log: (namespace, pod) => (find(namespace, pod) ? '' : undefined),
})
await new Promise<void>((resolve) => server.listen(0, options.address, resolve))
const { port } = server.address() as AddressInfo
const connection = openConnection({
  kind: 'kubeconfig',
  path: options.kubeconfig,
  ...(options.context ? { context: options.context } : {}),
})

const tell = (message: SimulationMessage): boolean | undefined => process.send?.(message)
let stopping: Promise<void> | undefined
const stop = (): Promise<void> => {
  stopping ??= (async () => {
    await Promise.allSettled(nodes.map((node) => node.stop()))
    process.exit(0)
  })()
  return stopping
}
process.on('SIGTERM', stop)
process.on('SIGINT', () => {})
// A bench that is gone leaves no nodes.
process.on('disconnect', stop)
process.on('message', () => {
  const counts = nodes.map((node) => node.counts)
  const sum = (key: keyof NodeCounts): number => counts.reduce((all, one) => all + one[key], 0)
  tell({ counts: { pods: sum('pods'), live: sum('live'), most: sum('most'), reports: sum('reports'), execs } })
})

for (let number = 1; number <= options.nodes; number++) {
  const { address, owner, plan } = options
  const node = new SimulatedNode({
    connection,
    name: `${owner}-node-${number}`,
    owner,
    address,
    port,
    plan,
    random,
    say,
  })
  nodes.push(node)
  await node.start()
}
tell({ ready: true })
