import { isEncryptedKey } from './ssh-key.ts'

/** What an input holds instead of a password that is to be asked for at launch. */
export const asked = 'ASK'

/**
 * AWX's names of the passwords that a credential asks for at launch, in AWX's order. `inputs` in clear. The passphrase of a key is asked for only
 * where there is a key that needs one.
 */
export function passwordsAsked(kind: string, inputs: Record<string, unknown>): string[] {
  if (kind === 'vault') return inputs.vault_password === asked ? [vaultPasswordName(inputs.vault_id)] : []
  if (kind !== 'ssh') return []
  return [
    ...(inputs.password === asked ? ['ssh_password'] : []),
    ...(inputs.become_password === asked ? ['become_password'] : []),
    ...(mayLackPassphrase(inputs) && isEncryptedKey(String(inputs.ssh_key_data ?? '')) ? ['ssh_key_unlock'] : []),
  ]
}

/** Whether the credential does not hold the passphrase that its key, if it has one, may need. */
export function mayLackPassphrase({ ssh_key_unlock: passphrase }: Record<string, unknown>): boolean {
  return passphrase === asked || passphrase === '' || passphrase === undefined || passphrase === null
}

/** The name under which a vault's password is asked for and passed on. */
export function vaultPasswordName(vaultId: unknown): string {
  return typeof vaultId === 'string' && vaultId !== '' ? `vault_password.${vaultId}` : 'vault_password'
}
