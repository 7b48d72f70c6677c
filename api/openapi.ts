import { allowHeader, type Endpoint, methods } from './endpoint.ts'
import type { FieldOptions } from './field-options.ts'
import { maxPageSize } from './list.ts'
import { productVersion } from './middleware.ts'
import { capitalized } from './registry.ts'

type Schema = Record<string, unknown>

/** The part of an OpenAPI 3.1 document that the docs page reads. */
export interface OpenApi {
  openapi: '3.1.0'
  info: { title: string; version: string; description: string }
  paths: Record<string, Record<string, Operation>>
  components: Schema
  security: Schema[]
  tags: { name: string }[]
}

/** One method of a path. */
export interface Operation {
  operationId: string
  summary: string
  tags: string[]
  parameters: Schema[]
  requestBody?: { required: boolean; content: { 'application/json': { schema: Schema } } }
  responses: Record<string, { description: string; content?: Schema }>
  security?: Schema[]
}

/** OpenAPI 3.1 from the endpoints; made once, since endpoints never change while the process runs. */
export function describeApi(all: readonly Endpoint[]): OpenApi {
  // Some paths only answer OPTIONS, for clients that ask for them.
  const endpoints = all.filter((endpoint) => Object.keys(endpoint.handlers).length > 0)
  return {
    openapi: '3.1.0',
    info: {
      title: 'Mayfly',
      version: productVersion,
      description: `Speaks the API of AWX ${productVersion}. Lists page by page and page_size, filter by any field (\`name__icontains=x\`, \`organization__name=x\`, \`or__\`, \`not__\`, \`chain__\`), search and order_by.`,
    },
    paths: Object.fromEntries(endpoints.map((endpoint) => [openApiPath(endpoint.path), operations(endpoint)])),
    components: {
      securitySchemes: {
        basic: { type: 'http', scheme: 'basic' },
        bearer: { type: 'http', scheme: 'bearer' },
        session: { type: 'apiKey', in: 'cookie', name: 'awx_sessionid' },
      },
    },
    security: [{ basic: [] }, { bearer: [] }, { session: [] }],
    tags: [...new Set(endpoints.map((endpoint) => endpoint.tag))].map((name) => ({ name })),
  }
}

function openApiPath(path: string): string {
  return path.replace(/:(\w+)/g, '{$1}')
}

function operations(endpoint: Endpoint): Record<string, Operation> {
  const offered = methods.filter((method) => endpoint.handlers[method])
  return Object.fromEntries(offered.map((method) => [method.toLowerCase(), operation(endpoint, method)]))
}

function operation(endpoint: Endpoint, method: (typeof methods)[number]): Operation {
  const { documents = {} } = endpoint
  const fields = documents.fields?.[method]
  const answer = documents.answer ? objectSchema(documents.answer, true) : {}
  const schema = method === 'GET' && documents.list ? pageSchema(answer) : answer
  const status = method === 'POST' ? '201' : method === 'DELETE' ? '204' : '200'
  return {
    operationId: `${method.toLowerCase()}${endpoint.path.replace(/[^a-zA-Z0-9]+/g, '_').replace(/_$/, '')}`,
    summary: endpoint.summaries?.[method] ?? capitalized(endpoint.description),
    tags: [endpoint.tag],
    parameters: [...pathParameters(endpoint.path), ...(method === 'GET' && documents.list ? listParameters : [])],
    ...(fields
      ? {
          requestBody: {
            required: method !== 'PATCH',
            content: { 'application/json': { schema: objectSchema(fields, method === 'PATCH') } },
          },
        }
      : {}),
    responses: {
      [status]: {
        description: `Allow: ${allowHeader(endpoint)}`,
        ...(method === 'DELETE' ? {} : { content: { 'application/json': { schema } } }),
      },
      default: { description: 'A refusal, in AWX’s shapes: detail, or messages by field.' },
    },
    ...(endpoint.anonymous ? { security: [] } : {}),
  }
}

function pathParameters(path: string): Schema[] {
  return [...path.matchAll(/:(\w+)/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    description: 'Id, or named URL where the resource has one.',
    schema: { type: 'string' },
  }))
}

const listParameters: Schema[] = [
  { name: 'page', in: 'query', schema: { type: 'integer', minimum: 1 } },
  { name: 'page_size', in: 'query', schema: { type: 'integer', minimum: 1, maximum: maxPageSize } },
  { name: 'search', in: 'query', schema: { type: 'string' } },
  {
    name: 'order_by',
    in: 'query',
    description: 'Fields, separated by commas; - before one reverses it.',
    schema: { type: 'string' },
  },
]

function pageSchema(item: Schema): Schema {
  return {
    type: 'object',
    properties: {
      count: { type: 'integer' },
      next: { type: ['string', 'null'] },
      previous: { type: ['string', 'null'] },
      results: { type: 'array', items: item },
    },
  }
}

function objectSchema(fields: FieldOptions, optional: boolean): Schema {
  const required = optional ? [] : Object.keys(fields).filter((name) => fields[name]?.required)
  return {
    type: 'object',
    properties: Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, fieldSchema(field)])),
    ...(required.length > 0 ? { required } : {}),
  }
}

/** JSON schema of an AWX field type; those that AWX leaves open stay open. */
const schemas: Record<string, Schema> = {
  string: { type: 'string' },
  integer: { type: 'integer' },
  boolean: { type: 'boolean' },
  float: { type: 'number' },
  decimal: { type: ['number', 'string'] },
  id: { type: ['integer', 'null'] },
  datetime: { type: ['string', 'null'], format: 'date-time' },
  list_of_ids: { type: 'array', items: { type: 'integer' } },
  list: { type: 'array' },
  object: { type: 'object' },
}

function fieldSchema(field: Record<string, unknown>): Schema {
  const choices = field.choices as [unknown, string][] | undefined
  const entries: [string, unknown][] = [
    ['title', field.label],
    ['description', field.help_text],
    ['default', field.default],
    ['minimum', field.min_value],
    ['maximum', field.max_value],
    ['maxLength', field.max_length],
    ['writeOnly', field.write_only],
    ['enum', choices?.map(([value]) => value)],
  ]
  return { ...schemas[String(field.type)], ...Object.fromEntries(entries.filter(([, value]) => value !== undefined)) }
}
