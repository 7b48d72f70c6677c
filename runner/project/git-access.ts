import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type ResolvedCredential, textInput, withFinalNewline } from '../credentials.ts'
import type { GitSource } from './git-url.ts'
import type { HostKeyPolicy } from './types.ts'

/** Environment in which git, and ansible-galaxy when it calls git, reaches remotes; disposing of it removes the keys from the disk. */
export interface GitAccess {
  env: Record<string, string>
  secrets: string[]
  [Symbol.asyncDispose](): Promise<void>
}

/**
 * Answers the questions of git and ssh from the environment, so that no credential is on a command line or in a URL. Passwords go to the
 * project's own host only: a submodule, a redirect or a requirements file elsewhere does not get them.
 */
const answerScript = `#!/bin/sh
case "$1" in
  *"continue connecting"*) echo yes ;;
  "Enter passphrase"*) printf '%s\\n' "$MAYFLY_PASSPHRASE" ;;
  "Username for "*"//$MAYFLY_HOST'"*) printf '%s\\n' "$MAYFLY_USERNAME" ;;
  "Password for "*"//$MAYFLY_HOST'"*|"Password for "*"@$MAYFLY_HOST'"*) printf '%s\\n' "$MAYFLY_PASSWORD" ;;
  *"@$MAYFLY_SSH_HOST's password"*) printf '%s\\n' "$MAYFLY_PASSWORD" ;;
  *) exit 1 ;;
esac
`

/** Variables of the control plane that its children need to reach the network. */
const passedOn = [
  'PATH',
  'http_proxy',
  'https_proxy',
  'no_proxy',
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'NO_PROXY',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
]

/** Settings of every git call: no helper programs, no waiting for a dead server, no work left in the background. */
const gitSettings: [string, string][] = [
  ['credential.helper', ''],
  ['core.hooksPath', '/dev/null'],
  ['http.lowSpeedLimit', '1'],
  ['gc.autoDetach', 'false'],
  ['maintenance.autoDetach', 'false'],
  ['advice.detachedHead', 'false'],
]

/**
 * Makes git's environment for a source. `folder` is the project's own: host keys are kept there, keys lie there while the update runs. A remote may
 * be silent for `patienceMs`.
 */
export async function openGitAccess(
  folder: string,
  source: GitSource,
  credential: ResolvedCredential | null,
  hostKeys: HostKeyPolicy,
  extra: Record<string, string>,
  patienceMs: number,
): Promise<GitAccess> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const patienceSeconds = Math.max(Math.ceil(patienceMs / 1000), 1)
  const home = await mkdtemp(join(folder, 'access-'))
  try {
    return { ...(await accessIn(home)), [Symbol.asyncDispose]: () => rm(home, { recursive: true, force: true }) }
  } catch (error) {
    await rm(home, { recursive: true, force: true })
    throw error
  }

  async function accessIn(home: string): Promise<Pick<GitAccess, 'env' | 'secrets'>> {
    const input = (field: string) => (credential ? textInput(credential, field) : '')
    const password = input('password') || source.password
    const username = input('username') || source.username
    const passphrase = input('ssh_key_unlock')
    const key = input('ssh_key_data')
    const script = join(home, 'answer')
    await writeFile(script, answerScript, { mode: 0o700 })
    if (key) await writeFile(join(home, 'key'), withFinalNewline(key), { mode: 0o600 })
    const knownHosts = await knownHostsFile(home)
    const settings: (readonly [string, string])[] = [
      ...gitSettings,
      ['http.lowSpeedTime', String(patienceSeconds)],
      ...(source.transport === 'file' ? [['safe.directory', '*'] as const] : []),
    ]
    return {
      secrets: [password, passphrase, key, ...(source.username === username ? [] : [source.password])].filter(Boolean),
      env: {
        ...Object.fromEntries(passedOn.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : []))),
        ...extra,
        HOME: home,
        LC_ALL: 'C.UTF-8',
        GIT_CONFIG_NOSYSTEM: '1',
        GIT_CONFIG_GLOBAL: '/dev/null',
        GIT_TERMINAL_PROMPT: '0',
        // Only a project that is itself a local repository may lead to others on this machine.
        GIT_ALLOW_PROTOCOL: source.transport === 'file' ? 'file:git:http:https:ssh' : 'git:http:https:ssh',
        GIT_ASKPASS: script,
        SSH_ASKPASS: script,
        SSH_ASKPASS_REQUIRE: 'force',
        DISPLAY: ':0',
        GIT_SSH_COMMAND: sshCommand(key ? join(home, 'key') : null, knownHosts, Boolean(password || passphrase)),
        GIT_CONFIG_COUNT: String(settings.length),
        ...Object.fromEntries(
          settings.flatMap(([name, value], index) => [
            [`GIT_CONFIG_KEY_${index}`, name],
            [`GIT_CONFIG_VALUE_${index}`, value],
          ]),
        ),
        MAYFLY_HOST: source.host,
        MAYFLY_SSH_HOST: source.host.replace(/:\d+$/, ''),
        MAYFLY_USERNAME: username || 'git',
        MAYFLY_PASSWORD: password,
        MAYFLY_PASSPHRASE: passphrase,
      },
    }
  }

  async function knownHostsFile(home: string): Promise<string> {
    if (hostKeys === 'accept-any') return '/dev/null'
    if (hostKeys === 'accept-new') return join(folder, 'known_hosts')
    const file = join(home, 'known_hosts')
    await writeFile(file, hostKeys.knownHosts, { mode: 0o600 })
    return file
  }

  function sshCommand(key: string | null, knownHosts: string, mayAsk: boolean): string {
    const checking = hostKeys === 'accept-any' ? 'no' : hostKeys === 'accept-new' ? 'accept-new' : 'yes'
    const options = [
      // Neither the configuration nor the keys nor the agent of whoever runs the control plane.
      'IdentityAgent=none',
      'IdentitiesOnly=yes',
      `IdentityFile=${key ? quoted(key) : 'none'}`,
      `UserKnownHostsFile=${quoted(knownHosts)}`,
      `StrictHostKeyChecking=${checking}`,
      `BatchMode=${mayAsk ? 'no' : 'yes'}`,
      'NumberOfPasswordPrompts=1',
      `ConnectTimeout=${Math.min(patienceSeconds, 30)}`,
      'ServerAliveInterval=15',
      'ForwardAgent=no',
      'PermitLocalCommand=no',
      // It also tells of what it learns, which is no failure.
      'LogLevel=ERROR',
    ]
    return ['ssh', '-F', 'none', ...options.flatMap((option) => ['-o', shellQuoted(option)])].join(' ')
  }
}

/** ssh splits the values of file options at spaces. */
const quoted = (path: string) => `"${path}"`
const shellQuoted = (word: string) => `'${word.replaceAll("'", `'"'"'`)}'`
