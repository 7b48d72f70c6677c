import { expect, test } from 'vitest'
import { type InventoryStructure, inventoryData, readSlice } from './inventory-script.ts'

const local = 'ansible_connection: local'
/** The inventory whose script AWX 24.6.1 was recorded with. */
const source: InventoryStructure = {
  variables: 'a: 1\nb: [1,2]',
  hosts: [
    { id: 3, name: 'h1', enabled: true, variables: local },
    { id: 4, name: 'h2', enabled: true, variables: local },
    { id: 5, name: 'h3', enabled: true, variables: local },
    { id: 6, name: 'h4', enabled: true, variables: local },
    { id: 7, name: 'hdis', enabled: false, variables: '' },
  ],
  groups: [
    { name: 'web', variables: 'g: web', hostIds: [3, 4], childNames: [] },
    { name: 'db', variables: 'g: db', hostIds: [5], childNames: [] },
    { name: 'site', variables: 'g: site', hostIds: [], childNames: ['web', 'db'] },
  ],
}
const groups = {
  db: { hosts: ['h3'], vars: { g: 'db' } },
  site: { children: ['web', 'db'], vars: { g: 'site' } },
  web: { hosts: ['h1', 'h2'], vars: { g: 'web' } },
}
const all = { vars: { a: 1, b: [1, 2] }, hosts: ['h4'], children: ['db', 'site', 'web'] }

test('plain script leaves disabled hosts out', () => {
  expect(inventoryData(source)).toEqual({ all, ...groups })
})

test('all hosts with tower variables', () => {
  const script = inventoryData(source, { hostvars: true, towervars: true, all: true })
  expect(script.all).toEqual({ ...all, hosts: ['h4', 'hdis'] })
  expect(script._meta).toMatchObject({
    hostvars: {
      h1: {
        ansible_connection: 'local',
        remote_host_enabled: 'true',
        remote_host_id: 3,
        remote_tower_enabled: 'true',
        remote_tower_id: 3,
      },
      hdis: { remote_host_enabled: 'false', remote_host_id: 7, remote_tower_enabled: 'false', remote_tower_id: 7 },
    },
  })
})

test('a slice takes every second host and cuts the groups', () => {
  const slice = readSlice('slice1of2')
  expect(slice).toEqual({ number: 1, count: 2 })
  expect(inventoryData(source, { hostvars: true, slice: slice ?? undefined })).toEqual({
    all: { ...all, hosts: [] },
    ...groups,
    web: { hosts: ['h1'], vars: { g: 'web' } },
    _meta: { hostvars: { h1: { ansible_connection: 'local' }, h3: { ansible_connection: 'local' } } },
  })
})

test('a job that is no slice has all hosts, whatever count its template says', () => {
  const whole = inventoryData(source)
  for (const slice of [
    { number: 0, count: 1 },
    { number: 0, count: 3 },
    { number: 1, count: 1 },
  ]) {
    expect(inventoryData(source, { slice })).toEqual(whole)
  }
})

test.each(['', 'slice0of2', 'slice3of2', 'all'])('%j is no slice', (subset) => {
  expect(readSlice(subset)).toBeNull()
})
