import { isMapping, parseVariables } from './variables.ts'

/** Kinds of work by which the house is cleaned, and AWX's words for them. */
export const systemJobTypes = {
  cleanup_jobs: 'Remove jobs older than a certain number of days',
  cleanup_activitystream: 'Remove activity stream entries older than a certain number of days',
  cleanup_sessions: 'Removes expired browser sessions from the database',
  cleanup_tokens: 'Removes expired OAuth 2 access tokens and refresh tokens',
} as const
/** One of them. */
export type SystemJobType = keyof typeof systemJobTypes

/** What a launch may say of the work. */
export interface SystemJobOptions {
  /** What is older is removed; counts for jobs and the activity stream. */
  days: number
  /** Only tells what would be removed. */
  dryRun: boolean
}

/** AWX's number where nobody says another one. */
const usualDays = 90
const mostDays = 36_500

/** Reads the extra variables of a launch, a mapping or its text; `error` in AWX's words. */
export function readSystemJobOptions(
  extraVars: unknown,
): { ok: true; options: SystemJobOptions } | { ok: false; error: string } {
  const parsed = isMapping(extraVars) ? { ok: true as const, value: extraVars } : parseVariables(extraVars ?? '')
  if (!parsed.ok) return { ok: false, error: parsed.message }
  const { days = usualDays, dry_run: dryRun = false } = parsed.value
  const number = typeof days === 'string' && /^\d+$/.test(days) ? Number(days) : days
  if (typeof number !== 'number' || !Number.isInteger(number) || number < 0 || number > mostDays)
    return { ok: false, error: `days must be a positive integer, at most ${mostDays}.` }
  if (typeof dryRun !== 'boolean') return { ok: false, error: 'dry_run must be true or false.' }
  return { ok: true, options: { days: number, dryRun } }
}
