import { afterAll, beforeAll, expect, test } from 'vitest'
import { signWorker } from '../../store/workers.ts'
import { openTestApp, type TestApp } from '../testing.ts'

let app: TestApp
beforeAll(async () => {
  app = await openTestApp()
})
afterAll(() => app.close())

test('nobody waits for a worker that is not there: the answer says where the report will be', async () => {
  const pass = await app.call('POST', '/api/v2/reaper/', { dry_run: true })
  expect(pass).toMatchObject({ status: 202, body: { dry_run: true, finished: null } })
  const { body: group } = await app.call('POST', '/api/v2/instance_groups/', { name: 'g', is_container_group: true })
  const path = `/api/v2/instance_groups/${group.id}/test/`
  expect(await app.call('POST', path, {})).toMatchObject({ status: 202, body: { finished: null, checks: [] } })
  expect(await app.call('GET', path)).toMatchObject({ status: 200, body: { count: 1 } })
})

test('a worker that is there is waited for', async () => {
  await signWorker(app.store.db, 'w', 'node')
  const asked = app.call('POST', '/api/v2/reaper/', {}).then(() => 'answered')
  expect(await Promise.race([asked, new Promise((resolve) => setImmediate(() => resolve('waiting')))])).toBe('waiting')
  await app.store.db.execute(
    `UPDATE reaper_passes SET finished = now(), report = '{"debt": [], "clusters": [], "findings": []}'`,
  )
  expect(await asked).toBe('answered')
})
