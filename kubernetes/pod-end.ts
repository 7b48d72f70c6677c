import { type Cause, cause } from '../model/cause.ts'
import type { Pod, TerminatedState } from './objects.ts'
import { wrapperExit } from './scripts.ts'

/** The pod has ended; `cause` null when its worker ended with exit code 0. Null while it has not. */
export function causeOfPodEnd(pod: Pod): { cause: Cause | null } | null {
  const status = pod.status ?? {}
  const worker = status.containerStatuses?.find((found) => found.name === 'worker')
  const terminated = worker?.state?.terminated
  if (status.phase !== 'Failed' && status.phase !== 'Succeeded' && !terminated) return null
  const byPlatform = causeOfTermination(pod)
  if (byPlatform) return { cause: byPlatform }
  if (terminated) return { cause: causeOfContainerEnd(terminated, pod) }
  const failedInit = status.initContainerStatuses?.find((found) => (found.state?.terminated?.exitCode ?? 0) !== 0)
  if (failedInit) {
    const code = failedInit.state?.terminated?.exitCode
    const message = `The init container ${failedInit.name} failed with exit code ${code}.`
    return { cause: cause('pod_failed', message, detailOf(pod)) }
  }
  if (status.phase === 'Succeeded') return { cause: null }
  const words = [status.reason, status.message].filter(Boolean).join(': ')
  return { cause: cause('pod_failed', `The pod failed${words ? `: ${words}` : '.'}`, detailOf(pod)) }
}

/**
 * Why the cluster (or somebody) ends a pod that did not end by itself: eviction, preemption, deadline, node shutdown, deletion. Null for pods
 * that are left alone. Answers already while the pod is being ended, so that a play which reports `canceled` without anybody's cancellation is understood.
 */
export function causeOfTermination(pod: Pod): Cause | null {
  const { reason = '', message = '' } = pod.status ?? {}
  const detail = detailOf(pod)
  switch (reason) {
    case 'Evicted':
      return cause('pod_evicted', `The node evicted the pod: ${message}`, detail)
    case 'DeadlineExceeded':
      return cause('pod_deadline_exceeded', 'The pod ran longer than it may (activeDeadlineSeconds).', detail)
    case 'NodeLost':
      return cause('node_lost', `The pod's node was lost. ${message}`.trim(), detail)
    case 'Terminated':
    case 'NodeShutdown':
    case 'Shutdown':
      return cause('pod_evicted', `The pod's node is being shut down. ${message}`.trim(), detail)
    case 'Preempting':
      return cause('pod_evicted', `The pod was preempted by one of higher priority. ${message}`.trim(), detail)
    case 'UnexpectedAdmissionError':
    case 'NodeAffinity':
      return cause('node_refused', `The node refused the pod (${reason}): ${message}`, detail)
  }
  if (reason.startsWith('OutOf'))
    return cause('node_refused', `The node refused the pod (${reason}): ${message}`, detail)
  const disruption = pod.status?.conditions?.find(
    (found) => found.type === 'DisruptionTarget' && found.status === 'True',
  )
  if (disruption) return causeOfDisruption(disruption.reason ?? '', disruption.message ?? '', detail)
  if (pod.metadata.deletionTimestamp) {
    return cause(
      'pod_deleted',
      `Pod ${pod.metadata.name} was deleted by somebody or something other than Mayfly.`,
      detail,
    )
  }
  return null
}

function causeOfDisruption(reason: string, message: string, detail: string): Cause {
  switch (reason) {
    case 'PreemptionByScheduler':
      return cause('pod_evicted', `The pod was preempted by one of higher priority. ${message}`.trim(), detail)
    case 'DeletionByTaintManager':
      return cause('pod_evicted', `The pod's node was tainted, so the pod had to leave it. ${message}`.trim(), detail)
    case 'EvictionByEvictionAPI':
      return cause('pod_evicted', `The pod was evicted, as when a node is drained. ${message}`.trim(), detail)
    case 'DeletionByPodGC':
      return cause('node_lost', `The pod's node no longer exists. ${message}`.trim(), detail)
    default:
      return cause('pod_evicted', `The node ended the pod: ${message || reason}`, detail)
  }
}

function causeOfContainerEnd(terminated: TerminatedState, pod: Pod): Cause | null {
  const { exitCode, reason = '', message = '' } = terminated
  const detail = detailOf(pod)
  if (exitCode === 0) return null
  if (reason === 'OOMKilled') return outOfMemory(pod, detail)
  if (reason === 'StartError' || reason === 'ContainerCannotRun' || exitCode === 128) {
    return /executable file not found|no such file or directory/i.test(message)
      ? cause('image_without_runner', `The image cannot run Mayfly's start script: ${firstLine(message)}`, detail)
      : cause('container_not_created', `The container could not be started: ${firstLine(message) || reason}`, detail)
  }
  if (exitCode === 126 || exitCode === 127) return withoutRunner(exitCode, detail)
  if (exitCode === 137) return outOfMemory(pod, detail)
  if (exitCode === wrapperExit.notDelivered) {
    return cause('pod_failed', 'The pod ended because nobody brought it work in time.', detail)
  }
  return cause(
    'pod_failed',
    `The pod's container ended with exit code ${exitCode} before its output was fetched.`,
    detail,
  )
}

/**
 * Why the runner ended without telling: its exit code and the end of its stderr, for output that has no eof record. A runner killed for
 * memory leaves 137 while the wrapper lives on, where the kernel kills single processes (cgroup v1). Null for exit code 0.
 */
export function causeOfRunnerExit(end: { exitCode: number; stderrTail: string }, pod?: Pod): Cause | null {
  const detail = end.stderrTail.trim()
  switch (end.exitCode) {
    case 0:
      return null
    case 126:
    case 127:
      return withoutRunner(end.exitCode, detail)
    case 137:
      return outOfMemory(pod, detail)
    default:
      return cause(
        'runner_error',
        `ansible-runner ended with exit code ${end.exitCode}${detail ? `: ${lastLine(detail)}` : '.'}`,
        detail,
      )
  }
}

function withoutRunner(exitCode: number, detail: string): Cause {
  const what = exitCode === 127 ? 'has no ansible-runner' : 'has an ansible-runner that cannot be executed'
  return cause(
    'image_without_runner',
    `The image ${what} (exit code ${exitCode}): use an execution environment.`,
    detail,
  )
}

function outOfMemory(pod: Pod | undefined, detail: string): Cause {
  const worker = pod?.spec.containers?.find((container) => container.name === 'worker')
  const limit = worker?.resources?.limits?.memory
  const which = limit ? ` (its memory limit is ${limit})` : ''
  return cause('out_of_memory', `The container was killed, most likely for using too much memory${which}.`, detail)
}

function detailOf(pod: Pod): string {
  const { phase, reason, message, containerStatuses, initContainerStatuses } = pod.status ?? {}
  const lines = [`pod ${pod.metadata.name}: ${[phase, reason, message].filter(Boolean).join(', ')}`]
  for (const status of [...(initContainerStatuses ?? []), ...(containerStatuses ?? [])]) {
    for (const [state, facts] of Object.entries(status.state ?? {})) {
      const { exitCode, reason: why, message: words } = facts as Partial<TerminatedState>
      const text = [why, exitCode === undefined ? '' : `exit code ${exitCode}`, words].filter(Boolean).join(', ')
      lines.push(`container ${status.name}: ${state}${text ? `: ${text}` : ''}`)
    }
  }
  return lines.join('\n')
}

function firstLine(text: string): string {
  return text.trim().split('\n', 1)[0] ?? ''
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? ''
}
