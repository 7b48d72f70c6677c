import { and, eq, getTableColumns, type SQL } from 'drizzle-orm'
import { getTableConfig, type PgColumn, type PgTable } from 'drizzle-orm/pg-core'
import type { Relation } from './resource.ts'

type Through = Extract<Relation, { kind: 'through' }>

/** Columns of a table of pairs. */
export function pairColumns(relation: Through): { parent: PgColumn; child: PgColumn; position: PgColumn | undefined } {
  const columns = getTableColumns(relation.table as PgTable) as Record<string, PgColumn>
  const [parent, child] = [columns[relation.parent], columns[relation.child]]
  if (!parent || !child)
    throw new Error(`${getTableConfig(relation.table).name} lacks ${relation.parent} or ${relation.child}`)
  return { parent, child, position: relation.position ? columns[relation.position] : undefined }
}

/** Which pairs of a shared table belong to the relation. */
export function fixedColumns(
  relation: Through,
  columns = getTableColumns(relation.table) as Record<string, PgColumn>,
): SQL | undefined {
  return and(
    ...Object.entries(relation.fixed ?? {}).map(([key, value]) => {
      const column = columns[key]
      if (!column) throw new Error(`${getTableConfig(relation.table).name} lacks ${key}`)
      return eq(column, value)
    }),
  )
}
