import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openTestApp, type TestApp } from './testing.ts'
import { awxKeys } from './testing-additions.ts'

/** Foreign keys that were empty in the recording; AWX links and summarizes every one that is set. */
const unsetInRecording = ['default_environment', 'user']

/** Keys of objects that AWX 24.6.1 showed; different objects of one kind have different links. */
interface RecordedObject {
  keys: string[]
  related: string[]
  summary_fields: string[]
}

function recorded(name: string): RecordedObject[] {
  const file = new URL(`./fixtures/recorded/options/${name}.json`, import.meta.url)
  return JSON.parse(readFileSync(file, 'utf8')).objects
}

let app: TestApp
beforeAll(async () => {
  app = await openTestApp()
  await app.make('organizations', { name: 'o', default_environment: 1 })
  await app.make('users', { username: 'u', password: 'x' })
  await app.make('credential_types', { name: 't', kind: 'cloud', inputs: { fields: [{ id: 'a', label: 'A' }] } })
  await app.make('credentials', { name: 'c', credential_type: 1, organization: 1, inputs: { username: 'x' } })
  await app.make('credentials', { name: 'own', credential_type: 1, user: 2 })
  await app.make('execution_environments', { name: 'e', image: 'a/b:1', organization: 1 })
  await app.make('tokens', {})
})
afterAll(() => app.close())

const resources = ['organizations', 'users', 'credential_types', 'credentials', 'execution_environments', 'tokens']

describe.each(resources)('objects of %s', (name) => {
  const known = recorded(name)
  const all = (part: keyof RecordedObject) => new Set(known.flatMap((object) => object[part]))

  test('have AWX’s keys, in its order, and no links or summaries that it has not', async () => {
    const { results } = (await app.call('GET', `/api/v2/${name}/`)).body
    expect(results.length).toBeGreaterThan(0)
    for (const { url } of results) {
      const { body } = await app.call('GET', url)
      expect(awxKeys(body)).toEqual([...all('keys')])
      expect([...all('related'), ...unsetInRecording]).toEqual(expect.arrayContaining(Object.keys(body.related)))
      expect([...all('summary_fields'), ...unsetInRecording]).toEqual(
        expect.arrayContaining(Object.keys(body.summary_fields)),
      )
    }
  })

  test('link only to what answers', async () => {
    const { results } = (await app.call('GET', `/api/v2/${name}/?order_by=-id`)).body
    const { body } = await app.call('GET', results[0].url)
    for (const link of Object.values(body.related) as string[]) expect((await app.call('GET', link)).status).toBe(200)
  })
})
