/** How a field of a Pod is checked. */
export type FieldCheck =
  | 'string'
  | 'boolean'
  | 'integer'
  /** A mapping of texts to texts. */
  | 'texts'
  /** A mapping of texts to quantities. */
  | 'quantities'
  | 'strings'
  | 'mapping'
  /** A list of mappings that is not looked into. */
  | 'mappings'
  | { mapping: Fields }
  | { list: Fields; required: string[] }

/** Known fields of a Kubernetes object, and how each is checked. */
export type Fields = Record<string, FieldCheck>

const envVariable: Fields = { name: 'string', value: 'string', valueFrom: 'mapping' }
const volumeMount: Fields = {
  name: 'string',
  mountPath: 'string',
  subPath: 'string',
  subPathExpr: 'string',
  readOnly: 'boolean',
  recursiveReadOnly: 'string',
  mountPropagation: 'string',
}

const container: Fields = {
  name: 'string',
  image: 'string',
  imagePullPolicy: 'string',
  command: 'strings',
  args: 'strings',
  workingDir: 'string',
  env: { list: envVariable, required: ['name'] },
  envFrom: 'mappings',
  ports: 'mappings',
  resources: { mapping: { requests: 'quantities', limits: 'quantities', claims: 'mappings' } },
  resizePolicy: 'mappings',
  restartPolicy: 'string',
  restartPolicyRules: 'mappings',
  volumeMounts: { list: volumeMount, required: ['name', 'mountPath'] },
  volumeDevices: 'mappings',
  livenessProbe: 'mapping',
  readinessProbe: 'mapping',
  startupProbe: 'mapping',
  lifecycle: 'mapping',
  terminationMessagePath: 'string',
  terminationMessagePolicy: 'string',
  securityContext: {
    mapping: {
      allowPrivilegeEscalation: 'boolean',
      appArmorProfile: 'mapping',
      capabilities: 'mapping',
      privileged: 'boolean',
      procMount: 'string',
      readOnlyRootFilesystem: 'boolean',
      runAsGroup: 'integer',
      runAsNonRoot: 'boolean',
      runAsUser: 'integer',
      seLinuxOptions: 'mapping',
      seccompProfile: 'mapping',
      windowsOptions: 'mapping',
    },
  },
  stdin: 'boolean',
  stdinOnce: 'boolean',
  tty: 'boolean',
}

const volumeSources = [
  'awsElasticBlockStore',
  'azureDisk',
  'azureFile',
  'cephfs',
  'cinder',
  'configMap',
  'csi',
  'downwardAPI',
  'emptyDir',
  'ephemeral',
  'fc',
  'flexVolume',
  'flocker',
  'gcePersistentDisk',
  'gitRepo',
  'glusterfs',
  'hostPath',
  'image',
  'iscsi',
  'nfs',
  'persistentVolumeClaim',
  'photonPersistentDisk',
  'portworxVolume',
  'projected',
  'quobyte',
  'rbd',
  'scaleIO',
  'secret',
  'storageos',
  'vsphereVolume',
]
const volume: Fields = {
  name: 'string',
  ...Object.fromEntries(volumeSources.map((source) => [source, 'mapping' as const])),
}

/** The fields of a v1 Pod of Kubernetes 1.34. Later ones are let through with a warning. */
export const podFields: Fields = {
  apiVersion: 'string',
  kind: 'string',
  metadata: {
    mapping: {
      name: 'string',
      generateName: 'string',
      namespace: 'string',
      labels: 'texts',
      annotations: 'texts',
      finalizers: 'strings',
      ownerReferences: 'mappings',
    },
  },
  spec: {
    mapping: {
      activeDeadlineSeconds: 'integer',
      affinity: 'mapping',
      automountServiceAccountToken: 'boolean',
      containers: { list: container, required: [] },
      dnsConfig: 'mapping',
      dnsPolicy: 'string',
      enableServiceLinks: 'boolean',
      hostAliases: 'mappings',
      hostIPC: 'boolean',
      hostNetwork: 'boolean',
      hostPID: 'boolean',
      hostUsers: 'boolean',
      hostname: 'string',
      hostnameOverride: 'string',
      imagePullSecrets: { list: { name: 'string' }, required: ['name'] },
      initContainers: { list: container, required: ['name', 'image'] },
      nodeName: 'string',
      nodeSelector: 'texts',
      os: 'mapping',
      overhead: 'quantities',
      preemptionPolicy: 'string',
      priority: 'integer',
      priorityClassName: 'string',
      readinessGates: 'mappings',
      resourceClaims: 'mappings',
      resources: 'mapping',
      restartPolicy: 'string',
      runtimeClassName: 'string',
      schedulerName: 'string',
      schedulingGates: 'mappings',
      securityContext: 'mapping',
      serviceAccount: 'string',
      serviceAccountName: 'string',
      setHostnameAsFQDN: 'boolean',
      shareProcessNamespace: 'boolean',
      subdomain: 'string',
      terminationGracePeriodSeconds: 'integer',
      tolerations: 'mappings',
      topologySpreadConstraints: 'mappings',
      volumes: { list: volume, required: ['name'] },
    },
  },
}
