import { expect, test } from 'vitest'
import { readContainerSpec } from './container.ts'

test('a whole spec, and what it is without the rest', () => {
  const whole = {
    command: ['sh', '-c', 'make test'],
    env: { CC: 'gcc' },
    files: { '/data/in.txt': 'one\n' },
    artifacts: ['/data/out.xml'],
    working_directory: '/data',
  }
  expect(readContainerSpec(whole)).toEqual({ ok: true, spec: whole })
  expect(readContainerSpec({ command: ['true'] })).toEqual({
    ok: true,
    spec: { command: ['true'], env: {}, files: {}, artifacts: [], working_directory: '' },
  })
})

test.each([
  ['make test', 'Give an object'],
  [[], 'Give an object'],
  [{}, 'command: '],
  [{ command: 'make' }, 'command: '],
  [{ command: [] }, 'command: '],
  [{ command: [''] }, 'command: '],
  [{ command: ['true', 1] }, 'command: '],
  [{ command: ['true'], image: 'busybox' }, 'There is no key "image"'],
  [{ command: ['true'], env: { 'A-B': 'x' } }, '"A-B" is no name'],
  [{ command: ['true'], env: { A: 1 } }, 'env: '],
  [{ command: ['true'], files: { 'a.txt': '' } }, '"a.txt" is no absolute path'],
  [{ command: ['true'], files: { '/a/../b': '' } }, '"/a/../b" is no absolute path'],
  [{ command: ['true'], files: { '/a/': '' } }, '"/a/" is no absolute path'],
  [{ command: ['true'], artifacts: ['/a\nb'] }, 'is no absolute path'],
  [{ command: ['true'], working_directory: 'a' }, '"a" is no absolute path'],
  [{ command: ['a\0b'] }, 'Null characters'],
  [{ command: ['true'], files: { '/big': 'x'.repeat(300_000) } }, 'at most 262144'],
])('%j: %s', (value, message) => {
  expect(readContainerSpec(value)).toEqual({ ok: false, message: expect.stringContaining(message) })
})
