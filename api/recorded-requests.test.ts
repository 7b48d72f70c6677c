import { readFileSync } from 'node:fs'
import { rootCertificates } from 'node:tls'
import { eq } from 'drizzle-orm'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { hashPassword } from '../store/passwords.ts'
import { credentials, credentialTypes, executionEnvironments, organizations } from '../store/schema/catalog.ts'
import { users } from '../store/schema/identity.ts'
import { adminPassword, openTestApp, type TestAnswer, type TestApp } from './testing.ts'

/** One request that AWX 24.6.1 answered, and what it answered (shape by `keys` where the whole body was too long). */
interface Recorded {
  method: string
  path: string
  send?: unknown
  text?: string
  type?: string
  accept?: string
  as?: string
  status: number
  Allow?: string
  Location?: string
  'WWW-Authenticate'?: string
  answer?: unknown
  keys?: string[]
  html?: boolean
}

const recorded: Recorded[] = JSON.parse(
  readFileSync(new URL('./fixtures/recorded/requests.json', import.meta.url), 'utf8'),
)

/** Words of Python's and PostgreSQL's own that we do not imitate beyond their beginning. */
const freeEnds = ['JSON parse error - Expecting', 'duplicate key value violates unique constraint']

let app: TestApp
let ids: Record<string, number>
let readToken: string

beforeAll(async () => {
  app = await openTestApp()
  const { db } = app.store
  await db.insert(organizations).values([{ name: 'rec-org1' }, { name: 'rec-org2' }])
  await db.insert(users).values([2, 3, 4].map((id) => ({ username: `filler-${id}` })))
  const passwordHash = await hashPassword('x')
  await db.insert(users).values([
    { username: 'rec-user', passwordHash, email: 'u@example.com' },
    { username: 'rec-auditor', passwordHash, isSystemAuditor: true },
  ])
  await db.insert(executionEnvironments).values({ name: 'rec-ee', image: 'a/b:1', organizationId: 2 })
  const [custom] = await db
    .insert(credentialTypes)
    .values({
      name: 'rec-custom',
      kind: 'cloud',
      inputs: { fields: [{ id: 'apikey', label: 'API Key', secret: true }] },
      injectors: { env: { REC_KEY: '{{ apikey }}' } },
    })
    .returning()
  const [kubernetes] = await db.select().from(credentialTypes).where(eq(credentialTypes.kind, 'kubernetes'))
  ids = { kubernetes: kubernetes?.id ?? 0, custom: custom?.id ?? 0 }
  const credential = (name: string, credentialTypeId: number) => ({ name, credentialTypeId, organizationId: 2 })
  await db.insert(credentials).values([2, 3].map((id) => credential(`filler-${id}`, ids.custom ?? 0)))
  const made = await app.call('POST', '/api/v2/credentials/', {
    name: 'rec-k8s',
    credential_type: ids.kubernetes,
    organization: 2,
    inputs: {
      host: 'https://127.0.0.1:6443',
      bearer_token: 'tok-1',
      verify_ssl: true,
      ssl_ca_cert: rootCertificates[0],
    },
  })
  expect(made.body.id).toBe(4)
  await db
    .insert(credentials)
    .values([credential('filler-5', 1), credential('filler-6', 1), credential('rec-machine', 1)])
  readToken = (await app.call('POST', '/api/v2/tokens/', { scope: 'read' })).body.token
})
afterAll(() => app.close())

/** The recording's ids of credential types are not ours. */
function ours<T>(value: T): T {
  const text = JSON.stringify(value)
    .replace(/"credential_type":17\b/g, `"credential_type":${ids.kubernetes}`)
    .replace(/"credential_type":22\b/g, `"credential_type":${ids.custom}`)
    .replace(/credential_types\/17\//g, `credential_types/${ids.kubernetes}/`)
    .replace(/credential_types\/22\//g, `credential_types/${ids.custom}/`)
  return JSON.parse(text)
}

const callers: Record<string, () => { as: string | null; headers?: Record<string, string> }> = {
  superuser: () => ({ as: `admin:${adminPassword}` }),
  anonymous: () => ({ as: null }),
  'anonymous without CSRF token': () => ({ as: null }),
  'wrong password': () => ({ as: 'admin:wrong' }),
  'unknown user': () => ({ as: 'nobody:x' }),
  'bad bearer token': () => ({ as: null, headers: { authorization: 'Bearer nonsense' } }),
  'malformed Basic header': () => ({ as: null, headers: { authorization: 'Basic !!!' } }),
  'read-scope token': () => ({ as: null, headers: { authorization: `Bearer ${readToken}` } }),
  'ordinary user': () => ({ as: 'rec-user:x' }),
  'organization admin': () => ({ as: 'rec-user:x' }),
  'system auditor': () => ({ as: 'rec-auditor:x' }),
}

async function replay(row: Recorded): Promise<TestAnswer> {
  const { method, path, send, text, type, accept, as = 'superuser' } = ours(row)
  const caller = callers[as]?.() ?? expect.fail(`no caller ${as}`)
  const headers = { ...caller.headers, ...(accept ? { accept } : {}) }
  return await app.call(method, path, send, {
    as: caller.as,
    headers,
    raw: text === undefined ? undefined : { text, type },
  })
}

/** The recorded text, or its beginning where the end is somebody else's wording. */
function expected(answer: unknown): unknown {
  const { detail } = answer as { detail?: unknown }
  const start = freeEnds.find((free) => typeof detail === 'string' && detail.startsWith(free))
  return start
    ? { detail: expect.stringMatching(start.startsWith('JSON') ? /^JSON parse error - / : new RegExp(`^${start}`)) }
    : answer
}

describe('answers as AWX 24.6.1 did', () => {
  test.each(
    recorded.map((row, index) => ({
      index,
      title: `${row.method} ${row.path} ${JSON.stringify(row.send ?? row.text ?? '')}`.slice(0, 120),
      row,
    })),
  )('$index $title', async ({ row }) => {
    const answer = await replay(row)
    expect({ status: answer.status, body: answer.status < 400 ? undefined : answer.body }).toMatchObject({
      status: row.status,
    })
    if (row.answer !== undefined) expect(answer.body).toEqual(expected(ours(row.answer)))
    if (row.keys)
      expect(Object.keys(answer.body)).toEqual(
        expect.arrayContaining(row.keys.filter((key) => key in answer.body || !isMap(row))),
      )
    if (row.html) expect(answer.headers.get('content-type')).toContain('text/html')
    for (const header of ['Allow', 'Location', 'WWW-Authenticate'] as const) {
      if (row[header] && !isConfig(row)) expect(answer.headers.get(header)).toBe(row[header])
    }
  })
})

/** The map at /api/v2/ holds only what there is; a redirect may be absolute only in AWX's proxy. */
const isMap = ({ path }: Recorded) => path === '/api/v2/'
/** AWX's config also takes licences. */
const isConfig = ({ path }: Recorded) => path === '/api/v2/config/'
