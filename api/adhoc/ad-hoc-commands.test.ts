import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { unifiedJobs } from '../../store/schema/jobs.ts'
import { openTestApp, type TestApp } from '../testing.ts'

let app: TestApp
const ids = { inventory: 0, machine: 0, asking: 0, vault: 0, host: 0, group: 0, organization: 0 }

const make = async (path: string, body: object) => (await app.make(path, body)).id

beforeAll(async () => {
  app = await openTestApp({ deps: { adHocModules: ['command', 'shell', 'ping', 'my.own.module'] } })
  ids.organization = await make('organizations', { name: 'org' })
  ids.inventory = await make('inventories', { name: 'hosts', organization: ids.organization })
  ids.host = await make('hosts', { name: 'h1', inventory: ids.inventory })
  ids.group = await make('groups', { name: 'web', inventory: ids.inventory })
  const types = await app.call('GET', '/api/v2/credential_types/?page_size=200')
  const typeOf = (kind: string) => types.body.results.find((type: { kind: string }) => type.kind === kind).id
  const credential = (name: string, kind: string, inputs: Record<string, unknown>) =>
    make('credentials', { name, organization: ids.organization, credential_type: typeOf(kind), inputs })
  ids.machine = await credential('machine', 'ssh', { username: 'root' })
  ids.asking = await credential('asking', 'ssh', { password: 'ASK', become_password: 'ASK' })
  ids.vault = await credential('vault', 'vault', { vault_password: randomBytes(8).toString('hex') })
})
afterAll(() => app.close())

const post = (body: Record<string, unknown>) => app.call('POST', '/api/v2/ad_hoc_commands/', body)

describe('what AWX refuses, in its words and order', () => {
  test('nothing at all', async () => {
    expect(await post({})).toMatchObject({
      status: 400,
      body: {
        inventory: ['No valid inventory.'],
        credential: ['This field cannot be blank.'],
        module_args: ['No argument passed to command module.'],
      },
    })
  })

  test.each([
    ['no credential', () => ({}), { credential: ['This field cannot be blank.'] }],
    [
      'a credential of another kind',
      () => ({ credential: ids.vault, module_args: 'id' }),
      { credential: ['You must provide a machine / SSH credential.'] },
    ],
    ['no arguments', () => ({ credential: ids.machine }), { module_args: ['No argument passed to command module.'] }],
    [
      'an unknown module',
      () => ({ credential: ids.machine, module_name: 'nosuch', module_args: 'x' }),
      { module_name: ['"nosuch" is not a valid choice.'] },
    ],
    [
      'an unknown inventory',
      () => ({ inventory: 99999, credential: ids.machine, module_args: 'id' }),
      { detail: 'Inventory matching query does not exist.' },
    ],
    [
      'an unknown credential',
      () => ({ credential: 99999, module_args: 'id' }),
      { detail: 'Credential matching query does not exist.' },
    ],
    [
      'passwords that are missing',
      () => ({ credential: ids.asking, module_args: 'id' }),
      { passwords_needed_to_start: ['ssh_password', 'become_password'] },
    ],
    [
      'variables that would change how Ansible connects',
      () => ({ credential: ids.machine, module_args: 'id', extra_vars: 'ansible_connection: local\nfine: 1' }),
      { extra_vars: ['ansible_connection are prohibited from use in ad hoc commands.'] },
    ],
    [
      'Jinja in arguments',
      () => ({ credential: ids.machine, module_args: 'echo {{ lookup("env", "HOME") }}' }),
      { module_args: ['Inline Jinja variables are not allowed.'] },
    ],
    [
      'a pattern that is an option',
      () => ({ credential: ids.machine, module_args: 'id', limit: '-m' }),
      { limit: ['A host pattern cannot begin with a dash, which would make it an option.'] },
    ],
  ])('%s', async (_, body, answer) => {
    const { status, body: complaints } = await post({ inventory: ids.inventory, ...body() })
    expect(status).toBe(400)
    expect(complaints).toMatchObject(answer)
  })

  test('nothing was made', async () => {
    expect((await app.call('GET', '/api/v2/ad_hoc_commands/')).body.count).toBe(0)
  })
})

describe('a command', () => {
  test('is made and started by one request, with its passwords sealed', async () => {
    const secret = randomBytes(8).toString('hex')
    const { status, body, headers } = await post({
      inventory: ids.inventory,
      credential: ids.asking,
      module_args: 'id',
      ssh_password: secret,
      credential_passwords: { become_password: 'other' },
    })
    expect([status, headers.get('location')]).toEqual([201, `/api/v2/ad_hoc_commands/${body.id}/`])
    expect(body).toMatchObject({
      type: 'ad_hoc_command',
      name: 'command',
      launch_type: 'manual',
      status: 'pending',
      limit: '',
      related: {
        cancel: `/api/v2/ad_hoc_commands/${body.id}/cancel/`,
        events: `/api/v2/ad_hoc_commands/${body.id}/events/`,
        relaunch: `/api/v2/ad_hoc_commands/${body.id}/relaunch/`,
        stdout: `/api/v2/ad_hoc_commands/${body.id}/stdout/`,
      },
      summary_fields: { credential: { id: ids.asking }, inventory: { id: ids.inventory } },
    })
    const rows = await app.store.db.select().from(unifiedJobs)
    expect(JSON.stringify(rows)).not.toContain(secret)
    const unified = await app.call('GET', '/api/v2/unified_jobs/?type=ad_hoc_command')
    expect(unified.body).toMatchObject({ count: 1, results: [{ id: body.id, module_args: 'id' }] })
    expect((await app.call('POST', `/api/v2/ad_hoc_commands/${body.id}/cancel/`)).status).toBe(202)
  })

  test('is made once by requests with the same key', async () => {
    const body = { inventory: ids.inventory, credential: ids.machine, module_name: 'ping' }
    const headers = { 'Idempotency-Key': 'the same' }
    const [first, again] = [
      await app.call('POST', '/api/v2/ad_hoc_commands/', body, { headers }),
      await app.call('POST', '/api/v2/ad_hoc_commands/', body, { headers }),
    ]
    expect([first.status, again.status, again.body.id]).toEqual([201, 201, first.body.id])
    const other = await app.call('POST', '/api/v2/ad_hoc_commands/', { ...body, limit: 'h1' }, { headers })
    expect(other.status).toBe(422)
    expect((await app.call('POST', `${first.body.url}cancel/`)).status).toBe(202)
    expect((await app.call('DELETE', first.body.url)).status).toBe(204)
  })

  test('below a host or group its inventory and limit are theirs', async () => {
    const sent = { credential: ids.machine, module_name: 'ping', inventory: 5, limit: 'all' }
    const onHost = await app.call('POST', `/api/v2/hosts/${ids.host}/ad_hoc_commands/`, sent)
    expect(onHost).toMatchObject({ status: 201, body: { inventory: ids.inventory, limit: 'h1' } })
    const onGroup = await app.call('POST', `/api/v2/groups/${ids.group}/ad_hoc_commands/`, sent)
    expect(onGroup).toMatchObject({ status: 201, body: { inventory: ids.inventory, limit: 'web' } })
    const onAll = await app.call('POST', `/api/v2/inventories/${ids.inventory}/ad_hoc_commands/`, sent)
    expect(onAll).toMatchObject({ status: 201, body: { inventory: ids.inventory, limit: 'all' } })
    const listed = await app.call('GET', `/api/v2/inventories/${ids.inventory}/ad_hoc_commands/`)
    expect(listed.body.count).toBe(4)
  })

  test('is relaunched as a new one that is launched by hand, and asks for its passwords again', async () => {
    const given = { ssh_password: 'one', become_password: 'two' }
    const { body: first } = await post({
      inventory: ids.inventory,
      credential: ids.asking,
      module_args: 'id',
      ...given,
    })
    const path = `/api/v2/ad_hoc_commands/${first.id}/relaunch/`
    expect((await app.call('GET', path)).body).toEqual({
      passwords_needed_to_start: ['ssh_password', 'become_password'],
    })
    expect((await app.call('POST', path, {})).status).toBe(400)
    const again = await app.call('POST', path, given)
    expect(again).toMatchObject({ status: 201, body: { launch_type: 'manual', module_args: 'id' } })
    expect(again.body.ad_hoc_command).toBe(again.body.id)
    expect(again.body.id).not.toBe(first.id)
  })

  test('runs in the groups of its inventory, then its organization, unless the inventory prevents that', async () => {
    const group = (name: string) => make('instance_groups', { name, is_container_group: true })
    const [own, fallback] = [await group('own'), await group('fallback')]
    await app.call('POST', `/api/v2/organizations/${ids.organization}/instance_groups/`, { id: fallback })
    const eligible = async () => {
      const { body } = await post({ inventory: ids.inventory, credential: ids.machine, module_name: 'ping' })
      const rows = await app.store.db.select().from(unifiedJobs)
      return rows.find((row) => row.id === body.id)?.eligibleGroups
    }
    expect(await eligible()).toEqual([fallback])
    await app.call('POST', `/api/v2/inventories/${ids.inventory}/instance_groups/`, { id: own })
    expect(await eligible()).toEqual([own, fallback])
    const path = `/api/v2/inventories/${ids.inventory}/`
    await app.call('PATCH', path, { prevent_instance_group_fallback: true })
    expect(await eligible()).toEqual([own])
  })
})

test('the setting says which modules there are', async () => {
  const { body } = await app.call('OPTIONS', '/api/v2/ad_hoc_commands/')
  expect(body.actions.POST.module_name.choices.map(([name]: [string]) => name)).toEqual([
    ...['command', 'shell', 'ping', 'my.own.module'],
  ])
})
