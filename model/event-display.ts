import type { EventRow } from './event.ts'

/** Every kind of event: how deep it stands in the tree of a play, and AWX's words for it. */
const kinds: Record<string, readonly [level: number, label: string]> = {
  playbook_on_start: [0, 'Playbook Started'],
  playbook_on_play_start: [1, 'Play Started'],
  playbook_on_stats: [1, 'Playbook Complete'],
  playbook_on_vars_prompt: [1, 'Variables Prompted'],
  playbook_on_task_start: [2, 'Task Started'],
  playbook_on_notify: [2, 'Running Handlers'],
  playbook_on_include: [2, 'Including File'],
  playbook_on_no_hosts_matched: [2, 'No Hosts Matched'],
  playbook_on_no_hosts_remaining: [2, 'No Hosts Remaining'],
  playbook_on_setup: [2, 'Gathering Facts'],
  playbook_on_import_for_host: [2, 'internal: on Import for Host'],
  playbook_on_not_import_for_host: [2, 'internal: on Not Import for Host'],
  runner_on_start: [3, 'Host Started'],
  runner_on_ok: [3, 'Host OK'],
  runner_on_failed: [3, 'Host Failed'],
  runner_on_error: [3, 'Host Failure'],
  runner_on_skipped: [3, 'Host Skipped'],
  runner_on_unreachable: [3, 'Host Unreachable'],
  runner_on_no_hosts: [3, 'No Hosts Remaining'],
  runner_on_async_poll: [3, 'Host Polling'],
  runner_on_async_ok: [3, 'Host Async OK'],
  runner_on_async_failed: [3, 'Host Async Failure'],
  runner_on_file_diff: [3, 'File Difference'],
  runner_item_on_ok: [3, 'Item OK'],
  runner_item_on_failed: [3, 'Item Failed'],
  runner_item_on_skipped: [3, 'Item Skipped'],
  runner_retry: [3, 'Host Retry'],
  debug: [0, 'Debug'],
  verbose: [0, 'Verbose'],
  deprecated: [0, 'Deprecated'],
  warning: [0, 'Warning'],
  system_warning: [0, 'System Warning'],
  error: [0, 'Error'],
}

/** Names and labels of all kinds, as OPTIONS offers them. */
export const eventChoices: readonly [string, string][] = Object.entries(kinds).map(([event, [, label]]) => [
  event,
  label,
])

/** 0 for plain lines and the playbook, 1 for plays, 2 for tasks, 3 for hosts. */
export function eventLevel(event: string): number {
  return kinds[event]?.[0] ?? 0
}

/** What AWX calls an event: its kind, and for plays and tasks their name. */
export function eventDisplay(event: Pick<EventRow, 'event' | 'play' | 'task' | 'role' | 'eventData'>): string {
  const label = kinds[event.event]?.[1] ?? event.event
  if (event.event === 'playbook_on_play_start' && event.play) return `${label} (${event.play})`
  if (event.event === 'playbook_on_task_start' && event.task) {
    const start = event.eventData.is_conditional ? 'Handler Notified' : label
    return event.role ? `${start} (${event.role} | ${event.task})` : `${start} (${event.task})`
  }
  return label
}

/**
 * How many characters of an event's text lists show; the whole of it comes with `no_truncate`, in the detail view and for playbook-level
 * events. One more is enough to see that there is more.
 */
export const eventStdoutLimit = 1024

/** Colours and styles, and what ends them. */
const styles = new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*m`, 'g')
const reset = '\u001b[0m'

/** Cuts an event's text as lists do: with AWX's mark at the end, and every style that the cut left open ended. */
export function cutStdout(event: string, stdout: string): string {
  if (event.startsWith('playbook_on_') || stdout.length <= eventStdoutLimit) return stdout
  const cut = stdout.slice(0, eventStdoutLimit - 1).replace(/[\ud800-\udbff]$/, '')
  const found = cut.match(styles) ?? []
  const open = found.filter((style) => style !== reset).length - found.filter((style) => style === reset).length
  return `${cut}…${reset.repeat(Math.max(0, open))}`
}
