/** The database goes away while jobs run: refusals say so, nothing half is kept, and everything goes on by itself when it is back. */
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startServer, type TestServer } from '../../store/testing-server.ts'
import { launch, makeCatalog, makeTemplate } from '../setup/catalog.ts'
import { type Mayfly, startMayfly } from '../setup/mayfly.ts'
import { steadyPlay, Witness } from '../setup/witness.ts'

let server: TestServer
let mayfly: Mayfly
let witness: Witness
let template: number

beforeAll(async () => {
  server = await startServer()
  const client = new pg.Client(server.url('postgres'))
  await client.connect()
  await client.query('CREATE DATABASE mayfly').finally(() => client.end())
  mayfly = await startMayfly({ databaseUrl: server.url('mayfly') })
  witness = new Witness(mayfly)
  const catalog = await makeCatalog(mayfly, { files: { 'steady.yml': steadyPlay } })
  template = await makeTemplate(mayfly, catalog, 'steady.yml', { allow_simultaneous: true })
})
afterAll(async () => {
  await witness?.stop()
  await mayfly?.stop()
  await server?.stop()
})

test('503 with Retry-After while it is away; jobs that ran are whole, and new ones run', async () => {
  const first = await launch(mayfly, template)
  await mayfly.ended(`/jobs/${first}/`)
  const expectedOutput = await witness.output(first)
  const { job: running, launched } = await witness.launchedUntilRead(() => launch(mayfly, template))
  const justLaunched = await launch(mayfly, template)
  const processes = [mayfly.pid('api'), mayfly.pid('worker')]

  const stream = await fetch(`${mayfly.url}/api/v2/jobs/${running}/events/stream/`, {
    headers: { authorization: mayfly.auth },
  })
  const streamEnds = stream.text().then(
    (text) => (text.includes('event: end\n') ? 'whole' : 'cut off as if it were whole'),
    () => 'broke',
  )

  await server.halt()
  const calls: [string, string, unknown?][] = [
    ['GET', '/ping/'],
    ['GET', '/me/'],
    ['GET', '/jobs/'],
    ['GET', `/jobs/${running}/stdout/?format=txt_download`],
    ['POST', `/job_templates/${template}/launch/`, {}],
    ['POST', `/jobs/${running}/cancel/`, {}],
    ['POST', '/organizations/', { name: 'lost' }],
  ]
  for (const [method, path, body] of calls) {
    const answer = await mayfly.api(method, path, body)
    expect([path, answer.status, answer.headers.get('retry-after'), answer.body]).toEqual([
      ...[path, 503, '5'],
      { detail: 'The database does not answer; try again later.' },
    ])
  }
  const keyed = { 'idempotency-key': 'while away' }
  expect((await mayfly.api('POST', `/job_templates/${template}/launch/`, {}, keyed)).status).toBe(503)
  // What needs no database is served.
  expect((await mayfly.api('GET', '/openapi.json')).status).toBe(200)
  await sleep(5_000)
  await server.start()

  // Whether it had to ask while the database was away is chance; a client whose connection broke comes again with Last-Event-ID.
  expect(['broke', 'whole']).toContain(await streamEnds)
  await expect.poll(async () => (await mayfly.api('GET', '/ping/')).status).toBe(200)
  const again = await mayfly.api<{ job: number }>('POST', `/job_templates/${template}/launch/`, {}, keyed)
  expect([again.status, again.headers.get('idempotency-replayed')]).toEqual([201, null])
  for (const job of [running, justLaunched, again.body.job]) await witness.expectUntouched(job, expectedOutput)
  await witness.expectNothingLeft()
  expect(await witness.query('SELECT count(*)::int AS jobs FROM unified_jobs')).toEqual([{ jobs: launched.length + 3 }])
  expect(await witness.query(`SELECT id FROM organizations WHERE name = 'lost'`)).toEqual([])
  expect([mayfly.pid('api'), mayfly.pid('worker')]).toEqual(processes)
  for (const part of ['api', 'worker'] as const) {
    expect(
      mayfly
        .logs(part)
        .split('\n')
        .filter((line) => /"level":(50|60)|^\s+at |^[A-Z]\w*Error/.test(line)),
    ).toEqual([])
  }
})
