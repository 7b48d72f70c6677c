import { expect, test } from 'vitest'
import { ansibleCommands, pythonIsRecent } from './ansible.ts'
import { inputsHash } from './cache.ts'
import { cgroupRoots } from './cgroups.ts'
import { goIsRecent } from './go-builds.ts'
import { nameServers } from './network.ts'
import { stackPaths } from './paths.ts'
import { mountPoints } from './sweep.ts'

test.each([
  ['go version go1.19.8 linux/amd64', false],
  ['go version go1.25.0 linux/amd64', true],
  ['go version go1.26.8 linux/amd64', true],
  ['go version go2.0 linux/amd64', true],
  ['', false],
])('%s: recent enough is %s', (version, recent) => expect(goIsRecent(version)).toBe(recent))

test('Ansible needs Python 3.11', () => {
  expect(pythonIsRecent('3.11.2')).toBe(true)
  expect(pythonIsRecent('3.9.18')).toBe(false)
  expect(pythonIsRecent('2.7.18')).toBe(false)
})

test('the commands of the control plane find their packages', () => {
  const commands = ansibleCommands('/usr/bin/python3', '/cache/ansible')
  expect(commands.galaxy).toEqual(['/usr/bin/python3', '-m', 'ansible', 'galaxy'])
  expect(commands.env.PYTHONPATH).toBe('/cache/ansible')
  expect(commands.env.PATH).toMatch(/^\/cache\/ansible\/bin:/)
})

test('a hash of inputs depends on where one input ends', () => {
  expect(inputsHash(['ab', 'c'])).not.toBe(inputsHash(['a', 'bc']))
  expect(inputsHash(['a'])).toBe(inputsHash(['a']))
})

test('mounts are found with blanks in their names, the deepest and latest first', () => {
  const line = (point: string): string => `1 0 0:1 / ${point} rw - tmpfs tmpfs rw`
  const points = mountPoints(['/', '/a', '/a/b\\040c/d', '/a/e', '/a/e'].map(line).join('\n'))
  expect(points).toEqual(['/a/b c/d', '/a/e', '/a/e', '/a', '/'])
})

test('cgroup hierarchies of both versions are found', () => {
  const one = '30 1 0:2 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n31 1 0:3 / /proc rw - proc proc rw'
  expect(cgroupRoots(one)).toEqual(['/sys/fs/cgroup/cpu'])
  expect(cgroupRoots('30 1 0:2 / /sys/fs/cgroup rw shared:4 - cgroup2 cgroup2 rw')).toEqual(['/sys/fs/cgroup'])
})

test('a pod cannot ask a name server on the loopback of its host', () => {
  expect(nameServers('nameserver 127.0.0.53\nnameserver 192.0.2.1\n# nameserver 192.0.2.2\nsearch x\n')).toEqual([
    '192.0.2.1',
  ])
})

test('the name of a stack is part of paths, so it is checked', () => {
  const env = { MAYFLY_STATE: '/s' }
  expect(stackPaths('dev', env).logs).toBe('/s/dev/logs')
  expect(stackPaths('dev', env).run).toMatch(/^\/run\/mayfly\/[0-9a-f]{8}$/)
  for (const name of ['', '..', 'a/b', 'A', '-a', 'a-']) expect(() => stackPaths(name, env)).toThrow('name')
})
