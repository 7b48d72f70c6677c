import { type Cause, cause } from '../model/cause.ts'
import type { ContainerStatus, Pod } from './objects.ts'
import { causeOfPodEnd, causeOfTermination } from './pod-end.ts'

/** What will become of a pod. `cause` says why it cannot run or why it ended; `ended` without cause: its worker ended with exit code 0. */
export type PodFate =
  /** `pullFailing`: the image could not be pulled this time; `note` is what the pod waits for, for people. */
  | { state: 'starting'; note: string; pullFailing: boolean }
  | { state: 'running' }
  | { state: 'ended'; cause: Cause | null }
  | { state: 'failed-to-start'; cause: Cause }

/** What the pod itself cannot tell. */
export interface FateOptions {
  /** Now, in ms since the epoch. */
  now: number
  /** Since when pulling has failed, in ms since the epoch; null or absent: this is the first look. followFate remembers it. */
  pullFailingSince?: number | null
  /** How long pulling may fail before it counts; default 60 s. An image that does not exist or is not allowed counts at once. */
  pullPatienceMs?: number
}

const pullPatienceDefaultMs = 60_000

/** True while the pod counts against capacity: not terminal; one that is being deleted still counts. */
export function isLive(pod: Pod): boolean {
  return pod.status?.phase !== 'Succeeded' && pod.status?.phase !== 'Failed'
}

/** Status of the container `worker`; undefined before the kubelet has reported. */
export function workerStatus(pod: Pod): ContainerStatus | undefined {
  return pod.status?.containerStatuses?.find((status) => status.name === 'worker')
}

/** The scheduler's words while it finds no node for the pod; null when it has one or has not tried. */
export function unschedulableMessage(pod: Pod): string | null {
  const condition = pod.status?.conditions?.find((found) => found.type === 'PodScheduled')
  return condition?.status === 'False' && condition.reason === 'Unschedulable'
    ? (condition.message ?? 'no node is available')
    : null
}

/** True while a pod has no node and it is the scheduler's to find one: one that is held back by gates of others waits for them. */
export function waitsForScheduler(pod: Pod): boolean {
  if (pod.spec.nodeName) return false
  return !pod.status?.conditions?.some((found) => found.type === 'PodScheduled' && found.reason === 'SchedulingGated')
}

/** Reads the fate of a pod from its status. Pure. The pod ends with its worker: sidecars that go on do not count. */
export function podFate(pod: Pod, options: FateOptions): PodFate {
  const ended = causeOfPodEnd(pod)
  if (ended) return { state: 'ended', cause: ended.cause }
  // A kubelet that lives ends it in the time it was given, and says so. On a node that is lost nobody ever does.
  if (options.now - Date.parse(pod.metadata.deletionTimestamp ?? '') > overdueMs)
    return { state: 'ended', cause: causeOfTermination(pod) }
  const worker = workerStatus(pod)
  if (worker?.state?.running) return { state: 'running' }
  const failedInit = initFailure(pod)
  if (failedInit) return { state: 'failed-to-start', cause: failedInit }
  let pullFailing = false
  let note = ''
  for (const status of [...(pod.status?.initContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? [])]) {
    const waiting = status.state?.waiting
    if (!waiting?.reason) continue
    const found = judgeWaiting(status, waiting.reason, waiting.message ?? '', pod, options)
    if (found === 'pull-failing') pullFailing = true
    else if (found) return { state: 'failed-to-start', cause: found }
    note ||= `${waiting.reason}${waiting.message ? `: ${waiting.message}` : ''}`
  }
  return { state: 'starting', note: unschedulableMessage(pod) ?? note, pullFailing }
}

/** podFate with a memory of how long the image could not be pulled; one per pod. */
export function followFate(pullPatienceMs = pullPatienceDefaultMs): (pod: Pod, now: number) => PodFate {
  let pullFailingSince: number | null = null
  return (pod, now) => {
    const fate = podFate(pod, { now, pullFailingSince, pullPatienceMs })
    if (fate.state === 'starting' && fate.pullFailing) pullFailingSince ??= now
    // Between two tries the state is plain waiting for a moment; only a pod that runs has pulled its image.
    if (fate.state === 'running') pullFailingSince = null
    return fate
  }
}

/** How long after the end of its time a pod that is being deleted is still believed to run; clocks differ a little. */
const overdueMs = 15_000

/** Messages of registries after which another try gives the same answer. */
const hopelessPull =
  /not found|manifest unknown|repository does not exist|unauthorized|authentication required|access denied|denied: |403 forbidden|401 unauthorized/i

function judgeWaiting(
  status: ContainerStatus,
  reason: string,
  message: string,
  pod: Pod,
  options: FateOptions,
): Cause | 'pull-failing' | null {
  const image = imageOf(pod, status.name)
  const detail = `container ${status.name}: ${reason}: ${message}`
  switch (reason) {
    case 'ErrImagePull':
    case 'ImagePullBackOff':
    case 'RegistryUnavailable':
    case 'ImageInspectError':
    case 'SignatureValidationFailed': {
      const patience = options.pullPatienceMs ?? pullPatienceDefaultMs
      const failingFor = options.now - (options.pullFailingSince ?? options.now)
      if (failingFor < patience && !hopelessPull.test(message)) return 'pull-failing'
      return cause('image_not_pullable', `The image ${image} cannot be pulled: ${shorten(message || reason)}`, detail)
    }
    case 'InvalidImageName':
      return cause('image_not_pullable', `The image name ${image} is not valid.`, detail)
    case 'ErrImageNeverPull':
      return cause('image_not_pullable', `The image ${image} is not on the node, and pulling it is forbidden.`, detail)
    case 'CreateContainerConfigError':
    case 'CreateContainerError':
    case 'RunContainerError':
    case 'StartError':
    case 'CrashLoopBackOff':
    case 'PostStartHookError':
      return cause(
        'container_not_created',
        `The container ${status.name} could not be started (${reason}): ${shorten(message)}`,
        detail,
      )
    default:
      return null
  }
}

function initFailure(pod: Pod): Cause | null {
  for (const status of pod.status?.initContainerStatuses ?? []) {
    const terminated = status.state?.terminated
    if (!terminated || terminated.exitCode === 0) continue
    return cause(
      'pod_failed',
      `The init container ${status.name} failed with exit code ${terminated.exitCode}.`,
      `init container ${status.name}: ${terminated.reason ?? ''} ${terminated.message ?? ''}`.trim(),
    )
  }
  return null
}

function imageOf(pod: Pod, container: string): string {
  const all = [...(pod.spec.initContainers ?? []), ...(pod.spec.containers ?? [])]
  return all.find((found) => found.name === container)?.image ?? 'of the pod'
}

function shorten(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim()
  return line.length > 400 ? `${line.slice(0, 400)}…` : line
}
