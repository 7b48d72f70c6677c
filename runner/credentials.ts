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

/** What credentials mean for a run. */
export interface CredentialEffects {
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

/** Works out what the credentials mean for a run. Throws CredentialUnusableError. */
export function applyCredentials(
  credentials: ResolvedCredential[],
  launchPasswords: CredentialPasswords = {},
): CredentialEffects {
  throw new Error(`${credentials.length} ${Object.keys(launchPasswords).length}`)
}

/** Names of the passwords that must be given at launch, in AWX's order. */
export function passwordsNeeded(credentials: ResolvedCredential[]): string[] {
  throw new Error(`${credentials.length}`)
}

/** Why the job must not start, in AWX's words (awx.md §1.10), or null: required inputs or launch passwords are missing. */
export function prestartProblem(
  credentials: ResolvedCredential[],
  launchPasswords: CredentialPasswords = {},
): string | null {
  throw new Error(`${credentials.length} ${Object.keys(launchPasswords).length}`)
}
