import { getTableColumns } from 'drizzle-orm'
import { toSnakeCase } from 'drizzle-orm/casing'
import type { PgColumn, PgTable } from 'drizzle-orm/pg-core'

/** A column of a table: its key in rows, and its name in SQL. */
export interface SqlColumn {
  key: string
  name: string
  column: PgColumn
}

/** The name of a column in SQL, by its key in rows: `jobTags` → `job_tags`. */
export const sqlName: (key: string) => string = toSnakeCase

/** The columns of a table, for statements that are written in SQL. */
export function sqlColumns(table: PgTable): SqlColumn[] {
  return Object.entries(getTableColumns(table)).map(([key, column]) => ({ key, name: sqlName(key), column }))
}

/** A row of a table as the builder of queries would give it, of cells by their names in SQL, as the driver gives them; what is not among them is `known` by its key. */
export function rowOf<Table extends PgTable>(
  columns: readonly SqlColumn[],
  cells: Record<string, unknown>,
  known: Record<string, unknown> = {},
): Table['$inferSelect'] {
  return Object.fromEntries(
    columns.map(({ key, name, column }) => {
      const cell = cells[name]
      if (cell === undefined) return [key, known[key]]
      return [key, cell === null ? null : column.mapFromDriverValue(cell)]
    }),
  ) as Table['$inferSelect']
}
