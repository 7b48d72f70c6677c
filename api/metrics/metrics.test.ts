import { sql } from 'drizzle-orm'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { reaperReport } from '../../model/reaper-report.ts'
import { askForPass, endPass } from '../../store/reaper-passes.ts'
import { openTestApp, type TestApp } from '../testing.ts'
import { prometheusText } from './prometheus.ts'

let app: TestApp
let group: number
beforeAll(async () => {
  app = await openTestApp()
  const made = await app.call('POST', '/api/v2/instance_groups/', {
    name: 'far "away"',
    is_container_group: true,
    max_concurrent_jobs: 7,
  })
  group = made.body.id
  for (const username of ['alice', 'auditor']) {
    const is_system_auditor = username === 'auditor'
    await app.call('POST', '/api/v2/users/', { username, password: 'long enough for all', is_system_auditor })
  }
})
afterAll(() => app.close())

const alice = { as: 'alice:long enough for all' }
const auditor = { as: 'auditor:long enough for all' }
const finding = {
  ...({ kind: 'pod', cluster: 'k8s', namespace: 'jobs', job: null, reason: 'no_owner', message: '' } as const),
  ...({ outcome: 'failed', overdue: 90 } as const),
}

async function pass(dryRun: boolean, pods: string[]): Promise<void> {
  const row = await askForPass(app.store.db, { dryRun, createdById: null })
  const findings = pods.map((pod) => ({ ...finding, pod, instance_group: group }))
  await endPass(app.store.db, row, reaperReport([{ name: 'far', host: 'k8s', pods: 5, error: '' }], findings))
}

test('Prometheus gets AWX’s names and ours', async () => {
  const { status, headers, body } = await app.call('GET', '/api/v2/metrics/')
  expect(status).toBe(200)
  expect(headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8')
  expect(body).toContain(
    '# HELP awx_organizations_total Number of organizations\n# TYPE awx_organizations_total gauge\n',
  )
  expect(body).toMatch(/^awx_users_total 3\.0$/m)
  expect(body).toMatch(/^awx_status_total\{status="successful"\} 0\.0$/m)
  expect(body).toMatch(/^mayfly_jobs\{status="pending"\} 0\.0$/m)
  expect(body).toMatch(/^mayfly_outbox_messages 0\.0$/m)
  expect(body).toMatch(/^mayfly_outbox_resting 0\.0$/m)
  expect(body).toContain('mayfly_group_max_concurrent_jobs{group="far \\"away\\""} 7.0\n')
  // Nothing is known before the reaper has looked.
  expect(body).not.toContain('mayfly_cleanup_debt_pods')
})

test('as JSON, and only for whom it is', async () => {
  const { body } = await app.call('GET', '/api/v2/metrics/?format=json')
  expect(body.awx_teams_total).toEqual({
    help_text: 'Number of teams',
    type: 'gauge',
    samples: [{ labels: {}, value: 0 }],
  })
  expect((await app.call('GET', '/api/v2/metrics/', undefined, alice)).status).toBe(403)
  expect((await app.call('GET', '/api/v2/metrics/', undefined, auditor)).status).toBe(200)
  expect((await app.call('GET', '/api/v2/metrics/', undefined, { as: null })).status).toBe(401)
  expect((await app.call('GET', '/api/v2/')).body.metrics).toBe('/api/v2/metrics/')
})

test('the debt is what the last pass left', async () => {
  const unknown = await app.call('GET', '/api/v2/cleanup_debt/')
  expect(unknown.body).toMatchObject({ measured: null, pods: 0, groups: [] })
  await pass(true, ['one', 'two'])
  const { body } = await app.call('GET', '/api/v2/cleanup_debt/')
  expect(body).toMatchObject({
    ...{ measured: expect.stringMatching(/Z$/), pods: 2, seconds: 180, unreachable: [] },
    groups: [{ instance_group: group, name: 'far "away"', pods: 2, seconds: 180, longest: 90 }],
  })
  const metrics = await app.call('GET', '/api/v2/metrics/')
  expect(metrics.body).toContain('mayfly_cleanup_debt_pods{group="far \\"away\\""} 2.0\n')
  expect(metrics.body).toContain('mayfly_cleanup_debt_seconds{group="far \\"away\\""} 180.0\n')
  await pass(false, [])
  expect((await app.call('GET', '/api/v2/cleanup_debt/', undefined, auditor)).body).toMatchObject({
    pods: 0,
    groups: [],
  })
  expect((await app.call('GET', '/api/v2/metrics/')).body).toContain(
    'mayfly_cleanup_debt_pods{group="far \\"away\\""} 0.0\n',
  )
})

test('passes are for superusers, and the last twenty of a kind are kept', async () => {
  expect((await app.call('POST', '/api/v2/reaper/', { dry_run: true }, auditor)).status).toBe(403)
  expect((await app.call('GET', '/api/v2/reaper/', undefined, alice)).status).toBe(403)
  expect((await app.call('POST', '/api/v2/reaper/', { dry_run: 'perhaps' })).body).toEqual({
    dry_run: ['Must be a valid boolean.'],
  })
  for (let index = 0; index < 25; index++) await pass(true, [])
  const { body } = await app.call('GET', '/api/v2/reaper/', undefined, auditor)
  expect(body.count).toBe(20)
  expect(body.results[0]).toMatchObject({ type: 'reaper_pass', dry_run: true, trigger: 'manual', report: { debt: [] } })
  expect((await app.call('GET', body.results[0].url)).body).toEqual(body.results[0])
  expect((await app.call('GET', '/api/v2/reaper/999999/')).status).toBe(404)
  expect((await app.call('GET', '/api/v2/reaper/x/')).status).toBe(404)
  const { rows } = await app.store.db.execute(sql`SELECT kind FROM outbox WHERE kind = 'reap'`)
  expect(rows.length).toBeGreaterThan(20)
})

test('numbers and texts as Prometheus reads them', () => {
  const samples = [{ labels: { a: 'x\\y\n"z"' }, value: 1.5 }, { value: 1e21 }]
  expect(prometheusText([{ name: 'm', help: 'a\nb', samples }])).toBe(
    '# HELP m a\\nb\n# TYPE m gauge\nm{a="x\\\\y\\n\\"z\\""} 1.5\nm 1e+21\n',
  )
})
