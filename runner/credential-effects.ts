import { vaultPasswordName } from '../model/launch-passwords.ts'
import {
  type CredentialEffects,
  type CredentialPasswords,
  CredentialUnusableError,
  type ResolvedCredential,
  runnerFolder,
  secretsOf,
  textInput,
  withFinalNewline,
} from './credentials.ts'
import { customEffects } from './injectors.ts'

/** Inputs that hold passwords, and the names under which AWX asks for them at launch. */
const machinePasswords = [
  ['ssh_key_unlock', 'ssh_key_unlock'],
  ['password', 'ssh_password'],
  ['become_password', 'become_password'],
] as const

/** Works out what the credentials mean for a run. Throws CredentialUnusableError. */
export function applyCredentials(
  credentials: ResolvedCredential[],
  launchPasswords: CredentialPasswords = {},
  folder = runnerFolder,
): CredentialEffects {
  const effects: CredentialEffects = {
    folder,
    username: 'root',
    becomeMethod: '',
    becomeUsername: '',
    passwords: {},
    sshKey: null,
    sshCertificate: null,
    env: {},
    files: [],
    args: [],
    secrets: Object.values(launchPasswords).filter((password) => password !== ''),
  }
  for (const credential of credentials) {
    effects.secrets.push(...secretsOf(credential))
    if (credential.kind === 'ssh') applyMachine(credential, launchPasswords, effects)
    else if (credential.kind === 'vault') applyVault(credential, launchPasswords, effects)
    else customEffects(credential, effects)
  }
  return effects
}

function applyMachine(credential: ResolvedCredential, given: CredentialPasswords, effects: CredentialEffects): void {
  effects.username = textInput(credential, 'username') || 'root'
  effects.becomeMethod = textInput(credential, 'become_method')
  effects.becomeUsername = textInput(credential, 'become_username')
  for (const [field, name] of machinePasswords) {
    const value = given[name] ?? textInput(credential, field)
    if (value !== '' && value !== 'ASK') effects.passwords[name] = value
  }
  const key = textInput(credential, 'ssh_key_data')
  if (key !== '') effects.sshKey = withFinalNewline(key)
  const certificate = textInput(credential, 'ssh_public_key_data')
  if (certificate !== '') effects.sshCertificate = withFinalNewline(certificate)
}

function applyVault(credential: ResolvedCredential, given: CredentialPasswords, effects: CredentialEffects): void {
  const name = vaultPasswordName(credential.inputs.vault_id)
  if (name in effects.passwords) {
    const id = textInput(credential, 'vault_id')
    throw new CredentialUnusableError(`multiple vault credentials were specified with --vault-id ${id}@prompt`)
  }
  const value = given[name] ?? textInput(credential, 'vault_password')
  if (value !== '' && value !== 'ASK') effects.passwords[name] = value
}
