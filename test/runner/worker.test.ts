import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type ControlPlaneAnsible, controlPlaneAnsible } from '../../dev/ansible.ts'
import type { EventRow } from '../../model/event.ts'
import { toEventRow } from '../../runner/event.ts'
import { changedFacts } from '../../runner/facts.ts'
import type { RunnerJob } from '../../runner/job.ts'
import { buildPayload } from '../../runner/payload.ts'
import { redactStarting } from '../../runner/redact.ts'
import { type RunnerStatus, SpoolReader } from '../../runner/stream.ts'
import { onThisMachine, testCredential, testJob } from '../../runner/testing.ts'

/** The payload against the real `ansible-runner worker`, as it runs in the pod. */

let ansible: ControlPlaneAnsible
let folder = ''
let project = ''
beforeAll(async () => {
  ansible = await controlPlaneAnsible()
})
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mayfly-worker-'))
  project = join(folder, 'project-source')
  mkdirSync(project)
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const dataDir = () => join(folder, 'runner')

function put(name: string, content: string, mode = 0o644) {
  mkdirSync(join(project, name, '..'), { recursive: true })
  writeFileSync(join(project, name), content, { mode })
}

interface Run {
  code: number | null
  stderr: string
  statuses: RunnerStatus[]
  rows: EventRow[]
  secrets: string[]
}

async function run(changes: Partial<RunnerJob>): Promise<Run> {
  const payload = await buildPayload(testJob({ projectFolder: project, privateDataDir: dataDir(), ...changes }))
  const [program = '', ...words] = ansible.runner
  const env = { ...ansible.env, HOME: folder }
  const worker = spawn(program, [...words, 'worker', `--private-data-dir=${dataDir()}`], { env, cwd: folder })
  const [stdout, stderr] = await Promise.all([
    buffer(worker.stdout),
    buffer(worker.stderr),
    once(worker, 'close'),
    pipeline(payload.stream(), worker.stdin),
  ])
  const records = new SpoolReader().push(stdout)
  expect(records.filter(({ kind }) => kind === 'damage' || kind === 'noise')).toEqual([])
  expect(records.at(-1)).toMatchObject({ kind: 'eof', end: stdout.length })
  return {
    code: worker.exitCode,
    stderr: stderr.toString(),
    statuses: records.flatMap((record) => (record.kind === 'status' ? [record.status] : [])),
    rows: records.flatMap((record) => (record.kind === 'event' ? [toEventRow(record.event)] : [])),
    secrets: payload.secrets,
  }
}

/** Results by task name. */
function results({ rows }: Run): Record<string, Record<string, unknown>> {
  const ended = rows.filter(({ event }) => /^runner_on_(ok|failed|unreachable)$/.test(event))
  return Object.fromEntries(ended.map(({ task, eventData }) => [task, eventData.res as Record<string, unknown>]))
}

const finalStatus = ({ statuses }: Run) => statuses.at(-1)?.status

function newKey(passphrase: string): string {
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', passphrase, '-f', join(folder, 'key')])
  return readFileSync(join(folder, 'key'), 'utf8')
}

function encrypt(file: string, password: string) {
  const [program = '', ...words] = ansible.playbook.map((word) => (word === 'playbook' ? 'vault' : word))
  writeFileSync(join(folder, 'vault-password'), password)
  const all = [...words, 'encrypt', '--vault-password-file', join(folder, 'vault-password'), join(project, file)]
  execFileSync(program, all, { env: { ...ansible.env, HOME: folder }, stdio: 'pipe' })
}

/** Stands for sudo: asks as it does, and goes on only with the right password. */
const fakeSudo = `#!/bin/sh
while :; do case "$1" in -p) prompt=$2; shift 2 ;; -u) shift 2 ;; -*) shift ;; *) break ;; esac; done
printf '%s' "$prompt" >&2
read -r answer
[ "$answer" = 'b3come $x' ] || { echo 'Sorry, try again.' >&2; exit 1; }
export BECAME=yes
exec "$@"
`

test('tree, key with passphrase, become, vaults, files and variables arrive as they were meant', async () => {
  put(
    'real.yml',
    `
- hosts: all
  gather_facts: false
  vars_files: [plain.yml, named.yml]
  tasks:
    - { name: variables, debug: { msg: "{{ [a, b, evil, odd, template, injected, hv, awx_job_id, ansible_limit] }}" } }
    - { name: tree, shell: "stat -c '%a %F %n' * files/* && readlink site.yml files/out && cat link/run.sh" }
    - { name: agent, command: ssh-add -l }
    - { name: become, become: true, shell: echo $BECAME }
    - { name: injected, shell: 'echo "$TOKEN" && cat "$FILE" && stat -c %a "$FILE"' }
`,
  )
  put('plain.yml', 'a: from the plain vault\n')
  put('named.yml', 'b: from the named vault\n')
  encrypt('plain.yml', 'v4ult "p$')
  encrypt('named.yml', 'other one')
  put('files/run.sh', 'hello\n', 0o755)
  put('files/secret', '', 0o600)
  put('sudo', fakeSudo, 0o755)
  chmodSync(join(project, 'sudo'), 0o755)
  symlinkSync('real.yml', join(project, 'site.yml'))
  symlinkSync('files', join(project, 'link'))
  symlinkSync('/nowhere/at all', join(project, 'files/out'))
  const odd = '\u0085\u2028😀"\\'
  const ended = await run({
    forks: 3,
    diffMode: true,
    forceHandlers: true,
    limit: 'h1:!none',
    skipTags: 'never',
    extraVars: { evil: '{{ 1 + 1 }}', odd, template: '{{ 1 + 2 }}' },
    templateExtraVars: { template: '{{ 1 + 2 }}' },
    metaVars: { awx_job_id: 77 },
    taskEnv: { ANSIBLE_BECOME_ALLOW_SAME_USER: 'True' },
    inventory: {
      name: 'i',
      variables: `${onThisMachine}\nansible_become_exe: ${dataDir()}/project/sudo\n`,
      hosts: [{ id: 1, name: 'h1', enabled: true, variables: 'hv: "it\'s \\\\ ü"' }],
      groups: [],
    },
    credentials: [
      testCredential('ssh', {
        username: 'somebody',
        password: 'sshpassword',
        ssh_key_data: newKey('key pass'),
        ssh_key_unlock: 'ASK',
        become_method: 'sudo',
        become_password: 'b3come $x',
      }),
      testCredential('vault', { vault_password: 'v4ult "p$' }),
      testCredential('vault', { vault_password: 'other one', vault_id: 'my.id' }),
      testCredential(
        'cloud',
        { token: 't0k{{ 1 }}' },
        {
          secret: ['token'],
          injectors: {
            env: { TOKEN: '{{ token }}', FILE: '{{ tower.filename }}' },
            file: { template: 'in a file: {{ token }}\n' },
            extra_vars: { injected: '{{ token }}' },
          },
        },
      ),
    ],
    launchPasswords: { ssh_key_unlock: 'key pass' },
  })
  const of = results(ended)
  expect([finalStatus(ended), ended.code, ended.stderr]).toEqual(['successful', 0, ''])
  expect(of.variables?.msg).toEqual([
    'from the plain vault',
    'from the named vault',
    '{{ 1 + 1 }}',
    odd,
    3,
    't0k{{ 1 }}',
    "it's \\ ü",
    77,
    'h1:!none',
  ])
  expect(String(of.tree?.stdout).split('\n')).toEqual([
    '755 directory files',
    '777 symbolic link link',
    '600 regular file named.yml',
    '600 regular file plain.yml',
    '644 regular file real.yml',
    '777 symbolic link site.yml',
    '755 regular file sudo',
    '777 symbolic link files/out',
    '755 regular file files/run.sh',
    '600 regular empty file files/secret',
    'real.yml',
    '/nowhere/at all',
    'hello',
  ])
  expect(of.agent?.stdout).toMatch(/^256 SHA256:.*\(ED25519\)$/)
  expect(of.become?.stdout).toBe('yes')
  expect(of.injected?.stdout).toBe('t0k{{ 1 }}\nin a file: t0k{{ 1 }}\n600')
  const [starting] = ended.statuses
  if (!starting) throw new Error('no status')
  const kept = redactStarting(starting, ended.secrets)
  expect(kept.jobArgs).toContain(
    '-u somebody --ask-pass --diff --become-method sudo --ask-become-pass --ask-vault-pass',
  )
  expect(kept.jobEnv.TOKEN).toBe('**********')
  for (const secret of ended.secrets) expect(JSON.stringify(kept)).not.toContain(secret)
})

test('facts travel there and back', async () => {
  put(
    'site.yml',
    `
- hosts: all
  gather_facts: false
  tasks:
    - { name: before, debug: { msg: "{{ ansible_facts.colour | default('none') }}" } }
    - set_fact: { colour: "{{ 'red' if ansible_facts.colour is not defined else 'blue' }}", cacheable: true }
`,
  )
  put('ansible.cfg', '[defaults]\ngathering = smart\n')
  const cache = async function* () {
    const files = join(dataDir(), 'artifacts/77/fact_cache')
    for (const name of readdirSync(files)) yield { name, text: readFileSync(join(files, name), 'utf8') }
  }
  const first = await run({ facts: [] })
  expect(results(first).before).toMatchObject({ msg: 'none' })
  const [gathered, ...more] = await changedFacts(cache(), [])
  expect(more).toEqual([])
  expect(gathered).toMatchObject({ hostName: 'h1', facts: { colour: 'red' } })
  rmSync(dataDir(), { recursive: true })
  const sent = [{ hostName: 'h1', facts: gathered?.facts ?? {}, modified: new Date() }]
  const second = await run({ facts: sent })
  expect(results(second).before).toMatchObject({ msg: 'red' })
  expect(await changedFacts(cache(), sent)).toMatchObject([{ hostName: 'h1', facts: { colour: 'blue' } }])
})

describe('content of requirements files', () => {
  test("is found before the image's own, and beside what ansible.cfg names", async () => {
    const content = join(folder, 'content')
    const role = (base: string, name: string) => {
      mkdirSync(join(base, name, 'tasks'), { recursive: true })
      writeFileSync(join(base, name, 'tasks/main.yml'), `- { name: ${name}, debug: { msg: "here" } }\n`)
    }
    role(join(content, 'roles'), 'fetched')
    role(join(project, 'own-roles'), 'configured')
    const plugins = join(content, 'collections/ansible_collections/my/own/plugins/filter')
    mkdirSync(plugins, { recursive: true })
    const filter = 'class FilterModule:\n    def filters(self):\n        return {"shout": lambda x: x.upper()}\n'
    writeFileSync(join(plugins, 'shout.py'), filter)
    put('ansible.cfg', '[defaults]\nroles_path = own-roles\n')
    put(
      'site.yml',
      `
- hosts: all
  gather_facts: false
  roles: [fetched, configured]
  tasks:
    - { name: shout, debug: { msg: "{{ 'x' | my.own.shout }}" } }
`,
    )
    const ended = await run({ rolesFolder: join(content, 'roles'), collectionsFolder: join(content, 'collections') })
    expect(finalStatus(ended)).toBe('successful')
    expect(Object.keys(results(ended)).map((name) => name.replace(/^.* : /, ''))).toEqual([
      'fetched',
      'configured',
      'shout',
    ])
    expect(results(ended).shout?.msg).toBe('X')
  })
})

test("the job timeout is the runner's", async () => {
  put('site.yml', '- hosts: all\n  gather_facts: false\n  tasks:\n    - command: sleep 60\n')
  const ended = await run({ timeout: 2 })
  expect([finalStatus(ended), ended.code]).toEqual(['timeout', 254])
})

test('a slice without hosts still is an inventory', async () => {
  put('site.yml', '- hosts: all\n  gather_facts: false\n  tasks: []\n')
  const ended = await run({ slice: { number: 2, count: 2 } })
  expect(finalStatus(ended)).toBe('successful')
  expect(ended.rows.map(({ event }) => event)).toContain('playbook_on_no_hosts_matched')
})
