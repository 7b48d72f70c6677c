/** What launching must know of a credential; never its secrets. */
export interface LaunchCredential {
  id: number
  name: string
  description: string
  typeId: number
  typeName: string
  kind: string
  /** AWX's stable name of a managed type; null for custom types. */
  namespace: string | null
  /** Names of the passwords that must be given at launch, such as `ssh_password`. */
  passwordsNeeded: string[]
  vaultId: string
}

/** Kinds that a play can use. */
export const playCredentialKinds = ['ssh', 'vault', 'cloud', 'net', 'kubernetes']

/** Passwords to ask for before a job with these credentials can start. */
export function passwordsNeeded(credentials: LaunchCredential[]): string[] {
  return [...new Set(credentials.flatMap((credential) => credential.passwordsNeeded))]
}

/** How AWX names the place a credential takes: one per type, vaults one per vault id. */
export function credentialPlace(credential: LaunchCredential): { key: string; label: string } {
  const named = credential.kind === 'vault' && credential.vaultId !== ''
  return {
    key: named ? `${credential.typeId} ${credential.vaultId}` : String(credential.typeId),
    label: named ? `${credential.typeName} (id=${credential.vaultId})` : credential.typeName,
  }
}

/**
 * The job's credentials: the template's own, each replaced by a launched one of the same place. `given` are the ids sent, `accepted` those of
 * them that the template lets in and does not have, `found` the rows of all. `messages` say what forbids it, in AWX's words.
 */
export function chooseCredentials(
  own: LaunchCredential[],
  given: number[] | undefined,
  accepted: number[] | undefined,
  found: LaunchCredential[],
): { credentials: LaunchCredential[]; messages: string[] } {
  const byId = new Map(found.map((credential) => [credential.id, credential]))
  const pick = (ids: number[] = []) => ids.flatMap((id) => byId.get(id) ?? [])
  const messages: string[] = []
  const launched = pick(accepted)
  const places = new Set<string>()
  for (const credential of launched) {
    const { key, label } = credentialPlace(credential)
    if (places.has(key)) messages.push(`Cannot assign multiple ${label} credentials.`)
    if (!playCredentialKinds.includes(credential.kind))
      messages.push(`Cannot assign a Credential of kind \`${credential.kind}\``)
    places.add(key)
  }
  if (given) {
    const provided = new Set(pick(given).map((credential) => credentialPlace(credential).key))
    const removed = own.filter((credential) => !given.includes(credential.id))
    const names = removed.map((credential) => `${credential.name}-${credential.id}`).join(', ')
    for (const credential of removed) {
      const { key, label } = credentialPlace(credential)
      if (provided.has(key)) continue
      messages.push(
        `Removing ${label} credential at launch time without replacement is not supported. Provided list lacked credential(s): ${names}.`,
      )
    }
  }
  const chosen = new Map<string, LaunchCredential>()
  for (const credential of [...own, ...launched]) chosen.set(credentialPlace(credential).key, credential)
  return { credentials: [...chosen.values()], messages }
}
