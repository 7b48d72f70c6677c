/** Inputs whose value may be `ASK`, and AWX's name of the password then asked for at launch. */
const askable: Record<string, string> = {
  password: 'ssh_password',
  become_password: 'become_password',
  ssh_key_unlock: 'ssh_key_unlock',
}

/** Names of the passwords a credential asks for at launch. `ASK` is no secret, so it is stored as it is. */
export function passwordsAsked(kind: string, inputs: Record<string, unknown>): string[] {
  if (kind === 'ssh')
    return Object.keys(askable).flatMap((input) => (inputs[input] === 'ASK' ? (askable[input] ?? []) : []))
  if (kind !== 'vault' || inputs.vault_password !== 'ASK') return []
  return [inputs.vault_id ? `vault_password.${inputs.vault_id}` : 'vault_password']
}
