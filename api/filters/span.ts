import { BadRequestError, PermissionDeniedError } from '../errors.ts'
import type { Model, Registry } from '../registry.ts'
import type { Relation } from '../resource.ts'

/** One step from a model to related ones; `name` tells apart steps that lead over different relations. */
export interface Step {
  name: string
  relation: Relation
  to: Model
}

/** Where `a__b__c` leads: over `steps` to a column of the last model, or to the related objects themselves. */
export interface Span {
  steps: Step[]
  model: Model
  /** Key of the column; undefined when the path ends on objects of a to-many relation. */
  column: string | undefined
  /** The column is a foreign key: `none` and `null` mean "is null", and spans may go on. */
  foreignKey: boolean
}

/** More steps than any model needs; each one nests a query. */
const maxDepth = 10

/** Resolves the names of a path; errors carry AWX's texts. */
export function resolveSpan(registry: Registry, start: Model, path: string): Span {
  const names = path.split('__')
  if (names.length > maxDepth) throw new BadRequestError(`A filter spans at most ${maxDepth} relations.`)
  const steps: Step[] = []
  let model = start
  for (const [index, name] of names.entries()) {
    const last = index === names.length - 1
    refuseUnsearchable(model, name)
    const relation = model.relation(name)
    if (relation) {
      if (last && relation.kind === 'one') return { steps, model, column: relation.column, foreignKey: true }
      const to = registry.find(relation.to)
      // A relation to a resource that this API does not have yet leads nowhere.
      if (!to) throw unknownField(model, name)
      steps.push({ name, relation, to })
      model = to
      if (last) return { steps, model, column: undefined, foreignKey: false }
      continue
    }
    const column = columnOf(model, name)
    if (column === undefined) throw unknownField(model, name)
    if (!last) throw new BadRequestError(`No related model for field ${names[index + 1]}.`)
    return { steps, model, column, foreignKey: false }
  }
  throw unknownField(start, path)
}

function columnOf(model: Model, name: string): string | undefined {
  if (name === 'pk' || name === 'id') return 'id'
  if ((name === 'created' || name === 'modified') && name in model.columns) return name
  const field = model.field(name)
  if (field?.key && field.field.filterable !== false) return field.key
  const relation = name.endsWith('_id') ? model.relation(name.slice(0, -3)) : undefined
  return relation?.kind === 'one' ? relation.column : undefined
}

function refuseUnsearchable(model: Model, name: string): void {
  const field = model.field(name)?.field
  if (field?.unsearchable === 'encrypted') throw new PermissionDeniedError(`Filtering on field ${name} is not allowed.`)
  if (field?.unsearchable || field?.kind === 'secret' || model.resource.unsearchable?.includes(name)) {
    throw new PermissionDeniedError(`Filtering on ${name} is not allowed.`)
  }
}

function unknownField(model: Model, name: string): BadRequestError {
  return new BadRequestError(`${model.resource.model} has no field named '${name}'`)
}
