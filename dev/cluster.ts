/** The one-node Kubernetes: which programs with which flags, and in which order. */
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { totalmem } from 'node:os'
import { join } from 'node:path'
import { elapsed, inputsHash, type Progress } from './cache.ts'
import { makeCertificates } from './certificates.ts'
import { makeCgroup } from './cgroups.ts'
import { containerdRoot, containerdSocket, ensureContainerd } from './containerd.ts'
import { etcdBuild, goBuild, kubernetesBuild } from './go-builds.ts'
import { getAsAdmin } from './health.ts'
import { auditPolicy, kubeconfig, kubeletConfig } from './kube-files.ts'
import { ensureBridge, nameServers, resolvConf } from './network.ts'
import { podNetwork, port } from './numbers.ts'
import { ensurePart, partLives, type Stack } from './parts.ts'
import type { Command } from './process.ts'
import { writeWhole } from './state.ts'
import { ownName, sweep } from './sweep.ts'
import { until } from './wait.ts'

/** The parts of the cluster, in the order in which they are stopped. */
export const clusterParts = [
  'kubelet',
  'kube-scheduler',
  'kube-controller-manager',
  'kube-apiserver',
  'etcd',
  'containerd',
]

/** Where things of the cluster lie. */
export function clusterFiles(stack: Stack) {
  const { state } = stack.paths
  return {
    certificates: join(state, 'certificates'),
    kubeconfig: join(state, 'kubeconfig'),
    audit: join(state, 'audit', 'audit.log'),
    config: join(state, 'kubernetes'),
    etcd: join(state, 'etcd'),
    kubelet: join(state, 'kubelet'),
  }
}

/** The name of the only node. */
export function nodeName(stack: Stack): string {
  return `mayfly-${stack.name}`
}

/** Removes what a crash or a restart of the machine left, if the cluster is down as a whole. */
export async function cleanCluster(stack: Stack, rebooted: boolean, progress: Progress): Promise<void> {
  if (partLives(stack, 'containerd') || partLives(stack, 'kubelet')) return
  await sweep(stack)
  if (!rebooted) return
  // Nothing here is flushed to disk as it should be, so after a power cut none of it can be trusted.
  progress('kubernetes: the machine went down while it ran; starting with an empty cluster')
  const files = clusterFiles(stack)
  for (const folder of [files.etcd, files.kubelet, containerdRoot(stack)])
    rmSync(folder, { recursive: true, force: true })
}

/** Starts what does not run of the cluster and waits until the node is ready for pods. */
export async function ensureCluster(stack: Stack, progress: Progress, containerdReady: () => void): Promise<void> {
  const begin = performance.now()
  const files = clusterFiles(stack)
  const network = podNetwork(stack.record.index)
  await ensureBridge(network, progress)
  makeCgroup(ownName(stack))
  const containerd = ensureContainerd(stack).then(containerdReady)
  containerd.catch(() => {}) // Awaited below; a failure before that must not end the process.
  await makeCertificates(files.certificates, nodeName(stack), network.gateway)
  writeConfiguration(stack)
  const etcd = join(await goBuild(etcdBuild(), progress), 'etcd')
  const programs = await goBuild(kubernetesBuild(), progress)
  const command = (part: string): Command => clusterCommand(stack, part, part === 'etcd' ? etcd : join(programs, part))
  await ensurePart(stack, 'etcd', command('etcd'))
  await ensurePart(stack, 'kube-apiserver', command('kube-apiserver'))
  const beforeKubelet = new Date()
  const started = await Promise.all([
    ensurePart(stack, 'kube-controller-manager', command('kube-controller-manager')),
    ensurePart(stack, 'kube-scheduler', command('kube-scheduler')),
    containerd.then(() => ensurePart(stack, 'kubelet', command('kubelet'))),
  ])
  await nodeReady(stack, started[2] ? beforeKubelet : undefined)
  progress(`kubernetes: ${started.some(Boolean) ? 'started' : 'runs'} (${elapsed(begin)})`)
}

interface Node {
  spec?: { taints?: unknown[] }
  status?: { conditions?: { type: string; status: string; lastHeartbeatTime: string }[] }
}

/** Waits for a node that takes pods; what it said before `since` was said by an earlier kubelet and does not count. */
async function nodeReady(stack: Stack, since?: Date): Promise<void> {
  const log = join(stack.paths.logs, 'kubelet.log')
  // Kubernetes gives times in whole seconds.
  const oldest = since ? Math.floor(since.getTime() / 1000) * 1000 : 0
  await until({ what: 'the node to become ready', seconds: 240, log }, async () => {
    const { body } = await getAsAdmin(stack.paths, stack.record, `/api/v1/nodes/${nodeName(stack)}`)
    const { spec, status } = JSON.parse(body) as Node
    const ready = status?.conditions?.find(({ type }) => type === 'Ready')
    return ready?.status === 'True' && Date.parse(ready.lastHeartbeatTime) >= oldest && !spec?.taints?.length
  })
  // A pod cannot be created before its namespace's service account exists.
  await until({ what: 'the default service account', seconds: 120 }, async () => {
    const path = '/api/v1/namespaces/default/serviceaccounts/default'
    return (await getAsAdmin(stack.paths, stack.record, path)).status === 200
  })
}

function writeConfiguration(stack: Stack): void {
  const files = clusterFiles(stack)
  const server = `https://127.0.0.1:${port(stack.record, 'kube-apiserver')}`
  for (const folder of [files.etcd, files.kubelet, join(files.audit, '..')])
    mkdirSync(folder, { recursive: true, mode: 0o700 })
  writeWhole(files.kubeconfig, kubeconfig(`mayfly-${stack.name}`, server, files.certificates, 'admin'))
  for (const user of ['controller-manager', 'scheduler', 'node']) {
    writeWhole(join(files.config, `${user}.kubeconfig`), kubeconfig('mayfly', server, files.certificates, user))
  }
  writeWhole(join(files.config, 'audit-policy.json'), auditPolicy())
  const servers = resolvConf()
  writeWhole(
    join(files.config, 'kubelet.json'),
    kubeletConfig({
      certificates: files.certificates,
      containerd: containerdSocket(stack),
      cgroupRoot: `/${ownName(stack)}`,
      network: podNetwork(stack.record.index),
      port: port(stack.record, 'kubelet'),
      healthPort: port(stack.record, 'kubelet-health'),
      folder: files.kubelet,
      resolvConf: existsSync(servers) ? servers : '',
      nameServers: existsSync(servers) ? nameServers(readFileSync(servers, 'utf8')) : [],
    }),
  )
}

/**
 * How far a part's heap may grow, in percent, before its garbage is collected. On a small machine less memory is worth the time; on a larger one the API server
 * spends a seventh less CPU on a job so (bench/README.md).
 */
const garbagePercent = totalmem() < 8 * 2 ** 30 ? '60' : '200'

/** How to run one part of the cluster. */
function clusterCommand(stack: Stack, part: string, program: string): Command {
  const log = join(stack.paths.logs, `${part}.log`)
  const files: Record<string, string> = { kubelet: 'kubelet.json', 'kube-apiserver': 'audit-policy.json' }
  const read = files[part] && readFileSync(join(clusterFiles(stack).config, files[part]), 'utf8')
  return { program, args: flags(stack, part), env: { GOGC: garbagePercent }, configHash: inputsHash([read ?? '']), log }
}

function flags(stack: Stack, part: string): string[] {
  const files = clusterFiles(stack)
  const local = (name: Parameters<typeof port>[1]): string => `http://127.0.0.1:${port(stack.record, name)}`
  const certificate = (file: string): string => join(files.certificates, file)
  const config = (file: string): string => join(files.config, file)
  const serving = (name: string): string[] => [
    '--bind-address=127.0.0.1',
    `--tls-cert-file=${certificate(`${name}.crt`)}`,
    `--tls-private-key-file=${certificate(`${name}.key`)}`,
  ]
  switch (part) {
    case 'etcd':
      return [
        '--name=node',
        `--data-dir=${files.etcd}`,
        `--listen-client-urls=${local('etcd')}`,
        `--advertise-client-urls=${local('etcd')}`,
        `--listen-peer-urls=${local('etcd-peer')}`,
        `--initial-advertise-peer-urls=${local('etcd-peer')}`,
        `--initial-cluster=node=${local('etcd-peer')}`,
        // Safe against a killed process; a machine that goes down gets an empty cluster anyway.
        '--unsafe-no-fsync',
        '--log-level=warn',
      ]
    case 'kube-apiserver':
      return [
        ...serving('apiserver'),
        `--secure-port=${port(stack.record, 'kube-apiserver')}`,
        '--advertise-address=127.0.0.1',
        '--endpoint-reconciler-type=none',
        `--etcd-servers=${local('etcd')}`,
        '--authorization-mode=Node,RBAC',
        '--enable-admission-plugins=NodeRestriction',
        `--client-ca-file=${certificate('ca.crt')}`,
        `--service-account-key-file=${certificate('service-account.pub')}`,
        `--service-account-signing-key-file=${certificate('service-account.key')}`,
        '--service-account-issuer=https://kubernetes.default.svc',
        '--service-cluster-ip-range=10.96.0.0/16',
        `--kubelet-client-certificate=${certificate('apiserver-to-kubelet.crt')}`,
        `--kubelet-client-key=${certificate('apiserver-to-kubelet.key')}`,
        `--kubelet-certificate-authority=${certificate('ca.crt')}`,
        '--kubelet-preferred-address-types=InternalIP',
        `--audit-policy-file=${config('audit-policy.json')}`,
        `--audit-log-path=${files.audit}`,
        '--audit-log-maxsize=200',
        '--audit-log-maxbackup=1',
        '--profiling=false',
      ]
    case 'kube-controller-manager':
      return [
        ...serving('local'),
        `--secure-port=${port(stack.record, 'kube-controller-manager')}`,
        `--kubeconfig=${config('controller-manager.kubeconfig')}`,
        `--root-ca-file=${certificate('ca.crt')}`,
        `--service-account-private-key-file=${certificate('service-account.key')}`,
        '--use-service-account-credentials',
        '--leader-elect=false',
        '--kube-api-qps=200',
        '--kube-api-burst=400',
        '--profiling=false',
      ]
    case 'kube-scheduler':
      return [
        ...serving('local'),
        `--secure-port=${port(stack.record, 'kube-scheduler')}`,
        `--kubeconfig=${config('scheduler.kubeconfig')}`,
        '--leader-elect=false',
        '--kube-api-qps=200',
        '--kube-api-burst=400',
        '--profiling=false',
      ]
    case 'kubelet':
      return [
        `--kubeconfig=${config('node.kubeconfig')}`,
        `--config=${config('kubelet.json')}`,
        `--root-dir=${files.kubelet}`,
        `--cert-dir=${join(files.kubelet, 'pki')}`,
        `--hostname-override=${nodeName(stack)}`,
        `--node-ip=${podNetwork(stack.record.index).gateway}`,
      ]
    default:
      throw new Error(`the cluster has no part called ${part}`)
  }
}
