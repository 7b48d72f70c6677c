import { execFileSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import type { InventoryStructure } from '../model/inventory-script.ts'
import { InventoryVariablesError, inventoryData, inventoryScript } from './inventory.ts'

/** The inventory of which a real AWX's answers are recorded (GET /inventories/3/script/). */
const recorded: InventoryStructure = {
  name: 'rec',
  variables: 'a: 1\nb: [1, 2]\n',
  hosts: [
    ...[3, 4, 5, 6].map((id) => ({
      id,
      name: `h${id - 2}`,
      enabled: true,
      variables: '{"ansible_connection": "local"}',
    })),
    { id: 7, name: 'hdis', enabled: false, variables: '---' },
  ],
  groups: [
    { name: 'web', variables: 'g: web', hostIds: [3, 4], childNames: [] },
    { name: 'site', variables: 'g: site', hostIds: [], childNames: ['web', 'db'] },
    { name: 'db', variables: 'g: db', hostIds: [5], childNames: [] },
  ],
}
const groups = { db: { hosts: ['h3'], vars: { g: 'db' } }, site: { children: ['web', 'db'], vars: { g: 'site' } } }
const plain = (value: unknown) => JSON.parse(JSON.stringify(value))

test('as AWX answers it', () => {
  const all = { vars: { a: 1, b: [1, 2] }, hosts: ['h4'], children: ['db', 'site', 'web'] }
  expect(plain(inventoryData(recorded))).toEqual({
    all,
    ...groups,
    web: { hosts: ['h1', 'h2'], vars: { g: 'web' } },
  })
  const full = plain(inventoryData(recorded, { hostvars: true, towervars: true, all: true }))
  expect(full.all.hosts).toEqual(['h4', 'hdis'])
  expect(full._meta.hostvars.h1).toEqual({
    ansible_connection: 'local',
    remote_host_enabled: 'true',
    remote_host_id: 3,
    remote_tower_enabled: 'true',
    remote_tower_id: 3,
  })
  expect(full._meta.hostvars.hdis).toMatchObject({ remote_tower_enabled: 'false', remote_tower_id: 7 })
  const slice = plain(inventoryData(recorded, { hostvars: true, slice: { number: 1, count: 2 } }))
  expect(slice).toEqual({
    all: { ...all, hosts: [] },
    ...groups,
    web: { hosts: ['h1'], vars: { g: 'web' } },
    _meta: { hostvars: { h1: { ansible_connection: 'local' }, h3: { ansible_connection: 'local' } } },
  })
})

describe('slices', () => {
  const names = (number: number, count: number) => {
    const hosts = ['c', 'a', 'e', 'b', 'd'].map((name, id) => ({ id, name, enabled: name !== 'b', variables: '' }))
    const data = inventoryData({ name: 'i', variables: '', hosts, groups: [] }, { slice: { number, count } })
    return (data.all as { hosts: string[] }).hosts
  }

  test('deal the enabled hosts like cards', () => {
    expect([1, 2, 3].map((number) => names(number, 3))).toEqual([['a', 'e'], ['c'], ['d']])
    expect(names(0, 1)).toEqual(['a', 'c', 'd', 'e'])
    expect(names(5, 5)).toEqual([])
  })
})

test.each([
  [{ variables: '- a' }, 'inventory rec'],
  [{ groups: [{ name: 'web', variables: 'a: [', hostIds: [], childNames: [] }] }, 'group web'],
  [{ hosts: [{ id: 1, name: 'h1', enabled: true, variables: '"x"' }] }, 'host h1'],
])('variables that cannot be read name their owner (%#)', (change, owner) => {
  const broken = () => inventoryScript({ ...recorded, ...change })
  expect(broken).toThrow(InventoryVariablesError)
  expect(broken).toThrow(`The variables of ${owner} cannot be read.`)
})

test('the script prints the data, whatever it holds', () => {
  const value = 'it\'s "x" \\n \\ \n \u2028 ü 😀 \u0000 %s {} """'
  const hosts = [{ id: 1, name: "h'\\1 ü", enabled: true, variables: JSON.stringify({ value }) }]
  const script = inventoryScript({ name: 'i', variables: '', hosts, groups: [] })
  const printed = JSON.parse(execFileSync('python3', ['-c', script], { encoding: 'utf8' }))
  expect(printed.all.hosts).toEqual(["h'\\1 ü"])
  expect(printed._meta.hostvars["h'\\1 ü"]).toMatchObject({ value, remote_tower_id: 1 })
})
