import { expect, test } from 'vitest'
import { isPlaybookName, looksLikePlaybook, mayHoldPlaybooks, sortPaths } from './playbook.ts'

test.each([
  ['- hosts: all\n  tasks: []', true],
  ['---\n- name: site\n  hosts: web', true],
  ['- import_playbook: other.yml', true],
  ['- ansible.builtin.import_playbook: other.yml', true],
  ['$ANSIBLE_VAULT;1.1;AES256\n6132', true],
  ['- name: a task\n  debug:', false],
  ['key: value', false],
  ['-\n  hosts: all', true],
  ['hosts:\tall', true],
])('%j: %s', (text, is) => {
  expect(looksLikePlaybook(text)).toBe(is)
})

test.each([
  ['blank lines', '\n'.repeat(256 * 1024)],
  ['one long line of blanks', ' '.repeat(256 * 1024)],
  ['dashes', '- '.repeat(128 * 1024)],
])('a file of %s is looked through at once', (_what, text) => {
  expect(looksLikePlaybook(text)).toBe(false)
})

test.each([
  ['', true],
  ['plays/deep', true],
  ['roles/web', false],
  ['a/tasks', false],
  ['.github/workflows', false],
  ['group_vars', false],
])('folder %j: %s', (folder, may) => {
  expect(mayHoldPlaybooks(folder)).toBe(may)
})

test('names and order', () => {
  expect(['site.yml', 'a.yaml', 'SITE.YAML', '.hidden.yml', 'notes.txt'].filter(isPlaybookName)).toEqual([
    'site.yml',
    'a.yaml',
  ])
  expect(sortPaths(['b.yml', 'A.yml', 'a/b.yml'])).toEqual(['A.yml', 'a/b.yml', 'b.yml'])
})
