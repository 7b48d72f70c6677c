import { and, eq, notExists, sql } from 'drizzle-orm'
import type { PgColumn } from 'drizzle-orm/pg-core'
import {
  inventoryLabels,
  jobTemplateLabels,
  labels,
  scheduleLabels,
  unifiedJobLabels,
  workflowJobNodeLabels,
  workflowJobTemplateLabels,
  workflowJobTemplateNodeLabels,
} from '../../store/schema/labels.ts'
import type { RequestContext, Row } from '../context.ts'
import { ApiError } from '../errors.ts'
import type { SubList } from '../resource.ts'

/** More labels than this are refused. */
const mostLabels = 100

/**
 * `…/labels/` of what can be labelled, by AWX's rules: a name that its organization has already attaches that label, and a label that nothing carries any
 * more is deleted. `pairs` is the column of the owner's id in its table of pairs, `owner` what a refusal calls it.
 */
export function labelSubList(pairs: PgColumn, owner: string, title?: string): SubList<Row> {
  return {
    relation: 'labels',
    attach: true,
    create: true,
    order: ['name'],
    ...(title ? { title } : {}),
    read: knownLabel,
    async check(parent, _label, attaching, context) {
      if (!attaching) return
      const [counted] = await context.db
        .select({ attached: sql<number>`count(*)::int` })
        .from(pairs.table)
        .where(eq(pairs, parent.id))
      if ((counted?.attached ?? 0) > mostLabels) {
        throw new ApiError(400, { msg: `Maximum number of labels for ${owner} reached.` })
      }
    },
    async after(_parent, label, attaching, context) {
      if (!attaching) await deleteUnused(label.id, context)
    },
  }
}

async function knownLabel(
  _parent: Row,
  body: Record<string, unknown>,
  context: RequestContext,
): Promise<Record<string, unknown>> {
  const { id, name, organization, ...rest } = body
  if (id !== undefined || typeof name !== 'string' || !Number.isInteger(organization)) return body
  const [known] = await context.db
    .select({ id: labels.id })
    .from(labels)
    .where(and(eq(labels.name, name.trim()), eq(labels.organizationId, Number(organization))))
  return known ? { ...rest, id: known.id } : body
}

const carriers = [
  inventoryLabels,
  scheduleLabels,
  jobTemplateLabels,
  workflowJobTemplateLabels,
  unifiedJobLabels,
  workflowJobTemplateNodeLabels,
  workflowJobNodeLabels,
]

async function deleteUnused(labelId: number, { db }: RequestContext): Promise<void> {
  await db
    .delete(labels)
    .where(
      and(
        eq(labels.id, labelId),
        ...carriers.map((table) => notExists(db.select({ one: sql`1` }).from(table).where(eq(table.labelId, labelId)))),
      ),
    )
}
