import { defaultPodTemplate, mergePodTemplate, parseOverride } from './pod-template.ts'
import type { Container, ManifestInput, PodManifest, PodSpec, Volume } from './pod-template-types.ts'
import { parseQuantity } from './quantity.ts'

/** A manifest that is ready to be created. */
export interface ReadyManifest extends PodManifest {
  metadata: {
    name: string
    namespace: string
    labels: Record<string, string>
    annotations: Record<string, string>
    [field: string]: unknown
  }
  spec: PodSpec & { containers: Container[]; volumes: Volume[] }
}

/** Volumes that every pod gets, and where they are mounted; an override may use neither the names nor the paths. */
export const ownVolumes = {
  payload: { name: 'mayfly-in', mountPath: '/mayfly/in' },
  spool: { name: 'mayfly-spool', mountPath: '/mayfly/spool' },
  runner: { name: 'mayfly-runner', mountPath: '/runner' },
  temporary: { name: 'mayfly-tmp', mountPath: '/tmp' },
} as const

/** Time between TERM and KILL: the runner ends its play, and its last records are fetched. */
const graceSeconds = 30
const smallestPayloadVolume = 16 * 1024 * 1024
const pullPolicies = { always: 'Always', missing: 'IfNotPresent', never: 'Never' } as const

/** The full pod that is created for an attempt. Throws OverrideSyntaxError. */
export function effectiveManifest(input: ManifestInput): ReadyManifest {
  const merged = mergePodTemplate(defaultPodTemplate(), parseOverride(input.override))
  const { generateName: _, ...metadata } = merged.metadata ?? {}
  const spec = merged.spec ?? {}
  return {
    ...merged,
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      ...metadata,
      name: input.name,
      namespace: metadata.namespace || input.defaultNamespace,
      labels: { ...metadata.labels, ...input.labels },
      annotations: { ...metadata.annotations, ...input.annotations },
    },
    spec: {
      ...spec,
      restartPolicy: 'Never',
      activeDeadlineSeconds: Math.min(
        input.activeDeadlineSeconds,
        spec.activeDeadlineSeconds ?? Number.POSITIVE_INFINITY,
      ),
      terminationGracePeriodSeconds: Math.max(graceSeconds, spec.terminationGracePeriodSeconds ?? 0),
      // AWX's rule: the environment's registry credential replaces what the override says.
      ...(input.imagePullSecret ? { imagePullSecrets: [{ name: input.imagePullSecret }] } : {}),
      containers: (spec.containers ?? []).map((container) =>
        container.name === 'worker' ? workerContainer(container, input) : container,
      ),
      volumes: [...(spec.volumes ?? []), ...volumesFor(spec, input)],
    },
  }
}

function workerContainer(container: Container, input: ManifestInput): Container {
  const { stdin: _stdin, stdinOnce: _stdinOnce, tty: _tty, command: _command, ...kept } = container
  return {
    ...kept,
    image: input.image,
    ...(input.command ? { command: input.command } : {}),
    args: input.args,
    ...(input.pull ? { imagePullPolicy: pullPolicies[input.pull] } : {}),
    ...(input.memoryBytes === undefined ? {} : { resources: withMemory(container.resources, input.memoryBytes) }),
    volumeMounts: [
      ...(container.volumeMounts ?? []),
      ...mountsFor(container).map(({ name, mountPath }) => ({ name, mountPath })),
    ],
  }
}

/** As a quantity, rounded up: the API server then shows it in larger units. */
const kibibytes = (bytes: number) => `${Math.ceil(bytes / 1024)}Ki`

/**
 * Resources with a memory limit of so many bytes, unless they allow more anyway. The request keeps its share of the limit, so that the scheduler sees what
 * the container has shown to need; where nothing is known of the share, the whole is asked for.
 */
function withMemory(resources: Container['resources'], bytes: number): Container['resources'] {
  const quantityOf = (value: string | number | undefined) =>
    value === undefined ? Number.NaN : parseQuantity(String(value))
  const limit = quantityOf(resources?.limits?.memory)
  if (limit >= bytes) return resources
  const request = quantityOf(resources?.requests?.memory)
  const share = limit > 0 ? (Number.isNaN(request) ? 1 : request / limit) : 1
  return {
    ...resources,
    limits: { ...resources?.limits, memory: kibibytes(bytes) },
    requests: { ...resources?.requests, memory: kibibytes(bytes * Math.min(share, 1)) },
  }
}

/** With a read-only root file system the runner's own folders need volumes, unless the override brings them. */
function mountsFor(container: Container): { name: string; mountPath: string }[] {
  const taken = new Set(container.volumeMounts?.map((mount) => mount.mountPath.replace(/\/+$/, '')))
  const writable =
    container.securityContext?.readOnlyRootFilesystem === true
      ? [ownVolumes.runner, ownVolumes.temporary].filter(({ mountPath }) => !taken.has(mountPath))
      : []
  return [ownVolumes.payload, ownVolumes.spool, ...writable]
}

function volumesFor(spec: PodSpec, input: ManifestInput): Volume[] {
  const worker = spec.containers?.find((container) => container.name === 'worker') ?? {}
  return mountsFor(worker).map(({ name }) => {
    if (name !== ownVolumes.payload.name) return { name, emptyDir: {} }
    // In memory, because it holds secrets. The spool is on disk and has no limit: exceeding one evicts the pod and loses the spool.
    const limit = input.payloadVolumeBytes
    return {
      name,
      emptyDir: {
        medium: 'Memory',
        ...(limit === undefined ? {} : { sizeLimit: String(Math.max(limit, smallestPayloadVolume)) }),
      },
    }
  })
}
