/** Ports and networks of a stack: derived from its index, so that two stacks live side by side. */
import { existsSync } from 'node:fs'
import { createServer } from 'node:net'
import type { StackRecord } from './state.ts'

/** Every port a stack may need, in the order in which they are given out. */
export const portNames = [
  'temporal',
  'temporal-ui',
  'kube-apiserver',
  'etcd',
  'etcd-peer',
  'kube-controller-manager',
  'kube-scheduler',
  'kubelet',
  'kubelet-health',
  'postgres',
] as const

/** A name of a port. */
export type PortName = (typeof portNames)[number]

/** More stacks than this on one machine would run out of the pod network 10.244.0.0/16. */
const mostStacks = 16
/** Below the ports that the kernel gives to outgoing connections, so that a remembered port stays free. */
const firstPort = 21_000
const portsPerStack = 100

/** The network of a stack's pods. */
export interface PodNetwork {
  /** 4094 addresses: many more than pods fit on the node, because a freed address rests before its reuse. */
  subnet: string
  gateway: string
  prefix: number
  bridge: string
}

/** The pod network that belongs to an index. */
export function podNetwork(index: number): PodNetwork {
  return {
    subnet: `10.244.${index * 16}.0/20`,
    gateway: `10.244.${index * 16}.1`,
    prefix: 20,
    bridge: `mayfly${index}`,
  }
}

/** The smallest index that no other stack has and whose bridge does not exist on the machine. */
export function chooseIndex(
  taken: number[],
  bridgeExists = (bridge: string): boolean => existsSync(`/sys/class/net/${bridge}`),
): number {
  for (let index = 0; index < mostStacks; index++) {
    if (!taken.includes(index) && !bridgeExists(podNetwork(index).bridge)) return index
  }
  throw new Error(`there are ${mostStacks} stacks on this machine already; stop and erase one of them`)
}

/** Gives every port name a free port; remembered ones are kept when they are still free or in use by ourselves. */
export async function choosePorts(
  index: number,
  remembered: Record<string, number>,
  ours: (name: PortName) => boolean,
  isFree: (port: number) => Promise<boolean> = portIsFree,
): Promise<Record<string, number>> {
  const chosen: Record<string, number> = {}
  const taken = new Set(Object.values(remembered))
  let next = firstPort + index * portsPerStack
  const last = next + portsPerStack - 1
  for (const name of portNames) {
    const known = remembered[name]
    if (known !== undefined && (ours(name) || (await isFree(known)))) {
      chosen[name] = known
      continue
    }
    while (taken.has(next) || !(await isFree(next))) {
      if (next++ > last) throw new Error(`no free port between ${last - portsPerStack + 1} and ${last}`)
    }
    chosen[name] = next
    taken.add(next)
  }
  return chosen
}

/** Whether nobody listens on this port of the loopback address. */
export function portIsFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}

/** A port of a record; every stack record has them all. */
export function port(record: StackRecord, name: PortName): number {
  const value = record.ports[name]
  if (value === undefined) throw new Error(`the stack has no port called ${name}`)
  return value
}
