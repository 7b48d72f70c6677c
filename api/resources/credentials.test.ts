import { X509Certificate } from 'node:crypto'
import { rootCertificates } from 'node:tls'
import { eq } from 'drizzle-orm'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { repairCertificates } from '../../model/ca-certificate.ts'
import { credentials, credentialTypes } from '../../store/schema/catalog.ts'
import { credentialContext, open } from '../../store/secrets.ts'
import { openTestApp, type TestApp } from '../testing.ts'

let app: TestApp
beforeAll(async () => {
  app = await openTestApp()
})
afterAll(() => app.close())

const inputs = { username: 'deploy', password: 'hunter2', become_password: 'ASK' }
const create = async (name: string) =>
  (await app.call('POST', '/api/v2/credentials/', { name, credential_type: 1, organization: 1, inputs })).body

const stored = async (id: number) =>
  (await app.store.db.select().from(credentials).where(eq(credentials.id, id)))[0]?.inputs as Record<string, string>

test('secrets are sealed in the store and masked everywhere', async () => {
  const made = await create('sealed')
  expect(made.inputs).toEqual({ username: 'deploy', password: '$encrypted$', become_password: 'ASK' })
  const row = await stored(made.id)
  expect(row.password).not.toContain('hunter2')
  expect(open(app.deps.keyring, row.password ?? '', credentialContext(made.id, 'password'))).toBe('hunter2')
  const listed = await app.call('GET', '/api/v2/credentials/?name=sealed')
  expect(JSON.stringify(listed.body)).not.toContain(row.password)
})

test('$encrypted$ keeps the stored value, anything else replaces it', async () => {
  const { id, url } = await create('kept')
  const before = await stored(id)
  await app.call('PATCH', url, { inputs: { username: 'other', password: '$encrypted$' } })
  expect(await stored(id)).toEqual({ username: 'other', password: before.password })
  await app.call('PATCH', url, { inputs: { password: 'new' } })
  expect(open(app.deps.keyring, (await stored(id)).password ?? '', credentialContext(id, 'password'))).toBe('new')
  await app.call('PATCH', url, { description: 'unrelated' })
  expect(Object.keys(await stored(id))).toEqual(['password'])
})

test('$encrypted$ for what was never stored is refused on change too', async () => {
  const { url } = await create('never')
  expect((await app.call('PATCH', url, { inputs: { ssh_key_unlock: '$encrypted$' } })).body).toEqual({
    inputs: ['$encrypted$ is a reserved keyword, and cannot be used for ssh_key_unlock.'],
  })
})

test('what looks like a sealed value is refused: it would open nowhere', async () => {
  const { url } = await create('forged')
  for (const field of ['username', 'password']) {
    const { status, body } = await app.call('PATCH', url, { inputs: { [field]: '$mayfly$v1$0000$AAAA$AAAA' } })
    expect({ status, body }).toEqual({
      status: 400,
      body: { inputs: { [field]: ['A value may not begin with $mayfly$v1$.'] } },
    })
  }
})

test('an ssh key of nothing but beginnings is refused at once', async () => {
  const { url } = await create('beginnings')
  const key = '-----BEGIN PRIVATE KEY-----'.repeat(150_000)
  expect((await app.call('PATCH', url, { inputs: { ssh_key_data: key } })).status).toBe(400)
})

test('a copy opens with its own seal', async () => {
  const { url } = await create('origin')
  const { status, body } = await app.call('POST', `${url}copy/`, { name: 'copy of origin' })
  expect(status).toBe(201)
  expect(open(app.deps.keyring, (await stored(body.id)).password ?? '', credentialContext(body.id, 'password'))).toBe(
    'hunter2',
  )
})

test('say what they are and whose', async () => {
  const { body } = await app.call('POST', '/api/v2/credentials/', { name: 'mine', credential_type: 1, user: 1 })
  expect(body).toMatchObject({ kind: 'ssh', cloud: false, kubernetes: false, organization: null })
  expect(body.summary_fields.owners).toEqual([
    { id: 1, type: 'user', name: 'admin', description: ' ', url: '/api/v2/users/1/' },
  ])
  expect(body.related.user).toBe('/api/v2/users/1/')
  expect(body).not.toHaveProperty('user')
  const environment = await app.call('POST', '/api/v2/credentials/', {
    name: 'registry',
    credential_type: (await app.call('GET', '/api/v2/credential_types/?namespace=registry')).body.results[0].id,
    organization: 1,
  })
  const { body: shown } = await app.call('POST', '/api/v2/execution_environments/', {
    name: 'with-credential',
    image: 'a/b:1',
    credential: environment.body.id,
  })
  expect(shown.summary_fields.credential).toMatchObject({
    name: 'registry',
    kind: 'registry',
    cloud: false,
    kubernetes: false,
  })
})

test('a certificate authority is mended or refused where it is written', async () => {
  const { db } = app.store
  const [type] = await db.select().from(credentialTypes).where(eq(credentialTypes.namespace, 'kubernetes_bearer_token'))
  const write = (name: string, ssl_ca_cert: string) =>
    app.call('POST', '/api/v2/credentials/', {
      ...{ name, credential_type: type?.id, organization: 1 },
      inputs: { host: 'https://k8s', bearer_token: 'token', verify_ssl: true, ssl_ca_cert },
    })
  const root = repairCertificates(rootCertificates[0] ?? '', (certificate) => new X509Certificate(certificate))
  const pasted = await write('pasted', root.trim().replaceAll('\n', '\\n'))
  expect(pasted.status).toBe(201)
  const authority = async () => {
    const sealed = (await stored(pasted.body.id)).ssl_ca_cert ?? ''
    return open(app.deps.keyring, sealed, credentialContext(pasted.body.id, 'ssl_ca_cert'))
  }
  expect(await authority()).toBe(root)
  const kept = { host: 'https://other', bearer_token: '$encrypted$', ssl_ca_cert: '$encrypted$' }
  expect((await app.call('PATCH', pasted.body.url, { inputs: kept })).status).toBe(200)
  expect(await authority()).toBe(root)
  expect((await write('none', '')).status).toBe(201)
  const refused = await write('cut', root.slice(0, 300))
  expect(refused.status).toBe(400)
  expect(refused.body).toEqual({ inputs: { ssl_ca_cert: [expect.stringContaining('Paste the whole text')] } })
  expect(JSON.stringify((await write('junk', 'hello')).body)).toContain('not in PEM form')
})
