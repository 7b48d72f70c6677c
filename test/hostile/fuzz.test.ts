/** Hundreds of requests that make no sense: each is answered, with a refusal or a success, and tells nothing that is not its caller's business. */
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Catalog, makeCatalog, makeTemplate } from '../setup/catalog.ts'
import { type Mayfly, startMayfly } from '../setup/mayfly.ts'
import { Random } from './random.ts'
import { type HostileRequest, hostileRequest, type Known, type OpenApiDocument, operationsOf } from './requests.ts'

/** Another seed: MAYFLY_FUZZ_SEED; more requests an operation: MAYFLY_FUZZ_ROUNDS. */
const seed = Number(process.env.MAYFLY_FUZZ_SEED ?? 20_261_121)
const rounds = Number(process.env.MAYFLY_FUZZ_ROUNDS ?? 3)

const secret = 'fuzz-secret-6f1c'
/** What an answer must never hold: values of credentials, our files, the driver's and the database's words. */
const leaks = [
  secret,
  /\n\s+at \S+/,
  /node_modules/,
  /\.ts:\d+/,
  /\bdrizzle\b/i,
  /(select|insert into|update) "/i,
  /postgres:\/\//,
]

let mayfly: Mayfly
let known: Known
beforeAll(async () => {
  mayfly = await startMayfly({ worker: false })
  const catalog = await makeCatalog(mayfly, {
    files: { 'play.yml': '- hosts: all\n  tasks: []\n' },
    hosts: ['one', 'two'],
  })
  await populate(catalog)
  known = await idsByCollection()
})
afterAll(() => mayfly?.stop())

/** One object of every kind, and a job that has ended, with output. */
async function populate({ organization, inventory }: Catalog): Promise<void> {
  const { post } = mayfly
  await post('/users/', { username: 'victim', password: secret })
  await post('/groups/', { name: 'web', inventory })
  await post('/organizations/', { name: 'other' })
  await post('/tokens/', { scope: 'read' })
  await post('/execution_environments/', { name: 'own', image: 'registry.invalid/ee:1' })
  const machine = await mayfly.get<{ results: { id: number }[] }>('/credential_types/?namespace=ssh')
  const inputs = { username: 'u', password: secret }
  const credential = await post('/credentials/', {
    ...{ name: 'machine', organization, inputs },
    credential_type: machine.results[0]?.id,
  })
  const prompts = ['variables', 'limit', 'inventory', 'credential', 'tags', 'verbosity', 'forks', 'instance_groups']
  const asks = Object.fromEntries(prompts.map((prompt) => [`ask_${prompt}_on_launch`, true]))
  const template = await makeTemplate(mayfly, await catalogOf(inventory), 'play.yml', asks)
  await post(`/job_templates/${template}/credentials/`, { id: credential.id })
  const { job } = await post<{ job: number }>(`/job_templates/${template}/launch/`)
  await post(`/job_templates/${template}/launch/`)
  await endWithOutput(job)
}

async function catalogOf(inventory: number): Promise<Omit<Catalog, 'projectFolder'>> {
  const first = async (path: string) => (await mayfly.get<{ results: { id: number }[] }>(path)).results[0]?.id ?? 0
  const [organization, project, group] = await Promise.all([
    first('/organizations/?name__startswith=catalog'),
    first('/projects/'),
    first('/instance_groups/?name__startswith=catalog'),
  ])
  return { organization, inventory, project, group }
}

/** No worker runs here, so the job's end is written as a worker would. */
async function endWithOutput(job: number): Promise<void> {
  const client = new pg.Client(mayfly.databaseUrl)
  await client.connect()
  try {
    await client.query(
      `UPDATE unified_jobs SET status = 'successful', started = now(), finished = now(), events_emitted = 3, events_stored = 3 WHERE id = $1`,
      [job],
    )
    await client.query(
      `INSERT INTO job_events (job_id, counter, event, uuid, stdout, start_line, end_line)
       SELECT $1::int, n, 'runner_on_ok', 'uuid-' || n, 'line ' || n, n - 1, n FROM generate_series(1, 3) n`,
      [job],
    )
  } finally {
    await client.end()
  }
}

/** Ids of what there is; without the caller, who must stay able to ask. */
async function idsByCollection(): Promise<Known> {
  const map = await mayfly.get<Record<string, string>>('/')
  const known: Known = new Map()
  for (const [name, path] of Object.entries(map)) {
    const { body } = await mayfly.api<{ results?: { id: number; username?: string }[] }>('GET', `${path}?page_size=200`)
    // Metrics are text.
    const ids = (body?.results ?? []).filter(({ username }) => username !== 'admin').map(({ id }) => id)
    if (ids.length > 0) known.set(path.split('/').at(-2) ?? name, ids)
  }
  return known
}

const url = (path: string) => (path.startsWith('/api/') ? path : `/api/v2${path}`)

interface Answered {
  status: number
  type: string
  text: string
}

async function send({ method, path, body }: HostileRequest): Promise<Answered> {
  const response = await fetch(mayfly.url + url(path), {
    method,
    headers: { authorization: mayfly.auth, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { body }),
    redirect: 'manual',
    signal: AbortSignal.timeout(120_000),
  })
  const type = response.headers.get('content-type') ?? ''
  // A stream of events of a job that waits has no end.
  const streamed = type.startsWith('text/event-stream')
  if (streamed) await response.body?.cancel()
  const text = streamed ? '' : await response.text()
  return { status: response.status, type, text }
}

/** Why an answer is none that may be given; undefined for a good one. */
function complaint({ status, type, text }: Answered): string | undefined {
  if (status >= 500) return `status ${status}`
  const leak = leaks.find((one) => (typeof one === 'string' ? text.includes(one) : one.test(text)))
  if (leak) return `tells ${leak}`
  if (type.startsWith('application/json') && text !== '') {
    try {
      JSON.parse(text)
    } catch {
      return 'is no JSON'
    }
  }
  return undefined
}

/** What the API logged of its own errors: where to look. */
function failures(): string[] {
  const lines = mayfly.logs('api').split('\n')
  return [
    ...new Set(
      lines.filter((line) => /"level":(50|60),/.test(line)).map((line) => JSON.parse(line).error?.stack ?? line),
    ),
  ]
}

test('no request is answered with an error of ours, and no answer or log tells a secret', async () => {
  const random = new Random(seed)
  const operations = operationsOf((await mayfly.api<OpenApiDocument>('GET', '/openapi.json')).body)
  expect(operations.length).toBeGreaterThan(150)
  const complaints: string[] = []
  const statuses = new Map<number, number>()
  for (let round = 0; round < rounds; round++) {
    // Deleting comes last in each round, so that the others find something.
    const order = [
      ...operations.filter(({ method }) => method !== 'DELETE'),
      ...operations.filter(({ method }) => method === 'DELETE'),
    ]
    for (const operation of order) {
      const request = hostileRequest(operation, known, random)
      const answer = await send(request)
      statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1)
      const wrong = complaint(answer)
      if (wrong)
        complaints.push(
          `${wrong}: ${request.method} ${request.path.slice(0, 300)} ${request.body?.slice(0, 500) ?? ''}`,
        )
    }
    known = await idsByCollection()
  }
  console.log(`fuzz, seed ${seed}: ${JSON.stringify(Object.fromEntries([...statuses].sort(([a], [b]) => a - b)))}`)
  expect({ complaints, failures: failures() }).toEqual({ complaints: [], failures: [] })
  // Much must get through, or only the outermost check was tried.
  expect((statuses.get(200) ?? 0) + (statuses.get(201) ?? 0) + (statuses.get(204) ?? 0)).toBeGreaterThan(rounds * 40)
  expect(mayfly.logs('api')).not.toContain(secret)
  expect(mayfly.logs('api')).not.toContain(mayfly.password)
})
