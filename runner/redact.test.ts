import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { hidden, Redactor, redactStarting } from './redact.ts'
import { SpoolReader } from './stream.ts'

describe('texts', () => {
  const redactor = new Redactor(['s3cr"et/x', 'ab', '', 'longer s3cr"et/x too'])

  test.each([
    ['the password is s3cr"et/x.', `the password is ${hidden}.`],
    ['in JSON: {"p": "s3cr\\"et/x"}', `in JSON: {"p": "${hidden}"}`],
    ['in a URL: ?p=s3cr%22et%2Fx', `in a URL: ?p=${hidden}`],
    ['longer s3cr"et/x too', hidden],
    ['ab', hidden],
    ['about', 'about'],
    [
      'fatal: https://me:pw@host/x and http://tok@host/y',
      `fatal: https://${hidden}@host/x and http://${hidden}@host/y`,
    ],
    ['ssh://git:pw@host/x', `ssh://git:${hidden}@host/x`],
    ['ssh://git@host/x git@host:x me@example.org', 'ssh://git@host/x git@host:x me@example.org'],
  ])('%s', (text, expected) => expect(redactor.redact(text)).toBe(expected))

  test('every line of a key is hidden', () => {
    const lines = ['b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQ', 'AAAAMwAAAAtzc2gtZWQyNTUxOQAAACB1']
    const key = new Redactor([`-----BEGIN OPENSSH PRIVATE KEY-----\n${lines.join('\n')}\n-----END-----\n`])
    expect(key.redact(`x ${lines[1]} y`)).toBe(`x ${hidden} y`)
    expect(key.redact('-----END-----')).toBe('-----END-----')
  })

  test('without secrets nothing changes', () => expect(new Redactor([]).redact('a')).toBe('a'))
})

describe('the starting record', () => {
  const env = {
    PATH: '/bin',
    MY_TOKEN: 'abc',
    db_password: 'x',
    HARMLESS: 'mixed hunter2 in',
    ANSIBLE_HOST_KEY_CHECKING: 'False',
    ANSIBLE_NET_PASSWORD: 'y',
    AWS_ACCESS_KEY_ID: 'AKIA',
    AWS_SECRET_ACCESS_KEY: 'z',
    EMPTY_SECRET: '',
  }

  test('names and known values are hidden', () => {
    const starting = {
      status: 'starting',
      command: ['ansible-playbook', '-e', 'p=hunter2'],
      env,
      cwd: '/runner/project',
    }
    expect(redactStarting(starting, ['hunter2'])).toEqual({
      jobArgs: `["ansible-playbook", "-e", "p=${hidden}"]`,
      jobCwd: '/runner/project',
      jobEnv: {
        ...env,
        MY_TOKEN: hidden,
        db_password: hidden,
        HARMLESS: `mixed ${hidden} in`,
        ANSIBLE_NET_PASSWORD: hidden,
        AWS_SECRET_ACCESS_KEY: hidden,
      },
    })
  })

  test('a captured one loses nothing else', () => {
    const [first] = new SpoolReader().push(readFileSync(new URL('./fixtures/worker-ok.stream', import.meta.url)))
    if (first?.kind !== 'status') throw new Error('no status record')
    expect(redactStarting(first.status, []).jobEnv).toEqual(first.status.env)
  })

  test('a record without its parts', () => {
    expect(redactStarting({ status: 'starting' }, [])).toEqual({ jobArgs: '[]', jobCwd: '', jobEnv: {} })
  })
})
