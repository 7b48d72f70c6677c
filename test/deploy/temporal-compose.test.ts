import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client, Connection } from '@temporalio/client'
import { defineSearchAttributeKey, type Priority, SearchAttributeType } from '@temporalio/common'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { locked } from '../../dev/lock.ts'
import { run } from '../../dev/run.ts'
import { startStack, stopStack } from '../../dev/stack.ts'
import { temporalProgram } from '../../dev/temporal.ts'
import { temporalServerFolder, temporalServerVersion } from '../../dev/temporal-server.ts'
import { until } from '../../dev/wait.ts'
import { searchAttributes } from '../../workflows/names.ts'
import { checkout, composePath, readCompose, service, step } from './compose-file.ts'
import { ComposedTemporal } from './composed-temporal.ts'
import type { TemporalServer } from './temporal-server.ts'

const compose = readCompose()

describe('the file', () => {
  test('every image is pinned to an exact version', () => {
    for (const [name, { image }] of Object.entries(compose.services)) expect(image, name).toMatch(/:\d+\.\d+[\w.-]*$/)
    expect(service(compose, 'temporal').image).toBe(`temporalio/server:${temporalServerVersion}`)
    expect(service(compose, 'schema').image).toContain(`:${temporalServerVersion}-`)
    expect(service(compose, 'namespace').image).toBe(service(compose, 'schema').image)
  })

  test('whoever waits for a service can see it come', () => {
    for (const [name, { depends_on = {} }] of Object.entries(compose.services)) {
      for (const [other, { condition }] of Object.entries(depends_on)) {
        const target = service(compose, other)
        if (condition === 'service_healthy')
          expect(target.healthcheck?.retries, `${name} → ${other}`).toBeGreaterThan(0)
        else {
          expect(condition, `${name} → ${other}`).toBe('service_completed_successfully')
          expect(target.restart, `${name} → ${other}`).toMatch(/^on-failure/)
        }
      }
    }
  })

  test('long-running services have a health check and come back', () => {
    for (const name of ['postgres', 'temporal', 'ui']) {
      expect(service(compose, name).healthcheck?.test[0], name).toBe('CMD')
      expect(service(compose, name).restart, name).toBe('unless-stopped')
    }
  })

  test('only the loopback address is published, and not the database', () => {
    const published = Object.values(compose.services).flatMap((one) => one.ports ?? [])
    expect(published).toEqual(['127.0.0.1:7233:7233', '127.0.0.1:8080:8080'])
  })

  test('data lies in a named volume, and every mounted file is there', () => {
    const sources = Object.values(compose.services).flatMap(
      (one) => one.volumes?.map((volume) => volume.split(':')[0] ?? '') ?? [],
    )
    for (const source of sources) {
      if (source.startsWith('./')) expect(existsSync(join(checkout, source)), source).toBe(true)
      else expect(compose.volumes, source).toHaveProperty(source)
    }
    expect(service(compose, 'postgres').volumes).toEqual(['postgres:/var/lib/postgresql/data'])
  })

  test('docker compose accepts it, where that client is', async ({ annotate }) => {
    const client = await run('docker', ['compose', 'version', '--short']).catch(() => undefined)
    await annotate(
      client ? `checked by docker compose ${client.trim()}` : 'no docker compose here: structure checked only',
    )
    if (client) {
      const resolved = await run('docker', ['compose', '-f', composePath, 'config', '--format', 'json'])
      const names = Object.keys((JSON.parse(resolved) as { services: object }).services)
      expect(names.sort()).toEqual(Object.keys(compose.services).sort())
    } else {
      expect(Object.keys(compose.services).sort()).toEqual(['namespace', 'postgres', 'schema', 'temporal', 'ui'])
    }
  })
})

describe('every step, run for real', () => {
  const stack = 'temporal-compose'
  const namespace = 'default'
  const folder = mkdtempSync(join(tmpdir(), 'mayfly-compose-'))
  let unlock = (): void => {}
  let database: pg.Client
  let server: TemporalServer
  let composed: ComposedTemporal
  let connection: Connection

  // Building both programs takes minutes the first time.
  beforeAll(async () => {
    // Built before the lock is taken: others may wait for it.
    await temporalServerFolder(console.log)
    await temporalProgram(console.log)
    // One run at a time on a machine: the names of the databases are fixed.
    await new Promise<void>((ready, failed) => {
      const done = new Promise<void>((resolve) => {
        unlock = resolve
      })
      locked(
        `test of ${stack}`,
        () => {},
        () => {
          ready()
          return done
        },
      ).catch(failed)
    })
    await stopStack(stack, { erase: true })
    const want = { kubernetes: false, temporal: false, image: false, postgres: true }
    const { postgresUrl = '' } = await startStack({ name: stack, want, progress: () => {} })
    database = new pg.Client(postgresUrl)
    await database.connect()

    composed = await ComposedTemporal.prepare(compose, postgresUrl, folder, console.log)
    server = composed.server
    for (const name of ['schema', 'again'] as const) await composed.runStep('schema', name)
    await server.start()
    await composed.runStep('namespace')
    connection = await Connection.connect({ address: server.address })
  }, 1_200_000)

  afterAll(async () => {
    await connection?.close()
    await server?.stop('SIGKILL')
    await database?.end()
    await stopStack(stack, { erase: true })
    rmSync(folder, { recursive: true, force: true })
    unlock()
  })

  test('both schemas are there, and updating them once more changed nothing', async () => {
    const history = await database.query('SELECT datname FROM pg_database WHERE datname LIKE $1 ORDER BY 1', [
      'temporal%',
    ])
    expect(history.rows.map((row) => row.datname)).toEqual(['temporal', 'temporal_visibility'])
    expect(readFileSync(join(folder, 'again.log'), 'utf8')).toContain('found zero updates')
  })

  test('the server knows every key of the dynamic configuration, but for the one it says it does not', async () => {
    const file = step(compose, 'temporal', {}).env.DYNAMIC_CONFIG_FILE ?? ''
    const bin = await temporalServerFolder(() => {})
    const said = await run(join(bin, 'temporal-server'), ['validate-dynamic-config', file])
    expect(said).not.toContain('error:')
    expect(said.match(/warning: .*/g)).toEqual([
      'warning: unregistered key "frontend.enableCancelWorkerPollsOnShutdown"',
    ])
  })

  test('the namespace keeps closed jobs for 30 days, also after a second run of its step', async () => {
    await composed.runStep('namespace')
    const { config } = await connection.workflowService.describeNamespace({ namespace })
    expect(Number(config?.workflowExecutionRetentionTtl?.seconds)).toBe(720 * 3600)
  })

  test('the search attributes are those that the workflows set', async () => {
    const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace })
    // IndexedValueType: 2 is Keyword, 3 is Int.
    const types = { Keyword: 2, Int: 3 }
    const wanted = Object.entries(searchAttributes).map(([name, type]) => [name, types[type]])
    expect(Object.fromEntries(Object.entries(customAttributes ?? {}))).toMatchObject(Object.fromEntries(wanted))
  })

  test('a started workflow is found by its search attributes, and is still there after kill -9', async () => {
    const client = new Client({ connection, namespace })
    const typedSearchAttributes = [
      { key: defineSearchAttributeKey('MayflyJobId', SearchAttributeType.INT), value: 7 },
      { key: defineSearchAttributeKey('MayflyStatus', SearchAttributeType.KEYWORD), value: 'pending' },
    ]
    await client.workflow.start('job', { workflowId: 'job-7', taskQueue: 'found', typedSearchAttributes })
    const found = async (): Promise<string[]> => {
      const ids: string[] = []
      const query = "MayflyJobId = 7 AND MayflyStatus = 'pending'"
      for await (const one of client.workflow.list({ query })) ids.push(one.workflowId)
      return ids
    }
    await until({ what: 'job-7 in the list', seconds: 180 }, async () => (await found()).length > 0)
    await server.stop('SIGKILL')
    await server.start()
    expect(await found()).toEqual(['job-7'])
    expect((await client.workflow.getHandle('job-7').describe()).status.name).toBe('RUNNING')
  })

  test('ids have 255 characters at most', async () => {
    const { workflow } = new Client({ connection, namespace })
    await workflow.start('job', { workflowId: 'x'.repeat(255), taskQueue: 'long' })
    const tooLong = workflow.start('job', { workflowId: 'x'.repeat(256), taskQueue: 'long' })
    await expect(tooLong).rejects.toThrow()
    expect(await tooLong.catch((error: { cause?: { details?: string } }) => error.cause?.details)).toMatch(
      /length|exceeds/i,
    )
  })

  /** Starts workflows while nobody polls, then takes their first tasks one by one: the order in which the server hands them out. */
  async function order(taskQueue: string, jobs: { workflowId: string; priority: Priority }[]): Promise<string[]> {
    const client = new Client({ connection, namespace })
    for (const job of jobs) await client.workflow.start('job', { ...job, taskQueue })
    // What was started comes to its line a little later. The number is approximate by its name, so nothing depends on it.
    await until({ what: `${jobs.length} tasks to stand in line`, seconds: 30 }, async () => {
      const line = { namespace, taskQueue: { name: taskQueue }, taskQueueType: 1, reportStats: true }
      const { stats } = await connection.workflowService.describeTaskQueue(line)
      return Number(stats?.approximateBacklogCount) >= jobs.length
    }).catch(() => {})
    const ids: string[] = []
    while (ids.length < jobs.length) {
      const request = { namespace, taskQueue: { name: taskQueue }, identity: 'test' }
      const task = await connection.withDeadline(Date.now() + 70_000, () =>
        connection.workflowService.pollWorkflowTaskQueue(request),
      )
      const id = task.workflowExecution?.workflowId
      if (id && !ids.includes(id)) ids.push(id)
    }
    return ids
  }

  const jobs = (prefix: string, count: number, priority: Priority): { workflowId: string; priority: Priority }[] =>
    Array.from({ length: count }, (_, index) => ({ workflowId: `${prefix}-${index}`, priority }))

  test('a gated queue has one partition', async () => {
    const taskQueue = { name: 'group-3' }
    const { activityTaskQueuePartitions } = await connection.workflowService.listTaskQueuePartitions({
      namespace,
      taskQueue,
    })
    expect(activityTaskQueuePartitions).toHaveLength(1)
  })

  test('what is urgent overtakes what waits', async () => {
    const late = jobs('urgent', 3, { priorityKey: 1 })
    const ids = await order('group-1', [...jobs('normal', 12, { priorityKey: 3 }), ...late])
    // Not the first three places exactly: the first polls may be answered before the server has read what was just written.
    const places = late.map((job) => ids.indexOf(job.workflowId))
    expect(Math.max(...places)).toBeLessThan(6)
  })

  test('who asks for little is not kept behind who asks for much', async () => {
    const few = jobs('few', 3, { fairnessKey: 'organization-2' })
    const ids = await order('group-2', [...jobs('many', 30, { fairnessKey: 'organization-1' }), ...few])
    // In turn they would be done by the sixth place; without fairness, only behind all thirty.
    const places = few.map((job) => ids.indexOf(job.workflowId))
    expect(Math.max(...places)).toBeLessThan(15)
  })
})
