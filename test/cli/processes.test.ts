import { connect, createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { sql } from 'drizzle-orm'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { until } from '../../dev/wait.ts'
import { openDatabase } from '../../store/database.ts'
import { runMayfly } from '../setup/command.ts'
import { type Mayfly, startMayfly } from '../setup/mayfly.ts'
import { Part } from '../setup/part.ts'
import { freePort } from '../setup/port.ts'

let mayfly: Mayfly

beforeAll(async () => {
  mayfly = await startMayfly({ api: false, worker: false, unmigrated: true })
})
afterAll(() => mayfly.stop())

test('api and worker refuse a database without schema; migrate makes it, once', async () => {
  for (const command of ['api', 'worker']) {
    const refused = await runMayfly([command], mayfly.env)
    expect(refused).toMatchObject({ code: 1, output: expect.stringContaining('run `mayfly migrate`') })
  }
  const { MAYFLY_ADMIN_PASSWORD: _, ...env } = mayfly.env
  const first = await runMayfly(['migrate'], env)
  expect(first).toMatchObject({
    code: 0,
    output: expect.stringMatching(/Password of admin, shown this once: \S{20,}\n/),
  })
  const second = await runMayfly(['migrate'], env)
  expect(second.code).toBe(0)
  expect(second.output).not.toContain('Password')
})

test('a database of an older, incompatible version is refused in one line with the remedy', async () => {
  const env = { ...mayfly.env, MAYFLY_DATABASE_URL: `pglite://${join(mayfly.folder, 'older')}` }
  const store = await openDatabase(env.MAYFLY_DATABASE_URL)
  await store.db.execute(sql`CREATE SCHEMA drizzle`)
  await store.db.execute(sql`CREATE TABLE drizzle.__drizzle_migrations (id serial, hash text, created_at bigint)`)
  await store.db.execute(sql`INSERT INTO drizzle.__drizzle_migrations (hash, created_at) VALUES ('older', 1)`)
  await store.close()
  const refused = await runMayfly(['migrate'], env)
  expect(refused).toMatchObject({
    code: 1,
    output: expect.stringMatching(
      /^mayfly: the database was made by another version.*\n {2}→ run `mayfly dev --erase`.*\n$/,
    ),
  })
})

test('settings that are out of range are refused by name', async () => {
  const refused = await runMayfly(['api'], { ...mayfly.env, MAYFLY_PORT: 'http' })
  expect(refused).toMatchObject({ code: 1, output: expect.stringMatching(/^mayfly: MAYFLY_PORT must be a port/) })
})

test('a port that is taken is told with the remedy', async () => {
  const other = createServer()
  await new Promise<void>((resolve) => other.listen(Number(mayfly.env.MAYFLY_PORT), '127.0.0.1', resolve))
  try {
    const refused = await runMayfly(['api', '--migrate'], mayfly.env)
    expect(refused).toMatchObject({ code: 1, output: expect.stringMatching(/is in use\n {2}→ .*MAYFLY_PORT/) })
  } finally {
    other.close()
  }
})

test('a worker waits for Temporal and says so', async () => {
  const [host = '', port = ''] = mayfly.stack.temporalAddress.split(':')
  const proxy: Server = createServer((socket) => {
    const server = connect(Number(port), host)
    socket.pipe(server).pipe(socket)
    for (const end of [socket, server]) end.on('error', () => {})
  })
  const chosen = await freePort()
  const env = { ...mayfly.env, TEMPORAL_ADDRESS: `127.0.0.1:${chosen}` }
  const worker = new Part('worker', ['worker', '--migrate'], env, join(mayfly.folder, 'waiting.log'))
  worker.start()
  try {
    await until({ what: 'the worker to say that it waits', seconds: 180 }, () =>
      worker.logs().includes('waiting for Temporal'),
    )
    await new Promise<void>((resolve) => proxy.listen(chosen, '127.0.0.1', resolve))
    await worker.ready(async () => true)
  } finally {
    await worker.end('SIGTERM')
    proxy.close()
  }
  expect(worker.logs()).toContain('"msg":"ending"')
})

test('a second signal ends a process at once that waits for a request to end', async () => {
  await mayfly.start('api')
  const slow = connect(Number(mayfly.env.MAYFLY_PORT), '127.0.0.1')
  slow.on('error', () => {})
  let answer = ''
  slow.on('data', (data) => (answer += data))
  slow.write(
    `POST /api/v2/organizations/ HTTP/1.1\r\nhost: x\r\nauthorization: ${mayfly.auth}\r\ncontent-length: 99\r\nexpect: 100-continue\r\n\r\n{`,
  )
  await until({ what: 'the request to be taken', seconds: 180 }, () => answer.startsWith('HTTP/1.1 100'))
  const pid = mayfly.pid('api')
  if (pid === undefined) throw new Error('the API does not run')
  const ending = mayfly.terminate('api')
  await until({ what: 'the API to end', seconds: 180 }, () => mayfly.logs('api').includes('"msg":"ending"'))
  process.kill(pid, 'SIGTERM')
  await ending
  // After an orderly end it is 0.
  expect(mayfly.exitCode('api')).toBe(143)
  slow.destroy()
})
