/** Histories of workflows as they are kept: what replay needs of them, and nothing of the machine or the installation that made them. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** A history in protobuf's JSON form, as `historyToJSON` gives it. */
export interface HistoryJson {
  events: HistoryEventJson[]
}

/** One event: `eventId`, `eventType` (`EVENT_TYPE_…`), and the attributes of its type under a key of their own. */
export interface HistoryEventJson {
  eventId: string
  eventType: string
  [attributes: string]: unknown
}

/** A kept history. The name says workflow type and scenario: `job.retried-after-kill`, `job.retried-after-kill.2`. */
export interface KeptHistory {
  name: string
  history: HistoryJson
}

const folder = join(import.meta.dirname, 'histories')

/** Who did it, on which machine, with which build, and where in its sources: nothing that a replay asks for. */
const unwanted = new Set([
  ...['identity', 'stackTrace', 'workerVersion', 'binaryChecksum', 'workerControlTaskQueue', 'workerInstanceKey'],
  ...['deployment', 'workerDeploymentVersion', 'workerDeploymentName', 'memo', 'requestId', 'callbacks', 'links'],
  ...['eagerExecutionAccepted', 'scavengeHint', 'meteringMetadata', 'resourceUsage'],
])

/** A history without what replay does not need. */
export function trimmed(history: HistoryJson): HistoryJson {
  const trim = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(trim)
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(
      Object.entries(value)
        .filter(([key]) => !unwanted.has(key))
        .map(([key, inner]) => [key, trim(inner)]),
    )
  }
  return { events: history.events.map((event) => trim(event) as HistoryEventJson) }
}

/** What of an event decides whether a replay fits: what the workflow asked for. Everything else came to it from outside. */
const commands: Record<string, string> = {
  ACTIVITY_TASK_SCHEDULED: 'activityTaskScheduledEventAttributes.activityType.name',
  ACTIVITY_TASK_CANCEL_REQUESTED: '',
  TIMER_STARTED: '',
  TIMER_CANCELED: '',
  MARKER_RECORDED: 'markerRecordedEventAttributes.markerName',
  START_CHILD_WORKFLOW_EXECUTION_INITIATED: 'startChildWorkflowExecutionInitiatedEventAttributes.workflowType.name',
  UPSERT_WORKFLOW_SEARCH_ATTRIBUTES: '',
  WORKFLOW_EXECUTION_COMPLETED: '',
  WORKFLOW_EXECUTION_FAILED: '',
  WORKFLOW_EXECUTION_CANCELED: '',
  WORKFLOW_EXECUTION_CONTINUED_AS_NEW: '',
}

/**
 * The course of a history: which of its commands follow each other. Two histories of one course prove the
 * same, however often each went round.
 */
export function course({ events }: HistoryJson): string[] {
  const asked = events.flatMap((event) => {
    const type = event.eventType.replace(/^EVENT_TYPE_/, '')
    const path = commands[type]
    if (path === undefined) return []
    const named = path
      .split('.')
      .reduce<unknown>((at, key) => (at as Record<string, unknown> | undefined)?.[key], event)
    return [path ? `${type} ${String(named)}` : type]
  })
  return [...new Set(asked.map((command, index) => `${asked[index - 1] ?? ''} → ${command}`))].sort()
}

/** Every history that is kept, by name. */
export function keptHistories(): KeptHistory[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.json'))
    .sort()
    .map((file) => ({
      name: file.replace(/\.json$/, ''),
      history: JSON.parse(readFileSync(join(folder, file), 'utf8')) as HistoryJson,
    }))
}

/**
 * Keeps a history beside those that are there, unless one of its scenario took the same course: what an older release wrote stays, because a
 * job that it started may still be open. Gives the name that it was kept under, or null.
 */
export function keep(scenario: string, history: HistoryJson): string | null {
  const sameScenario = keptHistories().filter(
    ({ name }) =>
      name === scenario || (name.startsWith(`${scenario}.`) && /^\d+$/.test(name.slice(scenario.length + 1))),
  )
  const taken = course(history).join('\n')
  if (sameScenario.some((kept) => course(kept.history).join('\n') === taken)) return null
  const name = sameScenario.length === 0 ? scenario : `${scenario}.${sameScenario.length + 1}`
  mkdirSync(folder, { recursive: true })
  // One event a line, so that a change of one shows as a change of one.
  const lines = trimmed(history).events.map((event) => JSON.stringify(event))
  writeFileSync(join(folder, `${name}.json`), `{"events": [\n${lines.join(',\n')}\n]}\n`)
  return name
}
