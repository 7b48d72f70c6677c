import { afterAll, beforeAll, expect, test } from 'vitest'
import { storeArtifactChunk } from '../../store/artifacts.ts'
import { adminPassword, type TestApp } from '../testing.ts'
import { openRecordedApp } from '../testing-domain.ts'

const path = '/api/v2/jobs/104/artifacts.zip'

let app: TestApp
beforeAll(async () => {
  app = await openRecordedApp()
})
afterAll(() => app.close())

test('404 as long as there are none', async () => {
  const { status, body } = await app.call('GET', path)
  expect([status, body]).toEqual([404, { detail: 'This job has left no files.' }])
})

test('all pieces in their order, for whoever may read the job', async () => {
  const pieces = [Buffer.from('PK\x03\x04 first, '), Buffer.from([0, 255, 10]), Buffer.from(' last')]
  for (const [sequence, piece] of pieces.entries()) await storeArtifactChunk(app.store.db, 104, sequence, piece)
  const whole = Buffer.concat(pieces)
  const authorization = `Basic ${Buffer.from(`admin:${adminPassword}`).toString('base64')}`
  const response = await app.app.request(path, { headers: { authorization, accept: 'application/zip' } })
  expect(response.status).toBe(200)
  expect(Object.fromEntries(response.headers)).toMatchObject({
    'content-type': 'application/zip',
    'content-length': String(whole.length),
    'content-disposition': 'attachment; filename="job_104_artifacts.zip"',
  })
  expect(Buffer.from(await response.arrayBuffer())).toEqual(whole)
  const head = await app.app.request(path, { method: 'HEAD', headers: { authorization } })
  expect([head.status, head.headers.get('content-length'), await head.text()]).toEqual([200, String(whole.length), ''])
  expect((await app.call('GET', path, undefined, { as: null })).status).toBe(401)
  await app.call('POST', '/api/v2/users/', { username: 'nobody', password: 'nobody-at-all-1' })
  expect((await app.call('GET', path, undefined, { as: 'nobody:nobody-at-all-1' })).status).toBe(403)
})
