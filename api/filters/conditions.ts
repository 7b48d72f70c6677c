import { and, eq, not, or, type SQL, sql } from 'drizzle-orm'
import { alias, type PgColumn, type PgTable } from 'drizzle-orm/pg-core'
import { fixedColumns } from '../pairs.ts'
import type { Model } from '../registry.ts'
import { compare, type Lookup, toBoolean } from './lookup.ts'
import type { Span, Step } from './span.ts'

/** One term of a filter: a path, a lookup and its value. */
export interface Term {
  span: Span
  lookup: Lookup
  value: string
}

type Columns = Record<string, PgColumn>

/**
 * Compiles terms into one condition on rows of a table. Every relation becomes an EXISTS, so that no join multiplies rows. Terms of one
 * `all` call that go the same way share one EXISTS: they must hold for the same related object, as in AWX.
 */
export class Conditions {
  #aliases = 0

  /** All terms hold. */
  all(terms: readonly Term[], columns: Columns): SQL | undefined {
    const here = terms.filter((term) => term.span.steps.length === 0 || isAbsence(term))
    const further = new Map<string, Term[]>()
    for (const term of terms) {
      if (here.includes(term)) continue
      const way = term.span.steps[0]?.name ?? ''
      further.set(way, [...(further.get(way) ?? []), term])
    }
    const spans = [...further.values()].map((group) => this.#some(group, columns))
    return and(...here.map((term) => this.#plain(term, columns)), ...spans)
  }

  /** The term does not hold; a null counts as not equal. */
  none(term: Term, columns: Columns): SQL {
    return sql`(${this.one(term, columns)}) is not true`
  }

  one(term: Term, columns: Columns): SQL {
    return this.all([term], columns) ?? sql`true`
  }

  any(conditions: readonly SQL[]): SQL | undefined {
    return or(...conditions)
  }

  /** The value at the end of a path, for ORDER BY and named URLs; of several related objects the smallest. */
  scalar(span: Span, columns: Columns): SQL {
    const [step, ...rest] = span.steps
    if (!step) return sql`${columns[span.column ?? 'id']}`
    const { source, link, target } = this.#related(step, columns)
    const value = this.scalar({ ...span, steps: rest }, target)
    return step.relation.kind === 'one'
      ? sql`(select ${value} from ${source} where ${link})`
      : sql`(select min(${value}) from ${source} where ${link})`
  }

  #plain(term: Term, columns: Columns): SQL {
    if (term.span.steps.length > 0) return this.#absent(term, columns)
    const column = columns[term.span.column ?? 'id']
    if (!column) throw new Error(`no column ${term.span.column}`)
    return compare(column, term.lookup, term.value, term.span.foreignKey)
  }

  /** `a__b__isnull=true`: no related object has a value there, or there is none. */
  #absent(term: Term, columns: Columns): SQL {
    const present = this.#some([{ ...term, value: 'false' }], columns)
    return not(present)
  }

  #some(terms: readonly Term[], columns: Columns): SQL {
    const step = terms[0]?.span.steps[0]
    if (!step) throw new Error('a span without steps')
    const { source, link, target } = this.#related(step, columns)
    const rest = terms.map((term) => ({ ...term, span: { ...term.span, steps: term.span.steps.slice(1) } }))
    return sql`exists (select 1 from ${source} where ${and(link, this.all(rest, target))})`
  }

  #related(step: Step, columns: Columns): { source: SQL; link: SQL | undefined; target: Columns } {
    const { relation, to } = step
    const { source, columns: target } = this.#aliased(to.table)
    const scope = scopeOf(to, target)
    if (relation.kind === 'one')
      return { source, link: and(same(target, 'id', columns, relation.column), scope), target }
    if (relation.kind === 'many')
      return { source, link: and(same(target, relation.column, columns, 'id'), scope), target }
    const pairs = this.#aliased(relation.table)
    return {
      source: sql`${pairs.source} join ${source} on ${same(target, 'id', pairs.columns, relation.child)}`,
      link: and(same(pairs.columns, relation.parent, columns, 'id'), fixedColumns(relation, pairs.columns), scope),
      target,
    }
  }

  #aliased(table: PgTable): { source: SQL; columns: Columns } {
    this.#aliases += 1
    const name = `r${this.#aliases}`
    return { source: sql`${table} as ${sql.identifier(name)}`, columns: alias(table, name) as unknown as Columns }
  }
}

/** The rows of a shared table that belong to the model. */
export function scopeOf(model: Model, columns: Columns = model.columns): SQL | undefined {
  return and(
    ...Object.entries(model.resource.scope ?? {}).map(([key, value]) => {
      const column = columns[key]
      if (!column) throw new Error(`${model.name}: scope names no column ${key}`)
      return eq(column, value)
    }),
  )
}

function same(left: Columns, leftKey: string, right: Columns, rightKey: string): SQL {
  const [a, b] = [left[leftKey], right[rightKey]]
  if (!a || !b) throw new Error(`a relation names no column ${a ? rightKey : leftKey}`)
  return sql`${a} = ${b}`
}

function isAbsence(term: Term): boolean {
  return term.lookup === 'isnull' && term.span.steps.length > 0 && toBoolean(term.value)
}
