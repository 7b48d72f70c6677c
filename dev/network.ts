/** The bridge that pods hang on, and the way from it to the outside. */
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Progress } from './cache.ts'
import type { PodNetwork } from './numbers.ts'
import { run, which } from './run.ts'

/** Where the CNI library remembers its results, whatever the runtime. */
const cniResults = '/var/lib/cni/results'

/**
 * Makes the bridge before the first pod needs it: its address is the node's address, and a kubelet without a
 * cloud takes only an address that is on an interface and not on loopback.
 */
export async function ensureBridge(network: PodNetwork, progress: Progress): Promise<void> {
  const { bridge, gateway, prefix } = network
  if (!existsSync(`/sys/class/net/${bridge}`)) {
    await run(ip(), ['link', 'add', bridge, 'type', 'bridge'])
    await run(ip(), ['address', 'add', `${gateway}/${prefix}`, 'dev', bridge])
  }
  await run(ip(), ['link', 'set', bridge, 'up'])
  try {
    writeFileSync('/proc/sys/net/ipv4/ip_forward', '1')
    for (const rule of rules(network)) {
      if (!(await iptables(rule, '-C'))) await iptables(rule, '-I', true)
    }
  } catch (error) {
    progress(`kubernetes: pods will not reach outside this machine (${(error as Error).message.split('\n')[0]})`)
  }
}

/** Removes what `ensureBridge` and the pods made. */
export async function removeNetwork(network: PodNetwork, name: string): Promise<void> {
  const folder = `/sys/class/net/${network.bridge}`
  if (existsSync(folder)) {
    // Removing one end of a pair removes the other, wherever it is.
    const ports = readdirSync(join(folder, 'brif'))
    for (const port of ports) await run(ip(), ['link', 'delete', port]).catch(() => {})
    await run(ip(), ['link', 'delete', network.bridge])
  }
  for (const rule of rules(network)) while (await iptables(rule, '-D').catch(() => false));
  if (!existsSync(cniResults)) return
  for (const file of readdirSync(cniResults)) {
    if (file.startsWith(`${name}-`)) rmSync(join(cniResults, file), { force: true })
  }
}

/** The servers that pods ask for names: the machine's, past a stand-in on its loopback. */
export function resolvConf(): string {
  const behindStandIn = '/run/systemd/resolve/resolv.conf'
  const own = existsSync('/etc/resolv.conf') ? readFileSync('/etc/resolv.conf', 'utf8') : ''
  const loopbackOnly = !/^nameserver\s+(?!127\.)/m.test(own)
  return loopbackOnly && existsSync(behindStandIn) ? behindStandIn : '/etc/resolv.conf'
}

/** The servers named in a resolv.conf that a pod can reach too. */
export function nameServers(text: string): string[] {
  const servers = [...text.matchAll(/^nameserver\s+(\S+)/gm)].map((match) => match[1] ?? '')
  return servers.filter((server) => !/^(127\.|::1$)/.test(server))
}

interface Rule {
  table: string
  chain: string
  spec: string[]
}

function rules({ subnet }: PodNetwork): Rule[] {
  return [
    { table: 'nat', chain: 'POSTROUTING', spec: ['-s', subnet, '!', '-d', subnet, '-j', 'MASQUERADE'] },
    // Where a firewall (Docker's, for one) drops what it does not know.
    { table: 'filter', chain: 'FORWARD', spec: ['-s', subnet, '-j', 'ACCEPT'] },
    { table: 'filter', chain: 'FORWARD', spec: ['-d', subnet, '-j', 'ACCEPT'] },
  ]
}

async function iptables(rule: Rule, action: '-C' | '-I' | '-D', must = false): Promise<boolean> {
  const program = which('iptables') ?? 'iptables'
  try {
    await run(program, ['-w', '-t', rule.table, action, rule.chain, ...rule.spec])
    return true
  } catch (error) {
    if (must) throw error
    return false
  }
}

function ip(): string {
  return which('ip') ?? 'ip'
}
