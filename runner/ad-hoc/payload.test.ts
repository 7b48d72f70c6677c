import { readFileSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { CredentialUnusableError } from '../credentials.ts'
import { onThisMachine, testCredential } from '../testing.ts'
import { adHocArguments } from './arguments.ts'
import type { AdHocJob } from './job.ts'
import { buildAdHocPayload } from './payload.ts'

const command = (changes: Partial<AdHocJob> = {}): AdHocJob => ({
  id: 43,
  jobType: 'run',
  moduleName: 'command',
  moduleArgs: '/bin/echo hi',
  forks: 5,
  limit: '',
  verbosity: 0,
  becomeEnabled: false,
  diffMode: false,
  inventoryId: 7,
  inventory: {
    variables: '',
    hosts: [{ id: 1, name: 'h1', enabled: true, variables: onThisMachine }],
    groups: [],
  },
  credentials: [],
  launchPasswords: {},
  extraVars: {},
  metaVars: {},
  taskEnv: {},
  ...changes,
})

const noEffects = {
  folder: '/runner',
  username: 'root',
  becomeMethod: '',
  becomeUsername: '',
  passwords: {},
  sshKey: null,
  sshCertificate: null,
  env: {},
  files: [],
  args: [],
  secrets: [],
}

test('says what a recorded command said', async () => {
  const payload = buildAdHocPayload(command())
  const sent = await text(payload.stream())
  expect(Buffer.byteLength(sent)).toBe(payload.size)
  const [first = ''] = sent.split('\n')
  const recorded = readFileSync(new URL('../fixtures/transmit-adhoc.stream', import.meta.url), 'utf8').split('\n')[0]
  const { kwargs } = JSON.parse(first)
  const { kwargs: expected } = JSON.parse(recorded ?? '')
  // Every question that may be asked has an answer; where the data lies is the recording's own.
  const { passwords: _asked, envvars, ...rest } = expected
  const { AWX_PRIVATE_DATA_DIR: _folder, ...env } = envvars
  expect(kwargs).toMatchObject({ ...rest, envvars: env })
})

test('orders its options as AWX does and ends with the pattern', () => {
  const all = command({ jobType: 'check', becomeEnabled: true, diffMode: true, verbosity: 3, limit: 'web:!web1' })
  const effects = {
    ...noEffects,
    becomeMethod: 'sudo',
    becomeUsername: 'root',
    passwords: { ssh_password: 'a', become_password: 'b' },
  }
  expect(adHocArguments(all, effects)).toEqual([
    ...['--check', '-u', 'root', '--ask-pass', '--become', '--diff', '--become-method', 'sudo'],
    ...['--become-user', 'root', '--ask-become-pass', '--forks=5', '-vvv', 'web:!web1'],
  ])
  expect(adHocArguments(command({ forks: 0 }), noEffects)).toEqual(['-u', 'root', 'all'])
})

test('refuses a user name that Ansible would evaluate', () => {
  const credentials = [testCredential('ssh', { username: '{{ lookup("env", "HOME") }}' })]
  expect(() => buildAdHocPayload(command({ credentials }))).toThrow(CredentialUnusableError)
})
