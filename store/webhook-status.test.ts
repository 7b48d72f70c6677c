import { randomBytes } from 'node:crypto'
import { eq } from 'drizzle-orm'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { pythonJson } from '../model/variables.ts'
import type { Store } from './database.ts'
import { transitionJob } from './job-status.ts'
import { credentials, credentialTypes } from './schema/catalog.ts'
import { outbox } from './schema/runtime.ts'
import { credentialContext, type Keyring, loadKeyring, seal } from './secrets.ts'
import { storeKinds, testStore } from './testing.ts'
import { makeJob } from './testing-data.ts'
import { readDueStatus } from './webhook-status.ts'

describe.each(storeKinds)('what a service is told on %s', (kind) => {
  let store: Store
  let keyring: Keyring
  let credentialId: number
  beforeAll(async () => {
    store = await testStore(kind)
    keyring = await loadKeyring({ MAYFLY_SECRET_KEY: randomBytes(32).toString('base64') })
    const [type] = await store.db.insert(credentialTypes).values({ name: 'token', kind: 'token' }).returning()
    const [made] = await store.db
      .insert(credentials)
      .values({ name: 'token', credentialTypeId: type?.id ?? 0 })
      .returning()
    credentialId = made?.id ?? 0
    const token = seal(keyring, 'hunter2', credentialContext(credentialId, 'token'))
    await store.db.update(credentials).set({ inputs: { token } }).where(eq(credentials.id, credentialId))
  })
  afterAll(() => store.close())

  const job = (statusApi: string | null, columns: object = {}) =>
    makeJob(store.db, {
      ...{ webhookService: 'gitlab', webhookCredentialId: credentialId },
      extraVars: pythonJson({ awx_webhook_status_api: statusApi }),
      ...columns,
    })
  const asked = async (jobId: number) =>
    (await store.db.select().from(outbox).where(eq(outbox.subjectId, jobId))).filter(
      (row) => row.kind === 'webhook_status',
    ).length

  test('every change of status, in the words of the service and with its token', async () => {
    const { id } = await job('https://gitlab.example.org/statuses/1')
    await transitionJob(store.db, id, 'running')
    expect(await asked(id)).toBe(1)
    expect(await readDueStatus(store.db, keyring, id, 'https://mayfly.example.org')).toEqual({
      status: 'running',
      url: 'https://gitlab.example.org/statuses/1',
      token: 'hunter2',
      post: {
        headers: { 'private-token': 'hunter2' },
        body: {
          ...{ state: 'running', context: 'ansible/awx' },
          target_url: `https://mayfly.example.org/api/v2/jobs/${id}/`,
        },
      },
    })
  })

  test.each<[string, string | null, object]>([
    ['no place for it', null, {}],
    ['no credential', 'https://gitlab.example.org/1', { webhookCredentialId: null }],
    ['no web hook', 'https://gitlab.example.org/1', { webhookService: '' }],
  ])('nothing where there is %s', async (_, statusApi, columns) => {
    const { id } = await job(statusApi, columns)
    await transitionJob(store.db, id, 'running')
    expect(await asked(id)).toBe(0)
    expect(await readDueStatus(store.db, keyring, id, '')).toBeNull()
  })
})
