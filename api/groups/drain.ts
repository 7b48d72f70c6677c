import { count, eq, sql } from 'drizzle-orm'
import { notifyGroupChanged } from '../../store/groups.ts'
import { reviewHolds } from '../../store/holds.ts'
import { toWireTime } from '../../store/instant.ts'
import { instanceGroups } from '../../store/schema/catalog.ts'
import { unifiedJobs } from '../../store/schema/jobs.ts'
import { attempts } from '../../store/schema/runtime.ts'
import type { RequestContext } from '../context.ts'
import { ApiError, ValidationError } from '../errors.ts'
import type { Action, ActionField } from '../resource.ts'

type Group = typeof instanceGroups.$inferSelect

/** A year: whoever means longer means for good. */
const longestSeconds = 365 * 86_400

const drainState: Record<string, ActionField> = {
  draining_since: {
    type: 'datetime',
    label: 'Draining since',
    help_text: 'Since when the group admits nobody; null: it admits.',
  },
  drain_deadline: {
    type: 'datetime',
    label: 'Drain deadline',
    help_text: 'When what still runs there is evicted; null: never.',
  },
  jobs_left: { type: 'integer', label: 'Jobs left', help_text: 'How many jobs still hold a place of the group.' },
  jobs_stranded: {
    type: 'integer',
    label: 'Jobs stranded',
    help_text: 'How many pending jobs may run in this group alone, and so wait until it admits again.',
  },
}

/**
 * `/instance_groups/N/drain/`: POST ends the admission of jobs, so that those that wait go to their other groups and those that run come to their end;
 * with `deadline_seconds` what still runs then is evicted (cause `group_drained`), and pods that are kept after a failure go. Again with another deadline it changes that alone. DELETE lets the
 * group admit again.
 */
export const drainAction: Action<Group> = {
  GET: async ({ object, context }) => ({ status: 200, body: await stateOf(object, context) }),
  async POST({ object, body, context }) {
    refuseOthers(object)
    const seconds = readSeconds(body.deadline_seconds)
    const drainDeadline = seconds === null ? null : sql<string>`now() + make_interval(secs => ${seconds})`
    return { status: 200, body: await change(object, { drainingSince: since, drainDeadline }, context) }
  },
  async DELETE({ object, context }) {
    await change(object, { drainingSince: null, drainDeadline: null }, context)
    return { status: 204 }
  },
  link: (group) => group.isContainerGroup,
  fields: {
    GET: drainState,
    POST: {
      deadline_seconds: {
        type: 'integer',
        required: false,
        label: 'Deadline seconds',
        help_text:
          'What still runs after so many seconds is evicted; without it, or null, everything may run to its end.',
        filterable: false,
        min_value: 0,
        max_value: longestSeconds,
      },
    },
  },
}

/** A drain that goes on keeps its beginning. */
const since = sql<string>`coalesce(${instanceGroups.drainingSince}, now())`

type Drain = Record<'drainingSince' | 'drainDeadline', ReturnType<typeof sql<string>> | null>

async function change(group: Group, drain: Drain, context: RequestContext): Promise<Record<string, unknown>> {
  const changed = await context.db.transaction(async (tx) => {
    const [row] = await tx.update(instanceGroups).set(drain).where(eq(instanceGroups.id, group.id)).returning()
    await notifyGroupChanged(tx, group.id)
    await reviewHolds(tx, group.id)
    return row
  })
  return await stateOf(changed ?? group, context)
}

async function stateOf(group: Group, { db }: RequestContext): Promise<Record<string, unknown>> {
  const [[left], [stranded]] = await Promise.all([
    db
      .select({ jobs: count() })
      .from(attempts)
      .where(sql`${attempts.instanceGroupId} = ${group.id} AND ${attempts.releasedAt} IS NULL`),
    db
      .select({ jobs: count() })
      .from(unifiedJobs)
      .where(
        sql`${unifiedJobs.status} = 'pending' AND ${unifiedJobs.eligibleGroups}::jsonb = ${JSON.stringify([group.id])}::jsonb
          AND NOT EXISTS (SELECT 1 FROM ${attempts}
            WHERE ${attempts.jobId} = ${unifiedJobs.id} AND ${attempts.releasedAt} IS NULL)`,
      ),
  ])
  return {
    draining_since: toWireTime(group.drainingSince),
    drain_deadline: toWireTime(group.drainDeadline),
    jobs_left: left?.jobs ?? 0,
    jobs_stranded: stranded?.jobs ?? 0,
  }
}

function refuseOthers(group: Group): void {
  if (group.isContainerGroup) return
  throw new ApiError(409, {
    detail: 'Only container groups can be drained: jobs of this group run on the control plane.',
  })
}

function readSeconds(value: unknown): number | null {
  if (value === undefined || value === null) return null
  const refuse = (message: string) => ValidationError.on('deadline_seconds', message)
  if (typeof value !== 'number' || !Number.isInteger(value)) throw refuse('A valid integer is required.')
  if (value < 0) throw refuse('Ensure this value is greater than or equal to 0.')
  if (value > longestSeconds) throw refuse(`Ensure this value is less than or equal to ${longestSeconds}.`)
  return value
}
