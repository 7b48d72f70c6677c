import { asc, eq, inArray } from 'drizzle-orm'
import type { PgColumn, PgTable } from 'drizzle-orm/pg-core'
import { labels, unifiedJobLabels } from '../../store/schema/labels.ts'
import type { RequestContext } from '../context.ts'

/** `summary_fields.labels`: the first ten, and how many there are. */
export interface LabelSummary {
  count: number
  results: { id: number; name: string }[]
}

const shown = 10

/** The job that this very request made without labels. */
const bare = 'job made without labels'

/** Spares the question for the labels of a job that was just made without any: launches come in bursts. */
export function rememberNoLabels(jobId: number, context: RequestContext): void {
  context.cache.set(bare, jobId)
}

/** Labels of a page of objects by their ids; `owner` and `label` are columns of the table of pairs. */
export async function labelSummaries(
  pairs: PgTable & { labelId: PgColumn },
  owner: PgColumn,
  ids: readonly number[],
  context: RequestContext,
): Promise<Map<number, LabelSummary>> {
  const summaries = new Map<number, LabelSummary>(ids.map((id) => [id, { count: 0, results: [] }]))
  const known = pairs === (unifiedJobLabels as PgTable) ? context.cache.get(bare) : undefined
  const asked = ids.filter((id) => id !== known)
  if (asked.length === 0) return summaries
  const rows = await context.db
    .select({ owner, id: labels.id, name: labels.name })
    .from(pairs)
    .innerJoin(labels, eq(labels.id, pairs.labelId))
    .where(inArray(owner, asked))
    .orderBy(asc(labels.name))
  for (const { owner: of, id, name } of rows) {
    const summary = summaries.get(Number(of))
    if (!summary) continue
    summary.count += 1
    if (summary.results.length < shown) summary.results.push({ id, name })
  }
  return summaries
}
