import { describe, expect, test } from 'vitest'
import { writeExactJson } from '../../model/exact-json.ts'
import { hostFilterProblem } from '../../model/host-filter.ts'
import { filterHosts, HostFilterError } from './host-filter.ts'
import { InventoryOutputError, type ReadOptions, readInventoryOutput } from './output.ts'

const plain: ReadOptions = { enabledVar: '', enabledValue: '', instanceIdVar: '', hostFilter: '' }
const read = (data: unknown, options: Partial<ReadOptions> = {}) =>
  readInventoryOutput(typeof data === 'string' ? data : JSON.stringify(data), { ...plain, ...options })

describe('the output of ansible-inventory', () => {
  test('gives hosts, groups and variables; all and ungrouped are no groups', () => {
    const inventory = read({
      _meta: { hostvars: { web1: { port: 80 } } },
      all: { children: ['ungrouped', 'site'], vars: { region: 'here' } },
      ungrouped: { hosts: ['alone'] },
      site: { children: ['web', 'empty'] },
      web: { hosts: ['web1', 'web2'], vars: { tier: 1 } },
    })
    expect(inventory.variables).toEqual({ region: 'here' })
    expect(inventory.hosts.map(({ name, variables }) => [name, variables])).toEqual([
      ['alone', {}],
      ['web1', { port: 80 }],
      ['web2', {}],
    ])
    expect(inventory.groups).toEqual([
      { name: 'site', variables: {}, hosts: [], children: ['web', 'empty'] },
      { name: 'web', variables: { tier: 1 }, hosts: ['web1', 'web2'], children: [] },
      { name: 'empty', variables: {}, hosts: [], children: [] },
    ])
  })

  test('keeps every digit', () => {
    const { hosts } = read('{"_meta": {"hostvars": {"a": {"version": 1.0, "id": 9007199254740993, "list": [1e3]}}}}')
    expect(writeExactJson(hosts[0]?.variables)).toBe('{"version": 1.0, "id": 9007199254740993, "list": [1e3]}')
  })

  test.each([
    ['state', 'running', { state: 'running' }, true],
    ['state', 'running', { state: 'stopped' }, false],
    ['state', 'running', {}, null],
    ['state', '', { state: 0 }, false],
    ['power.state', 'True', { power: { state: true } }, true],
    ['power.state', 'on', { 'power.state': 'on' }, true],
    ['other,power.state', 'on', { power: { state: 'on' } }, true],
    ['version', '1.0', '{"version": 1.0}', true],
    ['', 'on', { state: 'on' }, null],
  ])('enabled by %s=%s: %j is %s', (enabledVar, enabledValue, variables, enabled) => {
    const text = typeof variables === 'string' ? variables : JSON.stringify(variables)
    const { hosts } = read(`{"_meta": {"hostvars": {"a": ${text}}}}`, { enabledVar, enabledValue })
    expect(hosts[0]?.enabled).toBe(enabled)
  })

  test('knows hosts by their instance id, and drops variables that are not theirs', () => {
    const data = { _meta: { hostvars: { a: { remote_tower_id: 7, own: 1 } } } }
    const { hosts } = read(data, { instanceIdVar: 'remote_tower_id', dropped: ['remote_tower_id'] })
    expect(hosts).toEqual([{ name: 'a', variables: { own: 1 }, enabled: null, instanceId: '7' }])
  })

  test('a filtered host is in no group either', () => {
    const data = { _meta: {}, web: { hosts: ['web1', 'db1'] } }
    const { hosts, groups } = read(data, { hostFilter: 'web' })
    expect([hosts.map(({ name }) => name), groups[0]?.hosts]).toEqual([['web1'], ['web1']])
  })

  test.each([
    ['not JSON at all', /not JSON/],
    ['[]', /The output is not a mapping/],
    ['{"web": {"hosts": "web1"}}', /web.hosts is not a list of names/],
    ['{"_meta": {"hostvars": {"a": [1]}}}', /_meta.hostvars.a is not a mapping/],
  ])('%s is refused', (text, message) => {
    expect(() => read(text)).toThrow(InventoryOutputError)
    expect(() => read(text)).toThrow(message)
  })
})

describe('host filters', () => {
  const names = ['web1', 'web2.example.org', 'db1', 'WEB3']
  test.each([
    ['', names],
    ['web', ['web1', 'web2.example.org']],
    ['eb', []],
    ['(?i)web', ['web1', 'web2.example.org', 'WEB3']],
    ['(?P<kind>db|web)\\d\\Z', ['web1', 'db1']],
    ['(?!web)', ['db1', 'WEB3']],
  ])('%s', (pattern, through) => {
    expect([...filterHosts(pattern, names)]).toEqual(through)
  })

  test('what is no regular expression is refused', () => {
    expect(hostFilterProblem('web(')).toMatch(/nterminated group/)
    expect(() => filterHosts('web(', names)).toThrow(HostFilterError)
  })

  test('one that would never end is ended', () => {
    expect(() => filterHosts('(a+)+$', [`${'a'.repeat(50)}!`])).toThrow(/took more than 2 seconds/)
  })
})
