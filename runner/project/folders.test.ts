import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { manualProjectFolder } from './manual.ts'
import { listProjectFiles } from './playbooks.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mayfly-folders-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

function put(name: string, content: string | Buffer = '') {
  mkdirSync(dirname(join(folder, name)), { recursive: true })
  writeFileSync(join(folder, name), content)
}

describe('playbooks', () => {
  test('are found by what they say, and sorted without regard to case', async () => {
    const play = '- hosts: all\n'
    const playbooks = [
      'Zebra.yml',
      'alpha.yaml',
      'sub/dir/play.yml',
      'imports.yml',
      'fqcn.yml',
      'vaulted.yml',
      'late.yml',
    ]
    for (const name of playbooks) put(name, play)
    put('imports.yml', '---\n- import_playbook: x.yml\n')
    put('fqcn.yml', '- ansible.builtin.import_playbook: x.yml\n')
    put('vaulted.yml', '$ANSIBLE_VAULT;1.1;AES256\n3039\n')
    put('late.yml', `# ${'x'.repeat(5000)}\n- name: n\n  hosts: all\n`)
    for (const name of ['roles/r/tasks/main.yml', 'x/tasks/t.yml', 'group_vars/all.yml', 'host_vars/h.yml'])
      put(name, play)
    for (const name of ['.github/w.yml', '.hidden.yml', 'play.txt', 'no-yaml']) put(name, play)
    put('vars.yml', 'a: 1\nmyhosts: 2\n')
    put('binary.yml', Buffer.from([0xff, 0xfe, 0]))
    put('empty.yml')
    symlinkSync('alpha.yaml', join(folder, 'linked.yml'))
    symlinkSync('/etc/hostname', join(folder, 'outside.yml'))
    symlinkSync('nowhere', join(folder, 'dangling.yml'))
    symlinkSync('.', join(folder, 'loop'))
    put('inventories/prod', '[web]\nh1\n')
    put('hosts.ini', '[web]\n')
    symlinkSync('/etc/hosts', join(folder, 'outside-hosts'))
    const { playbooks: found, inventoryFiles } = await listProjectFiles(folder)
    expect(inventoryFiles).toEqual(['binary.yml', 'empty.yml', 'hosts.ini', 'inventories/prod', 'no-yaml', 'vars.yml'])
    expect(found).toEqual([
      'alpha.yaml',
      'fqcn.yml',
      'imports.yml',
      'late.yml',
      'linked.yml',
      'sub/dir/play.yml',
      'vaulted.yml',
      'Zebra.yml',
    ])
  })

  test('of a folder that is not there are none', async () => {
    expect(await listProjectFiles(join(folder, 'missing'))).toEqual({ playbooks: [], inventoryFiles: [] })
  })
})

describe('manual projects', () => {
  beforeEach(() => {
    put('root/one/site.yml')
    put('root/file')
    put('outside/site.yml')
    for (const name of ['_12__git', '.hidden']) mkdirSync(join(folder, 'root', name))
    symlinkSync(join(folder, 'outside'), join(folder, 'root/leads-out'))
    symlinkSync('one', join(folder, 'root/alias'))
  })
  const root = () => join(folder, 'root')

  test('may take plain folders', async () => {
    expect(await manualProjectFolder(root(), 'one')).toMatch(/root\/one$/)
    expect(await manualProjectFolder(root(), 'alias')).toMatch(/root\/one$/)
  })

  test.each([
    ['', 'is not a name below'],
    ['..', 'is not a name below'],
    ['one/../../outside', 'is not a name below'],
    ['/etc', 'is not a name below'],
    ['one/', 'is not a name below'],
    ['missing', 'does not exist'],
    ['leads-out', 'leads out of the projects root'],
    ['file', 'is not a folder'],
  ])('"%s" is refused', async (name, message) => {
    await expect(manualProjectFolder(root(), name)).rejects.toThrow(message)
  })
})
