import { credentialContext, isSealed, type Keyring, open } from './secrets.ts'
import type { TypedCredential } from './typed-credential.ts'

/**
 * The inputs of a credential in clear. They live in memory only and never leave the process but into a pod's payload or an API server's
 * header. Throws UnsealError.
 */
export function openInputs(
  keyring: Keyring,
  { credential }: Pick<TypedCredential, 'credential'>,
): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(credential.inputs).map(([field, value]) => [
      field,
      isSealed(value) ? open(keyring, value, credentialContext(credential.id, field)) : value,
    ]),
  )
}
