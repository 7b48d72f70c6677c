import type { PodManifest } from '../model/pod-template-types.ts'

/** What every object of the API server carries. Times are RFC 3339 texts, as they are on the wire. */
export interface KubernetesObject {
  metadata: {
    name: string
    namespace?: string
    uid: string
    resourceVersion: string
    creationTimestamp?: string
    deletionTimestamp?: string
    deletionGracePeriodSeconds?: number
    labels?: Record<string, string>
    annotations?: Record<string, string>
  }
}

/** A pod as the API server shows it. */
export interface Pod extends KubernetesObject {
  spec: NonNullable<PodManifest['spec']> & { nodeName?: string }
  status?: PodStatus
}

/** What the API server says of a pod. */
export interface PodStatus {
  phase?: 'Pending' | 'Running' | 'Succeeded' | 'Failed' | 'Unknown'
  reason?: string
  message?: string
  startTime?: string
  conditions?: PodCondition[]
  initContainerStatuses?: ContainerStatus[]
  containerStatuses?: ContainerStatus[]
}

/** One condition of a pod, such as PodScheduled. */
export interface PodCondition {
  type: string
  status: 'True' | 'False' | 'Unknown'
  reason?: string
  message?: string
  lastTransitionTime?: string
}

/** What kubelet says of a container. */
export interface ContainerStatus {
  name: string
  image?: string
  ready?: boolean
  restartCount?: number
  state?: ContainerState
  lastState?: ContainerState
}

/** Exactly one of the three is set. */
export interface ContainerState {
  waiting?: { reason?: string; message?: string }
  running?: { startedAt?: string }
  terminated?: TerminatedState
}

/** How a container ended. */
export interface TerminatedState {
  exitCode: number
  signal?: number
  reason?: string
  message?: string
  startedAt?: string
  finishedAt?: string
}

/** Quantities are Kubernetes texts such as `2`, `500m`, `1Gi`. */
export interface ResourceQuota extends KubernetesObject {
  spec?: {
    hard?: Record<string, string>
    scopes?: string[]
    scopeSelector?: { matchExpressions?: { scopeName: string; operator: string; values?: string[] }[] }
  }
  status?: { hard?: Record<string, string>; used?: Record<string, string> }
}

/** What pods and containers of a namespace may ask for, and what those get that say nothing. */
export interface LimitRange extends KubernetesObject {
  spec?: { limits?: LimitRangeItem[] }
}

/** Quantities by resource. */
export interface LimitRangeItem {
  /** `Container`, `Pod` or `PersistentVolumeClaim`. */
  type: string
  default?: Record<string, string>
  defaultRequest?: Record<string, string>
  max?: Record<string, string>
  min?: Record<string, string>
}

/** A namespace. */
export interface Namespace extends KubernetesObject {
  status?: { phase?: 'Active' | 'Terminating' }
}

/** A node, as far as it explains what became of its pods. */
export interface Node extends KubernetesObject {
  spec?: { unschedulable?: boolean; taints?: { key: string; value?: string; effect: string }[] }
  status?: { conditions?: PodCondition[]; allocatable?: Record<string, string> }
}

/** An event about a pod, as far as people want to read it. */
export interface PodEvent {
  type: string
  reason: string
  message: string
  count: number
  lastSeen: string
}

/** A secret to be created. */
export interface Secret {
  metadata: { name: string; labels?: Record<string, string> }
  type: string
  /** Plain texts; the API server encodes them. */
  stringData: Record<string, string>
}
