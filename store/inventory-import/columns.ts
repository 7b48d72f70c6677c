import { type SQL, sql } from 'drizzle-orm'

/** Rows per statement: a few megabytes of variables, and far from any limit. */
const rowsPerStatement = 5_000

/** The rows in parts that one statement takes. */
export function* inParts<Row>(rows: readonly Row[]): Generator<readonly Row[]> {
  for (let start = 0; start < rows.length; start += rowsPerStatement) yield rows.slice(start, start + rowsPerStatement)
}

/** A column of values as one parameter: `unnest` of several of them is a table. */
export function column(values: readonly unknown[], type: 'text' | 'int' | 'boolean'): SQL {
  return sql`${sql.param([...values])}::${sql.raw(type)}[]`
}
