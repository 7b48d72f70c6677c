import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { playbookArguments, shellLine } from './command-line.ts'
import { applyCredentials } from './credential-effects.ts'
import { prestartProblem } from './credentials.ts'
import { promptAnswers } from './prompts.ts'
import { testCredential, testJob } from './testing.ts'

function newKey(passphrase: string, ...options: string[]): string {
  const folder = mkdtempSync(join(tmpdir(), 'mayfly-key-'))
  try {
    execFileSync('ssh-keygen', ['-q', '-N', passphrase, '-f', join(folder, 'key'), ...options])
    return readFileSync(join(folder, 'key'), 'utf8')
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const machine = (inputs: Record<string, unknown>) => testCredential('ssh', inputs, { namespace: 'ssh' })
const vault = (inputs: Record<string, unknown>) => testCredential('vault', inputs, { namespace: 'vault' })

describe('passwords at launch', () => {
  test('are asked for where the credential says ASK, in the order of AWX', () => {
    const key = newKey('p', '-t', 'ed25519')
    const credentials = [
      machine({ password: 'ASK', become_password: 'ASK', ssh_key_data: key, ssh_key_unlock: 'ASK' }),
      vault({ vault_password: 'ASK' }),
      vault({ vault_password: 'ASK', vault_id: 'a.b' }),
    ]
    const names = ['ssh_password', 'become_password', 'ssh_key_unlock', 'vault_password', 'vault_password.a.b']
    expect(prestartProblem(credentials, { ssh_password: 'x' })).toBe(
      `Missing needed fields: ${names.slice(1).join(', ')}. Task failed pre-start check.`,
    )
    const given = Object.fromEntries(names.map((name) => [name, `<${name}>`]))
    expect(prestartProblem(credentials, given)).toBeNull()
    const { passwords, secrets } = applyCredentials(credentials, given)
    expect(passwords).toEqual(given)
    expect(secrets).toEqual(expect.arrayContaining([...Object.values(given), key]))
  })

  test('are not asked for what the credential holds, nor for a plain key', () => {
    const plain = machine({ password: 'x', ssh_key_data: newKey('', '-t', 'ed25519'), ssh_key_unlock: 'ASK' })
    expect(prestartProblem([plain, vault({ vault_password: 'y' })])).toBeNull()
  })

  test('an ASK that was not answered is no password', () => {
    expect(applyCredentials([machine({ password: 'ASK' })]).passwords).toEqual({})
  })
})

test('missing inputs are told in the words of AWX', () => {
  const lacking = testCredential('cloud', { host: '', verify: false }, { required: ['token', 'host', 'verify'] })
  expect(prestartProblem([lacking])).toBe(
    'Job cannot start because Credential my cloud does not provide one or more required fields (host, token). Task failed pre-start check.',
  )
})

describe('the command line', () => {
  const args = (job: Partial<Parameters<typeof testJob>[0]>, ...credentials: ReturnType<typeof machine>[]) =>
    playbookArguments(testJob({ projectFolder: '/p', ...job }), applyCredentials(credentials))

  test('of a plain job', () => expect(args({})).toEqual(['-u', 'root']))

  test('has the order of AWX', () => {
    const everything = {
      jobType: 'check' as const,
      becomeEnabled: true,
      diffMode: true,
      forks: 7,
      forceHandlers: true,
      limit: 'a b',
      verbosity: 9,
      jobTags: 't1,t2',
      skipTags: 's',
      startAtTask: "it's here",
    }
    const words = args(
      everything,
      machine({ username: 'me', password: 'p', become_method: 'su', become_username: 'you', become_password: 'b' }),
      vault({ vault_password: 'v' }),
      vault({ vault_password: 'w', vault_id: 'x.y' }),
    )
    expect(shellLine(words)).toBe(
      `--check -u me --ask-pass --become --diff --become-method su --become-user you --ask-become-pass --ask-vault-pass --vault-id x.y@prompt --forks=7 --force-handlers -l 'a b' -vvvvv -t t1,t2 --skip-tags=s '--start-at-task=it'"'"'s here'`,
    )
  })

  test('takes no Jinja for users', () => {
    expect(() => args({}, machine({ username: '{{ lookup("file", "/etc/passwd") }}' }))).toThrow(
      'not allowed in username',
    )
  })

  test('two vaults of one id contradict each other', () => {
    const twice = vault({ vault_password: 'v', vault_id: 'x' })
    expect(() => applyCredentials([twice, twice])).toThrow(
      'multiple vault credentials were specified with --vault-id x@prompt',
    )
  })
})

test('every question has an answer, empty where none is known', () => {
  const answers = promptAnswers({
    ssh_password: 's',
    become_password: 'b',
    ssh_key_unlock: 'k',
    'vault_password.a.b': 'v',
  })
  const asked = (question: string) =>
    Object.entries(answers).find(([pattern]) => new RegExp(pattern, 'm').test(question))?.[1]
  expect(asked('Enter passphrase for /runner/artifacts/1/ssh_key_data: ')).toBe('k')
  expect(asked('SSH password: ')).toBe('s')
  expect(asked('BECOME password[defaults to SSH password]: ')).toBe('b')
  expect(asked('SUDO password: ')).toBe('b')
  expect(asked('Vault password: ')).toBe('')
  expect(asked('Vault password (a.b): ')).toBe('v')
  expect(asked('Vault password (axb): ')).toBeUndefined()
})

describe('what other credentials bring', () => {
  test('a Kubernetes token', () => {
    const inputs = { host: 'https://k', bearer_token: 't', verify_ssl: true, ssl_ca_cert: 'CA' }
    const effects = applyCredentials([testCredential('kubernetes', inputs, { namespace: 'kubernetes_bearer_token' })])
    expect(effects.env).toEqual({
      K8S_AUTH_HOST: 'https://k',
      K8S_AUTH_API_KEY: 't',
      K8S_AUTH_VERIFY_SSL: 'True',
      K8S_AUTH_SSL_CA_CERT: '/runner/env/tmp_3_ca',
    })
    expect(effects.files).toEqual([{ path: 'env/tmp_3_ca', content: 'CA\n' }])
  })

  test('injectors of a custom type', () => {
    const injectors = {
      env: {
        TOKEN: 'Bearer {{ token }}',
        FLAG: '{{flag}}',
        FILE: '{{ tower.filename.cert }}',
        JOB_ID: 'no',
        GONE: '{{ none }}',
      },
      file: { 'template.cert': 'c={{token}}', 'template.key': 'k' },
      extra_vars: { nested: { list: ['{{ token }}', 3] } },
    }
    const fields = [{ id: 'token', secret: true }, { id: 'flag', type: 'boolean' as const }, { id: 'none' }]
    const effects = applyCredentials([testCredential('cloud', { token: '{{ 1 }}', flag: true }, { injectors, fields })])
    expect(effects.env).toEqual({
      TOKEN: 'Bearer {{ 1 }}',
      FLAG: 'True',
      FILE: '/runner/env/tmp_3_cert',
      GONE: '',
    })
    expect(effects.args).toEqual(['-e', '@/runner/env/tmp_3_extra_vars'])
    expect(effects.files).toEqual([
      { path: 'env/tmp_3_cert', content: 'c={{ 1 }}' },
      { path: 'env/tmp_3_key', content: 'k' },
      { path: 'env/tmp_3_extra_vars', content: '{!unsafe "nested": {!unsafe "list": [!unsafe "{{ 1 }}", 3]}}\n' },
    ])
    expect(effects.secrets).toEqual(['{{ 1 }}'])
  })

  test.each([
    ['{% if a %}x{% endif %}', 'uses Jinja statements'],
    ['{{ a | b64encode }}', '"a | b64encode"'],
    ['{{ other }}', 'refers to "other"'],
    ['{{ __proto__ }}', 'refers to "__proto__"'],
  ])('%s is refused by name', (template, message) => {
    const odd = testCredential('cloud', { a: 'x' }, { injectors: { env: { X: template } } })
    expect(() => applyCredentials([odd])).toThrow(message)
  })
})
