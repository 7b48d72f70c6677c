import type { SQL } from 'drizzle-orm'
import type { PgTable } from 'drizzle-orm/pg-core'
import type { ApiDeps, RequestContext, Row } from './context.ts'
import type { Field } from './field.ts'

/**
 * The one description of an AWX resource. Routes, validation, serialization, filters, OPTIONS, OpenAPI and docs follow from it
 * (docs/design.md: one place per fact). `R` is the row type of its table. Fields `id`, `type`, `url`, `related`, `summary_fields`,
 * `created` and `modified` are there without being named.
 */
export interface Resource<R = Row> {
  /** Key in the map of `GET /api/v2/` and in the registry (`inventory`, `job_templates`). Other resources refer to it by this. */
  name: string
  /** URL segment; default: `name` (`inventory` lives at `inventories`). */
  path?: string
  /** `type` on the wire, and in OPTIONS `types`. */
  type: string
  /** AWX's model class: "No Organization matches the given query.", "Organization has no field named 'x'". */
  model: string
  /** The model in words, lower case ("instance group"): unique violations, OPTIONS names and choices of `type`. Default: made from the model. */
  label?: string
  /** Not a key of `/api/v2/`, and its list answers 404 (job_events). */
  detailsOnly?: boolean
  /** OPTIONS names; default "<Label> List" and "<Label> Detail". */
  titles?: { list?: string; detail?: string }
  table: PgTable
  /** Which rows of the table belong to this resource: values by column key (`{ type: 'job' }` of unified_jobs). New rows get them. */
  scope?: Record<string, string | number | boolean>
  /** Rows are rendered by the resource whose `type` their `type` column names (unified_jobs). Names of those resources. */
  variants?: readonly string[]
  /** In the order in which they appear on the wire. */
  fields: Record<string, Field>
  /** Fields that the installation's settings change, in place of those of the same name. */
  fieldsFor?(deps: ApiDeps): Record<string, Field>
  /** What filters may span besides the `id` fields, and what sub-lists list. */
  relations?: Record<string, Relation>
  /** Default `order_by`, in wire names; default `['id']`. */
  order?: readonly string[]
  /** What `?search=` looks into, in wire names. */
  searchFields?: readonly string[]
  /** Names that are no fields here but that AWX refuses to filter by with 403 (survey_spec, webhook_key). */
  unsearchable?: readonly string[]
  /** Further condition from query parameters of its own (`host_filter`); throws BadRequestError. */
  filter?(query: URLSearchParams, context: RequestContext): SQL | undefined
  /** What lists read in place of whole columns, by column key: they show only the beginning of long texts. */
  listColumns?(query: URLSearchParams): Record<string, SQL>
  /** `?limit=N` answers `{"results": […]}` without counting (events). */
  limitParameter?: boolean
  /** Headers of its lists and sub-lists (X-UI-Max-Events). */
  listHeaders?: Record<string, string>
  /** Parts of the named URL: groups joined by `++`, fields within a group by `+`, spans by `__`. */
  namedUrl?: readonly (readonly string[])[]
  /** What others show of it in their summary_fields. Default `id`, `name`, `description`. */
  summary?: Summary<R>
  /** Keys of `summary_fields.user_capabilities`; each is asked of `allowed` (`copy`, `use`, `start`, … are actions there). */
  capabilities?: readonly string[]
  /** Names of its roles (OPTIONS `object_roles`). */
  objectRoles?: readonly string[]
  /** Sets that must be unique, in wire names. `soft`: only checked here, with AWX's text for templates and projects. */
  unique?: readonly UniqueRule[]
  /** Methods of list and detail; default GET, POST and GET, PUT, PATCH, DELETE. */
  methods?: { list?: readonly ListMethod[]; detail?: readonly DetailMethod[] }
  /** `/organizations/N/<key>/`: lists of related objects. */
  subLists?: Record<string, SubList<R>>
  /** `/job_templates/N/<key>/`: everything else below an object. */
  actions?: Record<string, Action<R>>
  /** `/jobs/<key>/`: everything below the collection that is no object. */
  collectionActions?: Record<string, Action<never>>
  /** POST …/copy/ makes a second object; names the wire fields that are not copied. */
  copy?: {
    omit?: readonly string[]
    after?(source: R, copy: R, context: RequestContext): Promise<void>
    /** What GET …/copy/ answers beside `can_copy`. */
    describe?(source: R, context: RequestContext): Promise<Record<string, unknown>>
    /** OPTIONS name; default from label. */
    title?: string
  }
  permissions?: Permissions<R>
  hooks?: Hooks<R>
  /** More related links than fields, sub-lists and actions give; null leaves one out. Also overrides them. */
  related?(row: R): Record<string, string | null>
  /** More summary_fields than the `id` fields give, for all rows at once, in their order. */
  summaries?(rows: readonly R[], context: RequestContext): Promise<Record<string, unknown>[]>
  /** Last word on a row's wire form (ad hoc quirks); prefer fields. */
  present?(wire: Record<string, unknown>, row: R, context: RequestContext, view: View): Record<string, unknown>
}

/** Where a row is shown: some fields are left out of lists. */
export type View = 'list' | 'detail'
/** Methods of a collection. */
export type ListMethod = 'GET' | 'POST'
/** Methods of an object. */
export type DetailMethod = 'GET' | 'PUT' | 'PATCH' | 'DELETE'

/** What other objects show of this one in their summary_fields. */
export interface Summary<R = Row> {
  /** Wire names of plain fields, besides `id`. */
  fields: readonly string[]
  /** What needs more than the row, for all rows at once, in their order. */
  extra?(rows: readonly R[], context: RequestContext): Promise<Record<string, unknown>[]> | Record<string, unknown>[]
}

/** A way from one resource to others. `to` is the other resource's name. */
export type Relation =
  /** A foreign key that no field shows: `column` (key of this table) holds the other's id. */
  | { kind: 'one'; to: string; column: string }
  /** Reverse of a foreign key: `column` (key of the other table) holds this one's id. */
  | { kind: 'many'; to: string; column: string }
  /** Through a table of pairs; `position` (its key) keeps the order of attaching, `fixed` tells apart relations that share the table. */
  | {
      kind: 'through'
      to: string
      table: PgTable
      parent: string
      child: string
      position?: string
      fixed?: Record<string, string>
    }

/** Fields that no two objects share; `soft`: checked by the API alone, the database has no such constraint. */
export interface UniqueRule {
  fields: readonly string[]
  soft?: boolean
  /** Text instead of the usual one. */
  message?: string
}

/**
 * A list below an object. Says what it lists by `relation` (a key of `relations`) or by `where`; paging, filters and serialization are those of
 * the listed resource.
 */
export interface SubList<R = Row> {
  relation?: string
  /** With `where`: name of the listed resource. */
  resource?: string
  where?(parent: R, context: RequestContext): SQL
  /** POST `{"id": n}` attaches, with `"disassociate": true` detaches (204). Only for relations of kind `through` or nullable `many`. */
  attach?: boolean
  /** POST without id creates an object of the listed resource (201), attached; the parent's id is filled in. */
  create?: boolean
  /** Values of a new object's body that the parent decides, whatever was sent. */
  fill?(parent: R): Record<string, unknown>
  /** The body of a POST as it is to be read: AWX takes some names for ids. */
  read?(parent: R, body: Record<string, unknown>, context: RequestContext): Promise<Record<string, unknown>>
  /** Refuses an attachment by throwing; `attaching` is false for a detach. */
  check?(parent: R, child: Row, attaching: boolean, context: RequestContext): Promise<void>
  after?(parent: R, child: Row, attaching: boolean, context: RequestContext): Promise<void>
  order?: readonly string[]
  /** Key in `related`; default: the sub-list's own; false: no link. */
  link?: string | false
  /** OPTIONS name ("Organization Instance Groups List"); default made from labels. */
  title?: string
}

/** One thing that can be done or read below an object, outside of lists. */
export interface Action<R = Row> {
  /** Handlers by method. OPTIONS works for missing objects too. */
  GET?: ActionHandler<R>
  POST?: ActionHandler<R>
  PUT?: ActionHandler<R>
  PATCH?: ActionHandler<R>
  DELETE?: ActionHandler<R>
  /** OPTIONS `actions.GET` / `actions.POST`. The handler checks its body itself. */
  fields?: { GET?: Record<string, ActionField>; POST?: Record<string, ActionField> }
  /** Key in `related`; default: the action's own; false: no link. A function decides by row. */
  link?: string | false | ((row: R) => boolean)
  /** Action name asked of `allowed`; default GET `read`, other methods the action's key (`launch`, `cancel`). null: nobody is asked (webhooks). */
  permission?: { GET?: string; POST?: string } | null
  /** OPTIONS name; default from label and key. */
  title?: string
  /** Served without authentication (callback, webhooks). */
  anonymous?: boolean
  /** With `permission: null`: an object that does not exist answers 403, as one that refuses, so that nobody finds out which there are. */
  hidesMissing?: boolean
  /** The handler itself opens transactions; otherwise writes run in one. */
  ownTransaction?: boolean
  /** The handler reads the body itself (forms, signatures over bytes). */
  ownBody?: boolean
  /** It reads `?format=` and Accept itself (stdout); elsewhere only JSON is offered. */
  ownFormats?: boolean
}

/** A field of an action as OPTIONS shows it; `type` is AWX's (`list_of_ids`, `json`, …). */
export interface ActionField {
  type: string
  required?: boolean
  label?: string
  help_text?: string
  hidden?: boolean
  filterable?: boolean
  default?: unknown
  choices?: readonly (readonly [string | number | null, string])[]
  min_value?: number
  max_value?: number
  max_length?: number
  [more: string]: unknown
}

/** What an action gets. */
export interface ActionInput<R = Row> {
  /** The object; rows of `collectionActions` have none and get `undefined`. */
  object: R
  /** Parsed JSON body; `{}` where there was none. */
  body: Record<string, unknown>
  query: URLSearchParams
  context: RequestContext
  /** Serializes a row of a resource (by name) as its detail view does; reads it back after a change. */
  render(resource: string, id: number): Promise<Record<string, unknown>>
}

/** What an action answers; a `Response` is passed on as it is (streams, downloads). */
export type ActionResult =
  | Response
  | { status: 200 | 201 | 202 | 204; body?: unknown; headers?: Record<string, string> }
/** One method of an action. */
export type ActionHandler<R = Row> = (input: ActionInput<R>) => Promise<ActionResult>

/** Who may do what; every rule is asked through `allowed` of api/permissions.ts, never directly. */
export interface Permissions<R = Row> {
  /** Superusers only, besides reading (instance groups, settings). */
  writes?: 'superuser' | 'roles'
  /** Every authenticated user reads it (credential types). */
  readableByAll?: boolean
  /** Refusal even for superusers: returns AWX's text, or undefined. */
  refuse?(action: string, row: R | undefined, context: RequestContext): string | undefined
  /** What a normal user may do although no role says so (change the own account). */
  grants?(action: string, row: R | undefined, context: RequestContext): boolean
  /** Condition on rows a normal user may read; without it they see none until roles exist. */
  readable?(context: RequestContext): SQL | undefined
}

/** Where a resource does more than its fields say. */
export interface Hooks<R = Row> {
  /** First look at the body of a new object, before any field is read: refuses it by throwing, in AWX's order of complaints. */
  receive?(body: Record<string, unknown>, context: RequestContext): Promise<void>
  /** Inserts otherwise than as one row of the table: a job comes with all that starts it. Values by column key. */
  insert?(values: Record<string, unknown>, check: WriteCheck<R>): Promise<R>
  /**
   * Rules over several fields. `input` holds the validated body by wire name with PUT's resets; `merged` the object as it would become,
   * by wire name. Throws ValidationError.
   */
  validate?(check: WriteCheck<R>): Promise<void> | void
  /** Last change to the column values (camel-case keys) before they are written: sealing, derived columns. */
  prepare?(
    values: Record<string, unknown>,
    check: WriteCheck<R>,
  ): Promise<Record<string, unknown>> | Record<string, unknown>
  /** In the same transaction, after insert or update. `before` is undefined for a new object. */
  afterWrite?(row: R, before: R | undefined, context: RequestContext, input: Record<string, unknown>): Promise<void>
  /** Throws to refuse (InUseError, PermissionDeniedError). */
  beforeDelete?(row: R, context: RequestContext): Promise<void>
  /** Deletes otherwise than by DELETE on the row; returns the status (inventories: 202). */
  remove?(row: R, context: RequestContext): Promise<202 | 204>
}

/** A write on its way; `input` and `merged` by wire name. */
export interface WriteCheck<R = Row> {
  input: Record<string, unknown>
  merged: Record<string, unknown>
  /** The stored row; undefined on create. */
  before: R | undefined
  /** Body as sent, for rules that ask whether a key was there at all. */
  body: Record<string, unknown>
  context: RequestContext
}

/** Types a description by its table's row and hands it on as one of many. */
export function defineResource<T extends PgTable>(
  description: Omit<Resource<T['$inferSelect'] & Row>, 'table'> & { table: T },
): Resource {
  // Rows are only ever handed to the description whose table they came from, so the narrower row type is safe to forget.
  return description as unknown as Resource
}
