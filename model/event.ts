/**
 * One runner event as it is stored and served: the columns of `job_events` without id, job and row stamps.
 *
 * `stdout` is the event's text without its last line end. Where the runner's bytes are not valid UTF-8 or hold
 * NUL, which no PostgreSQL text can hold, `stdoutRaw` keeps them exactly and `stdout` is a readable rendering.
 */
export interface EventRow {
  /** 1, 2, … without gaps within a job: the key by which a second delivery is recognised. */
  counter: number
  event: string
  uuid: string
  /** '' for an event without parent. */
  parentUuid: string
  failed: boolean
  changed: boolean
  /** Host of the inventory it concerns, null when there is none or it is unknown. */
  hostId: number | null
  hostName: string
  playbook: string
  play: string
  task: string
  role: string
  stdout: string
  stdoutRaw?: Uint8Array
  /** Half-open range of lines within the job's output, counted from 0; equal when the event ended no line. */
  startLine: number
  endLine: number
  verbosity: number
  eventData: Record<string, unknown>
  /** ISO 8601 instant with its zone, such as `2026-11-21T10:36:13.990386+00:00`. */
  created: string
}
