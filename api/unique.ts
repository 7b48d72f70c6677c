import { and, eq, ne, type SQL } from 'drizzle-orm'
import { isUniqueViolation } from '../store/errors.ts'
import { BadRequestError, ValidationError } from './errors.ts'
import { scopeOf } from './filters/conditions.ts'
import { capitalized, type Model } from './registry.ts'
import type { UniqueRule, WriteCheck } from './resource.ts'

/** Throws AWX's text when another object already has the values of one of the resource's unique sets. */
export async function checkUnique(model: Model, check: WriteCheck): Promise<void> {
  for (const rule of model.resource.unique ?? []) {
    if (check.before && !rule.fields.some((name) => name in check.input)) continue
    if (await isTaken(model, rule, check)) throw violation(model, rule)
  }
}

/** Two requests at once pass the check together; the database refuses the second, which gets the same answer. */
export async function orUniqueViolation<T>(model: Model, write: () => Promise<T>): Promise<T> {
  try {
    return await write()
  } catch (error) {
    const rule = model.resource.unique?.find((one) => !one.soft)
    throw rule && isUniqueViolation(error) ? violation(model, rule) : error
  }
}

/** The first unique set that a copy would break, as the database would word it. */
export async function checkCopy(model: Model, check: WriteCheck): Promise<void> {
  for (const rule of model.resource.unique ?? []) {
    if (rule.soft || !(await isTaken(model, rule, check))) continue
    const values = rule.fields.map((name) => check.merged[name]).join(', ')
    throw new BadRequestError(
      `duplicate key value violates unique constraint\nDETAIL:  Key (${rule.fields.join(', ')})=(${values}) already exists.`,
    )
  }
}

async function isTaken(model: Model, rule: UniqueRule, { merged, before, context }: WriteCheck): Promise<boolean> {
  const { id } = model.columns
  if (!id) return false
  const conditions: (SQL | undefined)[] = [scopeOf(model), before ? ne(id, before.id) : undefined]
  for (const name of rule.fields) {
    const key = model.field(name)?.key
    const column = key === undefined ? undefined : model.columns[key]
    const value = merged[name]
    // As in SQL, a null equals nothing.
    if (value === null || value === undefined || !column) return false
    conditions.push(eq(column, value))
  }
  const found = await context.db
    .select({ id })
    .from(model.table)
    .where(and(...conditions))
    .limit(1)
  return found.length > 0
}

function violation(model: Model, rule: UniqueRule): Error {
  const name = capitalized(model.label)
  if (rule.message) return ValidationError.on(rule.fields[0] ?? '__all__', rule.message)
  if (rule.soft) {
    return ValidationError.on(
      '__all__',
      `${model.resource.model} with this (${rule.fields.join(', ')}) combination already exists.`,
    )
  }
  const [field] = rule.fields
  if (rule.fields.length === 1 && field)
    return ValidationError.on(field, `${name} with this ${capitalized(field)} already exists.`)
  const labels = rule.fields.map(capitalized)
  return ValidationError.on(
    '__all__',
    `${name} with this ${labels.slice(0, -1).join(', ')} and ${labels.at(-1)} already exists.`,
  )
}
