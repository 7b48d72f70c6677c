/**
 * The parts of a Kubernetes Pod that the merge looks at. Every other field is carried through untouched, hence the index signatures:
 * an override may use any field the cluster knows.
 */
export interface PodManifest {
  apiVersion?: string
  kind?: string
  metadata?: ObjectMetadata
  spec?: PodSpec
  [field: string]: unknown
}

/** Metadata, as far as we look at it. */
export interface ObjectMetadata {
  name?: string
  namespace?: string
  labels?: Record<string, string>
  annotations?: Record<string, string>
  [field: string]: unknown
}

/** A pod spec, as far as we look at it; other fields pass through. */
export interface PodSpec {
  containers?: Container[]
  initContainers?: Container[]
  volumes?: Volume[]
  imagePullSecrets?: { name: string }[]
  serviceAccountName?: string
  automountServiceAccountToken?: boolean
  restartPolicy?: string
  activeDeadlineSeconds?: number
  terminationGracePeriodSeconds?: number
  [field: string]: unknown
}

/** A container, as far as we look at it. */
export interface Container {
  name?: string
  image?: string
  imagePullPolicy?: string
  command?: string[]
  args?: string[]
  env?: { name: string; value?: string; [field: string]: unknown }[]
  resources?: {
    requests?: Record<string, string | number>
    limits?: Record<string, string | number>
    [field: string]: unknown
  }
  volumeMounts?: { name: string; mountPath: string; [field: string]: unknown }[]
  securityContext?: { readOnlyRootFilesystem?: boolean; [field: string]: unknown }
  [field: string]: unknown
}

/** A volume, as far as we look at it. */
export interface Volume {
  name: string
  emptyDir?: { medium?: string; sizeLimit?: string | number } | null
  [field: string]: unknown
}

/** One complaint or remark about an override; `path` as in `spec.containers[0].image`, '' for the whole text. */
export interface TemplateRemark {
  path: string
  message: string
}

/** What validateOverride says: errors forbid saving, warnings are shown (such as: args are replaced by Mayfly's own). */
export interface TemplateCheck {
  ok: boolean
  errors: TemplateRemark[]
  warnings: TemplateRemark[]
}

/** Everything the manifest of one attempt is made of. */
export interface ManifestInput {
  /** The group's delta as stored: YAML or JSON text, '' for none. */
  override: string
  /** Image of the execution environment; an image in the override's worker container is ignored, as AWX does. */
  image: string
  /** The execution environment's `pull`: '' keeps what the override says. */
  pull: '' | 'always' | 'missing' | 'never'
  /** Namespace where the override names none. */
  defaultNamespace: string
  /** From model/attempt.ts. */
  name: string
  labels: Record<string, string>
  annotations: Record<string, string>
  /** The wrapper: `wrapperArgs()` of kubernetes/scripts.ts. */
  args: string[]
  /** Instead of the image's entrypoint. */
  command?: string[]
  /** Last net: the pod ends by itself after this many seconds. */
  activeDeadlineSeconds: number
  /** Limit of the Memory volume for the payload in bytes; twice the payload, at least 16 MiB. No limit when absent. */
  payloadVolumeBytes?: number
  /** The worker's memory limit in bytes where the group's is lower, or there is none; its request grows alike. */
  memoryBytes?: number
  /** Name of the pull secret made from the environment's registry credential; replaces the override's list, as AWX does. */
  imagePullSecret?: string
}
