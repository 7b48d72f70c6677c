import type { CredentialField, CredentialPasswords, ResolvedCredential } from '../runner/credentials.ts'
import { openInputs } from '../store/credential-inputs.ts'
import { openLaunchSecrets } from '../store/launch/launch-secrets.ts'
import type { RunDocument } from '../store/run-document.ts'
import type { TypedCredential } from '../store/typed-credential.ts'
import type { ActivityDeps } from './deps.ts'

/** A credential with its inputs in clear. */
export function resolve(
  { keyring }: Pick<ActivityDeps, 'keyring'>,
  { credential, type }: TypedCredential,
): ResolvedCredential {
  return {
    id: credential.id,
    name: credential.name,
    kind: type.kind,
    namespace: type.namespace,
    inputs: openInputs(keyring, { credential }),
    type: {
      fields: (type.inputs.fields ?? []) as CredentialField[],
      required: (type.inputs.required ?? []) as string[],
      injectors: type.injectors,
    },
  }
}

/** Passwords given at launch, by AWX's names. */
export function launchPasswords({ keyring }: Pick<ActivityDeps, 'keyring'>, { job }: RunDocument): CredentialPasswords {
  return openLaunchSecrets(keyring, job)
}
