import { passwordsAsked } from '../model/launch-passwords.ts'

/** One input of a credential type (AWX: `inputs.fields[]`). */
export interface CredentialField {
  id: string
  type?: 'string' | 'boolean'
  secret?: boolean
  multiline?: boolean
  ask_at_runtime?: boolean
  default?: string | boolean
}

/** A credential with its inputs in clear. Lives in memory only, from resolving to the payload. */
export interface ResolvedCredential {
  id: number
  name: string
  /** ssh, vault, scm, net, cloud, kubernetes, … */
  kind: string
  /** AWX's stable name of a managed type; null for custom types. */
  namespace: string | null
  inputs: Record<string, unknown>
  type: {
    fields: CredentialField[]
    required: string[]
    /** AWX's `injectors`: env, file and extra_vars templates. */
    injectors: { env?: Record<string, string>; file?: Record<string, string>; extra_vars?: Record<string, unknown> }
  }
}

/** Values for `ASK` inputs by AWX's names: ssh_password, become_password, ssh_key_unlock, vault_password, vault_password.<id>. */
export type CredentialPasswords = Record<string, string>

/** A credential that cannot be used as it is; the message names it and goes to job_explanation. */
export class CredentialUnusableError extends Error {
  override name = 'CredentialUnusableError'
}

/** A file that a credential brings, under env/ of the private data dir, mode 0600. */
export interface InjectedFile {
  /** Relative to the private data dir, such as `env/tmp_12_cert`. */
  path: string
  content: string
}

/** Where the worker unpacks the private data dir in every execution environment. */
export const runnerFolder = '/runner'

/** What credentials mean for a run. */
export interface CredentialEffects {
  /** Private data dir of the run, where the paths below lie. */
  folder: string
  /** Machine credential's user; 'root' when none says otherwise. */
  username: string
  becomeMethod: string
  becomeUsername: string
  /** Answers by AWX's names, ASK values filled in. */
  passwords: CredentialPasswords
  sshKey: string | null
  /** Signed certificate that belongs to sshKey. */
  sshCertificate: string | null
  env: Record<string, string>
  files: InjectedFile[]
  /** Further words of the command line, such as `-e @/runner/env/…`. */
  args: string[]
  /** Every secret value, for the Redactor. */
  secrets: string[]
}

/** An input as text; '' for one that is absent or of another type. */
export function textInput(credential: ResolvedCredential, field: string): string {
  const value = credential.inputs[field]
  return typeof value === 'string' ? value : ''
}

/** OpenSSH refuses a key without its last line end, and one with the line ends of Windows. */
export function withFinalNewline(key: string): string {
  return `${key.replaceAll('\r\n', '\n').trimEnd()}\n`
}

/** Values of a credential's secret inputs. */
export function secretsOf(credential: ResolvedCredential): string[] {
  return credential.type.fields
    .filter((field) => field.secret)
    .map((field) => textInput(credential, field.id))
    .filter((value) => value !== '' && value !== 'ASK')
}

/** Why the job must not start, in AWX's words, or null: required inputs or launch passwords are missing. */
export function prestartProblem(
  credentials: ResolvedCredential[],
  launchPasswords: CredentialPasswords = {},
): string | null {
  for (const credential of credentials) {
    const missing = credential.type.required.filter((field) => isMissing(credential, field))
    if (missing.length === 0) continue
    const fields = missing.sort().join(', ')
    return `Job cannot start because Credential ${credential.name} does not provide one or more required fields (${fields}). Task failed pre-start check.`
  }
  const needed = new Set(credentials.flatMap(({ kind, inputs }) => passwordsAsked(kind, inputs)))
  const unanswered = [...needed].filter((name) => !launchPasswords[name])
  return unanswered.length > 0 ? `Missing needed fields: ${unanswered.join(', ')}. Task failed pre-start check.` : null
}

function isMissing(credential: ResolvedCredential, field: string): boolean {
  const value = credential.inputs[field]
  return value === undefined || value === null || value === ''
}
