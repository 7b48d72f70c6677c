import { getTableColumns } from 'drizzle-orm'
import type { PgColumn, PgTable } from 'drizzle-orm/pg-core'
import { camelCase } from '../store/camel-case.ts'
import type { Field } from './field.ts'
import type { Relation, Resource } from './resource.ts'

/** A field with its column found. `key` is the column's key in rows. */
export interface ModelField {
  name: string
  field: Field
  key: string | undefined
}

/** A resource's description with everything looked up once: paths, columns, relations. */
export interface Model {
  resource: Resource
  name: string
  /** `/api/v2/organizations/` */
  url: string
  /** "execution environment" */
  label: string
  table: PgTable
  columns: Record<string, PgColumn>
  fields: readonly ModelField[]
  field(name: string): ModelField | undefined
  /** A relation by wire name: declared ones, `id` fields, created_by and modified_by. */
  relation(name: string): Relation | undefined
  relationNames: readonly string[]
  /** Relations to one object that the wire shows, in `related` and `summary_fields`: `id` fields and the authors. */
  shownRelations: readonly { name: string; relation: OneRelation }[]
}

type OneRelation = Extract<Relation, { kind: 'one' }>

/** All resources by name and by type. */
export interface Registry {
  models: readonly Model[]
  /** Throws when nothing has that name: a mistake in a description, not in a request. */
  get(name: string): Model
  find(name: string): Model | undefined
  byType(type: string): Model | undefined
}

/** Where the API begins. */
export const apiRoot = '/api/v2/'

/** Compiles descriptions; throws on columns and relations that do not exist, so that mistakes show at start. */
export function createRegistry(resources: readonly Resource[]): Registry {
  const models = resources.map(compile)
  const byName = new Map(models.map((model) => [model.name, model]))
  const byType = new Map(
    models.filter((model) => !model.resource.variants).map((model) => [model.resource.type, model]),
  )
  return {
    models,
    get(name) {
      const model = byName.get(name)
      if (!model) throw new Error(`no resource is named ${name}`)
      return model
    },
    find: (name) => byName.get(name),
    byType: (type) => byType.get(type),
  }
}

/** Who made and who changed an object, where its table says so. */
const authors = new Map([
  ['created_by', 'createdById'],
  ['modified_by', 'modifiedById'],
])

function compile(resource: Resource): Model {
  const columns = getTableColumns(resource.table) as Record<string, PgColumn>
  const fields = Object.entries(resource.fields).map(([name, field]) => ({
    name,
    field,
    key: columnKey(resource, columns, name, field),
  }))
  const byName = new Map(fields.map((field) => [field.name, field]))
  const relations = new Map<string, Relation>(Object.entries(resource.relations ?? {}))
  for (const { name, field, key } of fields) {
    if (field.kind === 'id' && key) relations.set(name, { kind: 'one', to: field.to, column: key })
  }
  for (const [name, column] of authors) if (column in columns) relations.set(name, { kind: 'one', to: 'users', column })
  const shown = [...relations].filter(([name]) => byName.has(name) || authors.has(name))
  return {
    resource,
    name: resource.name,
    url: `${apiRoot}${resource.path ?? resource.name}/`,
    label: resource.label ?? words(resource.model),
    table: resource.table,
    columns,
    fields,
    field: (name) => byName.get(name),
    relation: (name) => relations.get(name),
    relationNames: [...relations.keys()],
    shownRelations: shown.flatMap(([name, relation]) => (relation.kind === 'one' ? [{ name, relation }] : [])),
  }
}

function columnKey(
  resource: Resource,
  columns: Record<string, PgColumn>,
  name: string,
  field: Field,
): string | undefined {
  if (field.kind === 'computed' || field.column === null) return undefined
  const key = field.column ?? (field.kind === 'id' ? `${camelCase(name)}Id` : camelCase(name))
  if (!(key in columns)) throw new Error(`${resource.name}.${name}: the table has no column ${key}`)
  return key
}

/** `ExecutionEnvironment` → `execution environment`. */
export function words(model: string): string {
  return model.replace(/(?<=[a-z])(?=[A-Z])/g, ' ').toLowerCase()
}

/** `max_hosts` → `Max hosts`: how AWX labels a field or names a model. */
export function capitalized(text: string): string {
  const spaced = text.replaceAll('_', ' ')
  return spaced.charAt(0).toUpperCase() + spaced.slice(1)
}

/** `execution environment` → `Execution Environment`. */
export function titled(text: string): string {
  return text.replaceAll('_', ' ').replace(/(^|\s)\S/g, (letter) => letter.toUpperCase())
}

/** The resource that a list below an object lists; undefined while this API does not have it. */
export function listedModel(
  registry: Registry,
  parent: Model,
  subList: { relation?: string; resource?: string },
): Model | undefined {
  if (subList.resource) return registry.find(subList.resource)
  const relation = subList.relation ? parent.relation(subList.relation) : undefined
  if (!relation) throw new Error(`${parent.name}: a sub-list names neither a resource nor a relation of it`)
  return registry.find(relation.to)
}
