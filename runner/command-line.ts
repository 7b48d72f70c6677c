import { type CredentialEffects, CredentialUnusableError } from './credentials.ts'
import type { RunnerJob } from './job.ts'

/** ansible-playbook's options without the playbook, in AWX's order. Throws CredentialUnusableError. */
export function playbookArguments(job: RunnerJob, effects: CredentialEffects): string[] {
  return [
    ...connectionArguments(job, effects),
    ...vaultArguments(Object.keys(effects.passwords)),
    ...(job.forks > 0 ? [`--forks=${job.forks}`] : []),
    ...(job.forceHandlers ? ['--force-handlers'] : []),
    ...(job.limit ? ['-l', job.limit] : []),
    ...(job.verbosity > 0 ? [`-${'v'.repeat(Math.min(job.verbosity, 5))}`] : []),
    ...(job.jobTags ? ['-t', job.jobTags] : []),
    ...(job.skipTags ? [`--skip-tags=${job.skipTags}`] : []),
    ...(job.startAtTask ? [`--start-at-task=${job.startAtTask}`] : []),
    ...effects.args,
  ]
}

/** What plays and ad hoc commands have in common: whether they change anything, and as whom they connect. Throws CredentialUnusableError. */
export function connectionArguments(
  job: Pick<RunnerJob, 'jobType' | 'becomeEnabled' | 'diffMode'>,
  effects: CredentialEffects,
): string[] {
  const { passwords } = effects
  return [
    ...(job.jobType === 'check' ? ['--check'] : []),
    '-u',
    plain('username', effects.username),
    ...('ssh_password' in passwords ? ['--ask-pass'] : []),
    ...(job.becomeEnabled ? ['--become'] : []),
    ...(job.diffMode ? ['--diff'] : []),
    ...(effects.becomeMethod ? ['--become-method', plain('become_method', effects.becomeMethod)] : []),
    ...(effects.becomeUsername ? ['--become-user', plain('become_username', effects.becomeUsername)] : []),
    ...('become_password' in passwords ? ['--ask-become-pass'] : []),
  ]
}

const vaultPrefix = 'vault_password.'

/** The vault id of a password's name, null for any other password. */
export function vaultIdOf(passwordName: string): string | null {
  return passwordName.startsWith(vaultPrefix) ? passwordName.slice(vaultPrefix.length) : null
}

function vaultArguments(passwordNames: string[]): string[] {
  return passwordNames.flatMap((name) => {
    if (name === 'vault_password') return ['--ask-vault-pass']
    const id = vaultIdOf(name)
    return id === null ? [] : ['--vault-id', `${id}@prompt`]
  })
}

/** Only plain text may stand here: Ansible would evaluate Jinja. Throws CredentialUnusableError. */
function plain(field: string, value: string): string {
  if (/\{\{|\{%/.test(value)) throw new CredentialUnusableError(`Inline Jinja variables are not allowed in ${field}.`)
  return value
}

/** Words as one line that Python's shlex splits into the same words. */
export function shellLine(words: string[]): string {
  return words
    .map((word) => (/^[A-Za-z0-9@%+=:,./_-]+$/.test(word) ? word : `'${word.replaceAll("'", `'"'"'`)}'`))
    .join(' ')
}
