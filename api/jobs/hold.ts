import { and, inArray } from 'drizzle-orm'
import { longestHoldSeconds } from '../../model/hold.ts'
import { isFinal } from '../../model/job.ts'
import { endHold, isHeld, keptUntil, readHold, requestHold } from '../../store/holds.ts'
import { toWireTime } from '../../store/instant.ts'
import { attempts } from '../../store/schema/runtime.ts'
import type { RequestContext, Row } from '../context.ts'
import { ApiError, ValidationError } from '../errors.ts'
import type { Field } from '../field.ts'
import type { Action, ActionField } from '../resource.ts'
import type { JobRow } from './fields.ts'

const holdState: Record<string, ActionField> = {
  held_until: { type: 'datetime', label: 'Held until', help_text: 'Until when the pod is kept; null: it is not.' },
  hold_on_failure_seconds: {
    type: 'integer',
    label: 'Hold on failure seconds',
    help_text: 'For how long the pod is kept when the job fails.',
  },
}

/**
 * `/jobs/N/hold/` with `{"seconds": 600}`: keeps the pod for so long from now where it is kept already; of a job that is at work, for so long after
 * it has failed. 409 when the pod is not there any more.
 */
export const holdAction: Action<JobRow> = {
  GET: async ({ object, context }) => ({ status: 200, body: await stateOf(object, context) }),
  async POST({ object, body, context }) {
    const seconds = readSeconds(body.seconds)
    const outcome = await requestHold(context.db, object.id, seconds)
    if (outcome === 'too late') throw notHeld()
    const asked = outcome === 'when it fails' ? { holdOnFailureSeconds: seconds } : {}
    return { status: 202, body: await stateOf({ ...object, ...asked }, context) }
  },
  permission: { POST: 'cancel' },
  fields: {
    GET: holdState,
    POST: {
      seconds: {
        type: 'integer',
        required: true,
        label: 'Seconds',
        filterable: false,
        min_value: 1,
        max_value: longestHoldSeconds,
      },
    },
  },
}

/** `/jobs/N/release_hold/`: lets go of the pod of a job that has ended, and gives its place back. 409 when none is kept. */
export const releaseHoldAction: Action<JobRow> = {
  GET: async ({ object, context }) => ({ status: 200, body: await stateOf(object, context) }),
  async POST({ object, context }) {
    if (!(await endHold(context.db, object.id))) throw notHeld()
    return { status: 202 }
  },
  permission: { POST: 'cancel' },
  fields: { GET: holdState, POST: {} },
}

/** Until when the pods of jobs are kept; one query for a page, and none where no job asked for it. */
export const heldUntilField: Field = {
  kind: 'computed',
  type: 'datetime',
  filterable: false,
  help: 'Until when its pod is kept for whoever wants to look into it; null: it is not.',
  async values(rows: readonly Row[], { db }) {
    const jobs = rows as unknown as readonly JobRow[]
    const ids = jobs.flatMap((job) => (job.holdOnFailureSeconds > 0 && isFinal(job.status) ? job.id : []))
    if (ids.length === 0) return jobs.map(() => null)
    const found = await db
      .select({ jobId: attempts.jobId, heldUntil: keptUntil })
      .from(attempts)
      .where(and(inArray(attempts.jobId, ids), isHeld()))
    const until = new Map(found.map(({ jobId, heldUntil }) => [jobId, heldUntil]))
    return jobs.map(({ id }) => toWireTime(until.get(id) ?? null))
  },
}

async function stateOf({ id, holdOnFailureSeconds }: JobRow, { db }: RequestContext): Promise<Record<string, unknown>> {
  const hold = await readHold(db, id)
  return { held_until: toWireTime(hold?.heldUntil ?? null), hold_on_failure_seconds: holdOnFailureSeconds }
}

function readSeconds(value: unknown): number {
  if (value === undefined || value === null) throw ValidationError.on('seconds', 'This field is required.')
  const seconds = typeof value === 'number' ? value : Number.NaN
  if (!Number.isInteger(seconds)) throw ValidationError.on('seconds', 'A valid integer is required.')
  if (seconds < 1) throw ValidationError.on('seconds', 'Ensure this value is greater than or equal to 1.')
  if (seconds > longestHoldSeconds)
    throw ValidationError.on('seconds', `Ensure this value is less than or equal to ${longestHoldSeconds}.`)
  return seconds
}

function notHeld(): ApiError {
  const detail =
    'The pod of this job is not kept. Ask for it while the job runs, or set hold_on_failure_seconds of its template and launch again.'
  return new ApiError(409, { detail })
}
