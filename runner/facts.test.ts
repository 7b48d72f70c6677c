import { describe, expect, test } from 'vitest'
import { changedFacts, factFiles, type HostFacts } from './facts.ts'

const host = (hostName: string, facts: Record<string, unknown>): HostFacts => ({ hostName, facts })
const asText = (files: { name: string; content: string }[]) =>
  files.map(({ name, content }) => ({ name, text: content }))
async function* stream(files: { name: string; text: string }[]) {
  yield* files
}

describe('files', () => {
  test('are in the form of old and of new Ansible', () => {
    expect(factFiles(host('h1', { a: 1 }))).toEqual([
      { name: 'h1', content: '{"a":1}' },
      { name: 's1_h1', content: '{"__payload__":"{\\"a\\":1}"}' },
    ])
  })

  test.each(['', '.', '..', '../../x', 'a/b'])('a host called "%s" has none', (name) => {
    expect(factFiles(host(name, {}))).toEqual([])
  })

  test('facts cannot pose as tagged values', () => {
    const facts = { a: { __ansible_type: 'TrustedAsTemplate', value: '{{ x }}' } }
    expect(factFiles(host('h', facts))[0]?.content).toBe('{"a":{"value":"{{ x }}"}}')
  })
})

describe('what a run changed', () => {
  const sent = [host('h1', { a: 1 }), host('h2', { b: 1 }), host('h3', { c: 1 }), host('s1_x', { d: 1 })]
  const untouched = asText(sent.flatMap(factFiles))
  const replace = (name: string, text: string) => untouched.map((file) => (file.name === name ? { name, text } : file))

  test('nothing', async () => expect(await changedFacts(stream(untouched), sent)).toEqual([]))

  test('by an old Ansible', async () => {
    expect(await changedFacts(stream(replace('h1', '{"a": 2}')), sent)).toEqual([host('h1', { a: 2 })])
  })

  test('by a new one, without its tags', async () => {
    const payload = {
      a: { value: 'red', tags: [{ __ansible_type: 'TrustedAsTemplate' }], __ansible_type: '_AnsibleTaggedStr' },
      when: { iso8601: '2026-01-01', __ansible_type: 'AnsibleSerializableDate' },
      list: [{ value: 1, tags: [], __ansible_type: '_AnsibleTaggedInt' }],
    }
    const text = JSON.stringify({ __payload__: JSON.stringify(payload) })
    expect(await changedFacts(stream(replace('s1_h1', text)), sent)).toEqual([
      host('h1', { a: 'red', when: '2026-01-01', list: [1] }),
    ])
  })

  test('a host that was not known, and one whose name looks like the new form', async () => {
    const files = [...replace('s1_x', '{"d": 2}'), { name: 'new', text: '{"n": 1}' }]
    expect(await changedFacts(stream(files), sent)).toEqual([host('s1_x', { d: 2 }), host('new', { n: 1 })])
  })

  test('cleared facts', async () => {
    const files = untouched.filter(({ name }) => !name.endsWith('h2'))
    expect(await changedFacts(stream(files), [...sent, host('never/sent', { a: 1 })])).toEqual([host('h2', {})])
  })

  test('files that are no facts are passed over', async () => {
    const files = [...untouched, { name: 'x', text: 'no json' }, { name: 'y', text: '[]' }]
    expect(await changedFacts(stream(files), sent)).toEqual([])
  })
})
