import { mayLackPassphrase, passwordsAsked } from '../../model/launch-passwords.ts'
import { credentialContext, isSealed, type Keyring, open, UnsealError } from '../secrets.ts'

/** Names of the passwords that a stored credential asks for at launch. Its key is opened only where it decides. */
export function storedPasswordsAsked(
  keyring: Keyring,
  { id, kind, inputs }: { id: number; kind: string; inputs: Record<string, unknown> },
): string[] {
  const decides = kind === 'ssh' && isSealed(inputs.ssh_key_data) && mayLackPassphrase(inputs)
  return passwordsAsked(kind, decides ? { ...inputs, ssh_key_data: openKey(keyring, id, inputs.ssh_key_data) } : inputs)
}

function openKey(keyring: Keyring, id: number, sealed: unknown): string {
  try {
    return isSealed(sealed) ? open(keyring, sealed, credentialContext(id, 'ssh_key_data')) : ''
  } catch (error) {
    // Templates can be shown all the same; a job with this credential says that it cannot be opened.
    if (error instanceof UnsealError) return ''
    throw error
  }
}
