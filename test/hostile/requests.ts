/** Requests as nobody should send them, made of the API's own description. */
import { spoiltDocument } from './documents.ts'
import type { Random } from './random.ts'

/** A JSON schema as far as the API's OpenAPI document uses it. */
interface Schema {
  type?: string | string[]
  enum?: unknown[]
  properties?: Record<string, Schema>
  items?: Schema
}

/** One method of one path of the document. */
export interface Operation {
  method: string
  path: string
  /** Path parts such as `job_templates` of `/api/v2/job_templates/{id}/launch/`; undefined where no object is named. */
  collection: string | undefined
  body: Schema | undefined
  /** Names that the listed objects have, where it is a list. */
  listed: string[] | undefined
}

export interface OpenApiDocument {
  paths: Record<
    string,
    Record<
      string,
      {
        requestBody?: { content: { 'application/json': { schema: Schema } } }
        responses: Record<string, { content?: { 'application/json': { schema: Schema } } }>
      }
    >
  >
}

export function operationsOf(document: OpenApiDocument): Operation[] {
  return Object.entries(document.paths).flatMap(([path, byMethod]) =>
    Object.entries(byMethod).map(([method, { requestBody, responses }]) => ({
      method: method.toUpperCase(),
      path,
      collection: /^\/api\/v2\/(\w+)\/\{id\}\//.exec(path)?.[1],
      body: requestBody?.content['application/json'].schema,
      listed: listedNames(responses['200']?.content?.['application/json'].schema),
    })),
  )
}

function listedNames(schema: Schema | undefined): string[] | undefined {
  const item = schema?.properties?.results?.items
  return item && Object.keys(item.properties ?? {})
}

/** What stands where a path wants an id or a name. */
const hostileReferences = [
  ...['0', '-1', '00001', '2147483647', '2147483648', '9223372036854775807', '9223372036854775808', '9'.repeat(60)],
  ...['1e3', '1.0', '0x1', ' 1', 'abc', 'null', 'undefined', 'NaN', '__proto__', 'constructor', 'toString'],
  ...['%00', '1%00', '%ff', '%', '%2e%2e%2f%2e%2e%2fetc%2fpasswd', '%2F', '1%2F2', '💩', 'x'.repeat(3000)],
  ...['+', '++', '+++', 'a++b', 'a+b++c+d', '[+]', '[[+', "'", '%22', '1;select%201', '%0d%0aSet-Cookie:a=b'],
]

/** Deeper than any recursion survives. */
const deep = (levels: number): string => `${'['.repeat(levels)}${']'.repeat(levels)}`

/** JSON texts, because some of them no value of the language would be written as. */
const hostileJson = [
  ...['null', 'true', 'false', '0', '-1', '1', '1.5', '1e308', '-1e308', '1e400', '2147483648', '9007199254740993'],
  ...[
    '""',
    '" "',
    '"\\u0000"',
    '"a\\u0000b"',
    '"\\ud800"',
    '"\\udfff\\ud800"',
    '"💩"',
    '"\\u202egnp.exe"',
    '"\\r\\nX: y"',
  ],
  ...['[]', '[[]]', '[null]', '["\\u0000"]', '[1,1,1]', '[-1]', '[99999999999999999999]', '["a",{"b":[]}]', '[{}]'],
  ...['{}', '{"":""}', '{"a":{"b":"\\u0000"}}', '{"\\u0000":1}', '{"\\ud800":1}', '{"toString":1,"valueOf":1}'],
  ...['{"__proto__":{"isSuperuser":true}}', '{"constructor":{"prototype":{}}}', '{"length":-1}', '{"id":"1 or 1=1"}'],
  ...['"$encrypted$"', '"\'; DROP TABLE users; --"', '"../../../etc/passwd"', '"{{ 7 * 7 }}"', '"%s%n%p"', '"NaN"'],
  ...[
    '"{\\"a\\":"',
    '"--- &a [*a]"',
    '"a: &a [x]\\nb: [*a, *a]"',
    '"- 1"',
    '"a: !!python/object:os.system"',
    '"\\u0007"',
  ],
  ...[`"${'x'.repeat(600)}"`, `"${'é'.repeat(70_000)}"`, `"${'1'.repeat(400)}"`, `"${deep(9_000)}"`, deep(9_000)],
]

/** Values of queries. */
const hostileTexts = [
  ...['', ' ', '0', '1', '-1', '2147483648', '9223372036854775808', '1e400', '9'.repeat(200), 'true', 'none', 'null'],
  ...[
    '\0',
    'a\0',
    '\ud800',
    '💩',
    '%',
    '_',
    '\\',
    "'",
    '"',
    "');--",
    '$1',
    '(',
    '(((((a+)+)+)+)+)b',
    '[',
    '\\1',
    '*',
    '**',
  ],
  ...[
    '1,2,x',
    ',',
    '1,',
    '2026-01-01',
    '2026-13-01',
    '9999999-01-01',
    '0000-00-00',
    '2026-01-01T25:00',
    'x'.repeat(4000),
  ],
  ...['a:b', '{}', '[]', '__', '../..', '-id', 'id,-id', '-', '--id', 'type', 'password', 'created_by__password'],
]

const lookups = [
  '',
  '__in',
  '__gt',
  '__lte',
  '__isnull',
  '__regex',
  '__iregex',
  '__icontains',
  '__search',
  '__iexact',
  '__nope',
]
const prefixes = ['', '', '', 'or__', 'not__', 'chain__', 'or__not__', 'chain__not__', 'not__or__']
const hostileNames = [
  ...['__proto__', 'constructor', 'pk', 'id__id', 'a__b', '__', 'id__', '__in', 'created_by__password', 'password'],
  ...['organization__organization', 'organization__'.repeat(12), 'unified_job_template__jobs__name', 'x'.repeat(500)],
]
const parameters = [
  ...['page', 'page_size', 'order_by', 'order', 'search', 'type', 'format', 'limit', 'count_disabled', 'host_filter'],
  ...['start_line', 'end_line', 'after', 'hostvars', 'towervars', 'all', 'dark', 'content_encoding', 'no_truncate'],
]

/** A request ready to be sent. */
export interface HostileRequest {
  method: string
  path: string
  body: string | undefined
}

/** Ids that exist, by collection. */
export type Known = Map<string, number[]>

export function hostileRequest(operation: Operation, known: Known, random: Random): HostileRequest {
  const { method, body } = operation
  const path = operation.path.replaceAll('{id}', () => reference(operation, known, random))
  const id = (collection: string) => random.pick(known.get(collection) ?? [1])
  const query = method === 'GET' || random.chance(0.1) ? queryOf(operation, random) : ''
  const spoilt = spoiltDocument(operation.path, id, random.pick(hostileJson), random)
  if (spoilt && method !== 'GET' && method !== 'DELETE' && random.chance(0.7)) return { method, path, body: spoilt }
  const withBody = body
    ? bodyOf(body, known, random)
    : method === 'POST' && random.chance(0.5)
      ? anyBody(random)
      : undefined
  return { method, path: `${path}${query}`, body: method === 'GET' ? undefined : withBody }
}

function reference({ collection, method }: Operation, known: Known, random: Random): string {
  const ids = known.get(collection ?? '') ?? []
  // Something must be left for the requests that follow.
  const enough = method === 'DELETE' ? 3 : 1
  return ids.length >= enough && random.chance(0.75) ? String(random.pick(ids)) : random.pick(hostileReferences)
}

function queryOf({ listed = [] }: Operation, random: Random): string {
  const names = [...listed, 'id', 'name', 'created']
  const pairs = Array.from({ length: random.below(4) }, (): [string, string] => {
    const field = random.chance(0.8) ? random.pick(names) : random.pick(hostileNames)
    const filter = `${random.pick(prefixes)}${field}${random.pick(lookups)}`
    return [random.chance(0.6) ? filter : random.pick(parameters), random.pick(hostileTexts)]
  })
  return pairs.length === 0 ? '' : `?${new URLSearchParams(pairs)}`
}

function bodyOf(schema: Schema, known: Known, random: Random): string {
  if (random.chance(0.08)) return anyBody(random)
  const hostility = random.pick([0, 0.1, 0.3, 0.8])
  const fields = Object.entries(schema.properties ?? {})
    .filter(() => random.chance(0.8))
    .map(([name, field]) => {
      const value = random.chance(hostility)
        ? random.pick(hostileJson)
        : JSON.stringify(plausible(name, field, known, random))
      return `${JSON.stringify(name)}:${value}`
    })
  if (random.chance(0.2)) fields.push(`"id":${random.pick(hostileJson)}`)
  if (random.chance(0.2)) fields.push(`"no such field 💩":${random.pick(hostileJson)}`)
  return `{${fields.join(',')}}`
}

/** A whole body that is no object, no JSON, or an object of anything. */
function anyBody(random: Random): string {
  const value = random.pick(hostileJson)
  return random.pick([
    value,
    value.slice(0, -1),
    `{"disassociate":${value},"id":${random.pick(hostileJson)}}`,
    `{"name":${value}}`,
  ])
}

/** A value that the field may well accept, so that the request comes as far as its other fields let it. */
function plausible(name: string, field: Schema, known: Known, random: Random): unknown {
  if (field.enum) return random.pick(field.enum)
  const type = Array.isArray(field.type) ? field.type[0] : field.type
  const ids = known.get(collectionOf(name)) ?? [1]
  switch (type) {
    case 'integer':
      return collectionOf(name) ? random.pick(ids) : random.below(5)
    case 'boolean':
      return random.chance(0.5)
    case 'array':
      return known.has(name) ? [random.pick(ids)] : []
    case 'object':
      return {}
    case 'number':
      return random.next()
    default:
      return name.includes('var') ? '{"a": 1}' : `${name} ${random.below(1_000_000)}`
  }
}

/** `inventory` of a body names one of `/inventories/`. */
function collectionOf(name: string): string {
  const plural = name.endsWith('y') ? `${name.slice(0, -1)}ies` : name.endsWith('s') ? name : `${name}s`
  return [
    'inventories',
    'projects',
    'organizations',
    'credentials',
    'credential_types',
    'users',
    'execution_environments',
    'instance_groups',
    'hosts',
    'groups',
  ].includes(plural)
    ? plural
    : ''
}
