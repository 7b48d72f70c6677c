/** The configuration files of the one-node cluster, as text. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { PodNetwork } from './numbers.ts'

/** A kubeconfig with everything inside, so that the file can be copied anywhere on the machine. */
export function kubeconfig(name: string, server: string, certificates: string, user: string): string {
  const base64 = (file: string): string => readFileSync(join(certificates, file)).toString('base64')
  return json({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name, cluster: { server, 'certificate-authority-data': base64('ca.crt') } }],
    users: [
      {
        name: `${name}-${user}`,
        user: { 'client-certificate-data': base64(`${user}.crt`), 'client-key-data': base64(`${user}.key`) },
      },
    ],
    contexts: [{ name, context: { cluster: name, user: `${name}-${user}` } }],
    'current-context': name,
  })
}

/** What the API server's audit log holds: everything about pods, and every write and exec of whoever is not the cluster itself. */
export function auditPolicy(): string {
  return json({
    apiVersion: 'audit.k8s.io/v1',
    kind: 'Policy',
    omitStages: ['RequestReceived'],
    rules: [
      { level: 'None', nonResourceURLs: ['*'] },
      { level: 'Metadata', resources: [{ group: '', resources: ['pods', 'pods/*'] }] },
      { level: 'None', userGroups: ['system:nodes', 'system:serviceaccounts:kube-system'] },
      {
        level: 'None',
        users: ['system:apiserver', 'system:kube-scheduler', 'system:kube-controller-manager'],
      },
      { level: 'Metadata', verbs: ['create', 'update', 'patch', 'delete', 'deletecollection'] },
      { level: 'None' },
    ],
  })
}

/** Values the kubelet's configuration depends on. */
export interface KubeletValues {
  certificates: string
  containerd: string
  cgroupRoot: string
  network: PodNetwork
  port: number
  healthPort: number
  folder: string
  resolvConf: string
  nameServers: string[]
}

/** The kubelet's configuration file. */
export function kubeletConfig(values: KubeletValues): string {
  return json({
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    address: values.network.gateway,
    port: values.port,
    readOnlyPort: 0,
    healthzBindAddress: '127.0.0.1',
    healthzPort: values.healthPort,
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true, cacheTTL: '2m0s' },
      x509: { clientCAFile: join(values.certificates, 'ca.crt') },
    },
    authorization: { mode: 'Webhook' },
    tlsCertFile: join(values.certificates, 'kubelet.crt'),
    tlsPrivateKeyFile: join(values.certificates, 'kubelet.key'),
    containerRuntimeEndpoint: `unix://${values.containerd}`,
    cgroupDriver: 'cgroupfs',
    // Its own root: a kubelet removes every pod cgroup below its root that it does not know.
    cgroupRoot: values.cgroupRoot,
    failCgroupV1: false,
    failSwapOn: false,
    maxPods: 250,
    podLogsDir: join(values.folder, 'pod-logs'),
    volumePluginDir: join(values.folder, 'volume-plugins'),
    resolvConf: values.resolvConf,
    // There is no DNS of the cluster's own. Pods of the policy ClusterFirst get the machine's servers anyway;
    // named here, they get them without a warning event at every start.
    clusterDNS: values.nameServers,
    serializeImagePulls: false,
    maxParallelImagePulls: 4,
    kubeAPIQPS: 500,
    kubeAPIBurst: 1000,
    eventRecordQPS: 100,
    eventBurst: 200,
    registryPullQPS: 0,
    // A local-disk limit (emptyDir's sizeLimit, ephemeral-storage) is enforced at this pace.
    volumeStatsAggPeriod: '10s',
    // No eviction because the machine is short of something: that is the machine's owner's business, and
    // would fail jobs at random. Limits of a pod itself still evict it.
    evictionHard: Object.fromEntries(evictionSignals.map((signal) => [signal, '0%'])),
    imageGCHighThresholdPercent: 100,
    imageGCLowThresholdPercent: 99,
  })
}

const evictionSignals = [
  'memory.available',
  'nodefs.available',
  'nodefs.inodesFree',
  'imagefs.available',
  'imagefs.inodesFree',
]

/** Values containerd's configuration depends on. */
export interface ContainerdValues {
  root: string
  run: string
  socket: string
  cniFolder: string
  cniConfig: string
  pauseImage: string
}

/** containerd's configuration file (version 2: what 1.6 reads and 2.x converts by itself). */
export function containerdConfig(values: ContainerdValues): string {
  const text = JSON.stringify
  const cri = 'plugins."io.containerd.grpc.v1.cri"'
  return `version = 2
root = ${text(values.root)}
state = ${text(values.run)}
disabled_plugins = [
  "io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.devmapper",
  "io.containerd.snapshotter.v1.zfs", "io.containerd.tracing.processor.v1.otlp", "io.containerd.internal.v1.tracing",
]
[grpc]
  address = ${text(values.socket)}
[${cri}]
  sandbox_image = ${text(values.pauseImage)}
  # A negative oom_score_adj needs a right that a container of ours may lack itself.
  restrict_oom_score_adj = true
  # All mounts below one folder, so that what a crash leaves is found.
  netns_mounts_under_state_dir = true
  max_concurrent_downloads = 4
[${cri}.cni]
  bin_dir = ${text(values.cniFolder)}
  conf_dir = ${text(values.cniConfig)}
[${cri}.containerd]
  snapshotter = "overlayfs"
  default_runtime_name = "runc"
[${cri}.containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"
[${cri}.containerd.runtimes.runc.options]
  SystemdCgroup = false
  Root = ${text(join(values.run, 'runc'))}
[plugins."io.containerd.internal.v1.opt"]
  path = ${text(join(values.root, 'opt'))}
`
}

/** The pods' network: a bridge of our own and addresses leased from files. */
export function cniConfig(network: string, pods: PodNetwork, leases: string): string {
  return json({
    cniVersion: '1.0.0',
    name: network,
    plugins: [
      {
        type: 'bridge',
        bridge: pods.bridge,
        isGateway: true,
        // Masquerading is one rule for the whole subnet, made with the bridge: the plugin would make rules
        // for every pod, which costs time at each start and stays behind after a crash.
        ipMasq: false,
        hairpinMode: true,
        ipam: {
          type: 'host-local',
          dataDir: leases,
          ranges: [[{ subnet: pods.subnet, gateway: pods.gateway }]],
          routes: [{ dst: '0.0.0.0/0' }],
        },
      },
    ],
  })
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`
}
