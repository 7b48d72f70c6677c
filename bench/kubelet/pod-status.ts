/** What a node writes into the status of its pods. */
import type { Report } from './simulated-pod.ts'

/** A pod's container, for its status. */
export interface Container {
  name: string
  image?: string
}

/** The status that says `report`, as a merge patch; `containers` are all of the pod, which share one fate. */
export function statusOf(report: Report, containers: readonly Container[], hostIP: string): object {
  const ready = report.state === 'running'
  const since = 'since' in report ? time(report.since) : time(new Date())
  const conditions = (['Initialized', 'Ready', 'ContainersReady', 'PodScheduled'] as const).map((type) => ({
    type,
    status: ready || type === 'Initialized' || type === 'PodScheduled' ? 'True' : 'False',
    lastTransitionTime: since,
  }))
  return {
    status: {
      phase: phaseOf(report),
      hostIP,
      hostIPs: [{ ip: hostIP }],
      startTime: since,
      conditions,
      ...(report.state === 'evicted'
        ? { reason: 'Evicted', message: 'The node was low on resource: memory. Threshold quantity: 100Mi.' }
        : {}),
      containerStatuses: containers.map(({ name, image = '' }) => ({
        name,
        image,
        imageID: '',
        ready,
        started: ready,
        restartCount: 0,
        state: stateOf(report),
      })),
    },
  }
}

function phaseOf(report: Report): string {
  if (report.state === 'waiting') return 'Pending'
  if (report.state === 'running') return 'Running'
  return report.state === 'ended' && report.exitCode === 0 ? 'Succeeded' : 'Failed'
}

function stateOf(report: Report): object {
  if (report.state === 'waiting') return { waiting: { reason: report.reason, message: report.message } }
  if (report.state === 'running') return { running: { startedAt: time(report.since) } }
  const times = { startedAt: time(report.since), finishedAt: time(report.until) }
  if (report.state === 'evicted') return { terminated: { exitCode: 137, reason: 'Error', ...times } }
  return { terminated: { exitCode: report.exitCode, reason: report.reason, ...times } }
}

/** Kubernetes takes whole seconds. */
function time(date: Date): string {
  return date.toISOString().replace(/\.\d+Z$/, 'Z')
}
