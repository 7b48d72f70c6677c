import { expect, test } from 'vitest'
import { localPlaces } from './requirement-places.ts'

test.each([
  [{ collections: ['hub.served', { name: 'a.b', source: 'https://hub.example.org/../x' }] }, [], []],
  [[{ src: 'git@git.example.org:a/b.git', scm: 'git' }, 'geerlingguy.nginx,1.0,nginx'], [], []],
  [{ collections: [{ name: './collections/own', type: 'dir' }] }, ['./collections/own'], []],
  [{ collections: [{ name: 'collections/own', type: 'subdirs' }] }, ['./collections/own'], []],
  [{ collections: ['./own-1.0.0.tar.gz'] }, ['./own-1.0.0.tar.gz'], []],
  [{ collections: [{ name: '/srv/other', type: 'dir' }] }, [], ['/srv/other']],
  [{ collections: [{ name: './../other', type: 'dir' }] }, [], ['./../other']],
  [{ roles: [{ src: 'file:///srv/role.tar.gz' }] }, [], ['file:///srv/role.tar.gz']],
  [['git+file:///srv/role,main,r'], [], ['git+file:///srv/role,main,r']],
  [[{ include: '/etc/passwd' }], [], ['/etc/passwd']],
  [[{ src: '~/role.tar.gz' }], [], ['~/role.tar.gz']],
  ['text', [], []],
  [{ roles: 'x', collections: null }, [], []],
])('%j', (content, within, outside) => {
  expect(localPlaces(content)).toEqual({ within, outside })
})
