import type { RequestContext } from './context.ts'
import {
  actionOptions,
  attachField,
  type FieldOptions,
  readOptions,
  typeChoice,
  writeOptions,
} from './field-options.ts'
import { maxPageSize } from './list.ts'
import { allowed } from './permissions.ts'
import { type Model, type Registry, titled } from './registry.ts'
import type { Action, SubList } from './resource.ts'

/** The answer to OPTIONS. */
export type Options = Record<string, unknown>

/** What every OPTIONS answer says first. */
export function optionsHead(name: string, description: string): Options {
  return { name, description, renders: ['application/json', 'text/html'], parses: ['application/json'] }
}

/** OPTIONS of a collection. POST is shown to those who may create. */
export async function listOptions(model: Model, methods: readonly string[], context: RequestContext): Promise<Options> {
  const create = methods.includes('POST') && (await allowed(context, 'create', model))
  return {
    actions: {
      GET: readOptions(model, typeChoices(context.registry, model), 'list'),
      ...(create ? { POST: writeOptions(model, 'POST') } : {}),
    },
    ...listTail(model, context.registry),
  }
}

/** OPTIONS of an object; the same for ids that do not exist, which the CLI asks for. */
export async function detailOptions(
  model: Model,
  methods: readonly string[],
  context: RequestContext,
): Promise<Options> {
  const edit = methods.includes('PUT') && (await allowed(context, 'edit', model))
  return {
    actions: {
      ...(edit ? { PUT: writeOptions(model, 'PUT') } : {}),
      GET: readOptions(model, typeChoices(context.registry, model), 'detail'),
    },
    types: typeNames(context.registry, model),
    ...(model.resource.objectRoles ? { object_roles: model.resource.objectRoles } : {}),
  }
}

/** OPTIONS of a list below an object. */
export async function subListOptions(
  parent: Model,
  listed: Model,
  subList: SubList,
  context: RequestContext,
): Promise<Options> {
  const post: FieldOptions = {
    ...(subList.attach ? attachField : {}),
    ...(subList.create ? writeOptions(listed, 'POST') : {}),
  }
  const writes = subList.attach ? await allowed(context, 'edit', parent) : await allowed(context, 'create', listed)
  return {
    actions: {
      GET: readOptions(listed, typeChoices(context.registry, listed), 'list'),
      ...(writes && Object.keys(post).length > 0 ? { POST: post } : {}),
    },
    ...listTail(listed, context.registry),
  }
}

/** OPTIONS of an action; `types` are those of the object it belongs to. */
export function actionOptionsOf(model: Model, action: Action, registry: Registry): Options {
  const verbs = (['GET', 'POST', 'PUT'] as const).filter((verb) => action[verb])
  const fields = (verb: string) => (verb === 'GET' ? action.fields?.GET : action.fields?.POST) ?? {}
  return {
    actions: Object.fromEntries(verbs.map((verb) => [verb, actionOptions(fields(verb), verb)])),
    types: typeNames(registry, model),
    ...(model.resource.objectRoles ? { object_roles: model.resource.objectRoles } : {}),
  }
}

function listTail(model: Model, registry: Registry): Options {
  const related = model.relationNames.filter((name) => registry.find(model.relation(name)?.to ?? ''))
  return {
    types: typeNames(registry, model),
    search_fields: model.resource.searchFields ?? [],
    related_search_fields: related.map((name) => `${name}__search`),
    ...(model.resource.objectRoles ? { object_roles: model.resource.objectRoles } : {}),
    max_page_size: maxPageSize,
  }
}

function variants(registry: Registry, model: Model): Model[] {
  return (model.resource.variants ?? []).flatMap((name) => registry.find(name) ?? [])
}

function typeNames(registry: Registry, model: Model): string[] {
  return model.resource.variants ? variants(registry, model).map((one) => one.resource.type) : [model.resource.type]
}

function typeChoices(registry: Registry, model: Model): [string, string][] {
  return model.resource.variants ? variants(registry, model).map(typeChoice) : [typeChoice(model)]
}

/** OPTIONS names: "Execution Environment List". */
export function listTitle(model: Model): string {
  return model.resource.titles?.list ?? `${titled(model.label)} List`
}

/** OPTIONS `name` of an object. */
export function detailTitle(model: Model): string {
  return model.resource.titles?.detail ?? `${titled(model.label)} Detail`
}

/** OPTIONS `name` of a sub-list or action. */
export function belowTitle(model: Model, key: string, title: string | undefined, list: boolean): string {
  return title ?? `${titled(model.label)} ${titled(key)}${list ? ' List' : ''}`
}
