import { eq } from 'drizzle-orm'
import { normalizeRecurrence, parseRecurrence } from '../../model/recurrence/parse.ts'
import { checkRecurrence } from '../../model/recurrence/validate.ts'
import { scheduledType } from '../../store/schedules/next-run.ts'
import type { ScheduleRow } from '../../store/schedules/runs.ts'
import { scheduleTimes } from '../../store/schedules/times.ts'
import { projects } from '../../store/schema/templates.ts'
import type { RequestContext } from '../context.ts'
import { ValidationError } from '../errors.ts'
import { authorize } from '../permissions.ts'
import type { WriteCheck } from '../resource.ts'
import { checkSavedPrompts, sealSavedPrompts } from '../templates/saved-prompts.ts'
import { findRow } from '../validate.ts'

/** Now, in seconds since 1970. */
export const nowOf = ({ deps }: RequestContext): number => (deps.clock?.() ?? Date.now()) / 1000

/** Rules of a schedule: its recurrence, what it launches, and its prompts, of which no launch will bring what they lack. */
export async function checkSchedule(check: WriteCheck<ScheduleRow>): Promise<void> {
  const { input, body, context, before } = check
  const errors: Record<string, string[]> = {}
  if (typeof input.rrule === 'string') {
    const result = checkRecurrence(input.rrule, nowOf(context))
    if (result.ok) input.rrule = normalizeRecurrence(input.rrule)
    else errors.rrule = result.errors
  }
  if (typeof input.unified_job_template === 'number') {
    const refusal = await templateRefusal(input.unified_job_template, context)
    if (refusal) errors.unified_job_template = [refusal]
  }
  if (Object.keys(errors).length > 0) throw new ValidationError(errors)
  // A schedule whose prompts the template has come to refuse can always be switched off.
  const switchedOff = before && Object.keys(body).length === 1 && body.enabled === false
  if (!switchedOff) await checkSavedPrompts(check, true)
}

/** Columns that follow from what is written. */
export async function prepareSchedule(
  values: Record<string, unknown>,
  check: WriteCheck<ScheduleRow>,
): Promise<Record<string, unknown>> {
  const { before, merged, context } = check
  const now = nowOf(context)
  const rrule = String(merged.rrule)
  const enabled = merged.enabled !== false
  const changed = !before || before.rrule !== rrule || before.enabled !== enabled
  return {
    ...(await sealSavedPrompts(values, check)),
    ...scheduleTimes(parseRecurrence(rrule), enabled, now),
    ...(changed ? { ruleSince: new Date(now * 1000).toISOString() } : keptNextRun(before)),
    plannedUntil: null,
  }
}

/** A run that is overdue stays the next one: an edit of the name must not lose it. */
const keptNextRun = ({ nextRun }: ScheduleRow) => ({ nextRun })

async function templateRefusal(id: number, context: RequestContext): Promise<string | undefined> {
  const type = await scheduledType(context.db, id)
  if (!type) return `Invalid pk "${id}" - object does not exist.`
  if (type === 'project') {
    const [project] = await context.db.select({ scmType: projects.scmType }).from(projects).where(eq(projects.id, id))
    if (project?.scmType === '') return 'Manual Project cannot have a schedule set.'
  }
  const model = context.registry.byType(type)
  const row = model && (await findRow(model, id, context))
  if (row) await authorize(context, 'schedule', model, row)
  return undefined
}
