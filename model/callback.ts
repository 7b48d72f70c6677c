import { storedVariables } from './variables.ts'

/** A host of an inventory, as far as somebody who calls back can be it. */
export interface CallbackHost {
  id: number
  name: string
  /** As the user wrote them. */
  variables: string
}

/** The name or address under which Ansible reaches a host. */
export function effectiveHostName({ name, variables }: CallbackHost): string {
  const own = storedVariables(variables)
  const given = own.ansible_ssh_host ?? own.ansible_host
  return typeof given === 'string' && given !== '' ? given : name
}

/** Hosts whose effective name is one of the caller's names and addresses. */
export function matchDirectly<H extends CallbackHost>(hosts: readonly H[], callers: ReadonlySet<string>): H[] {
  return hosts.filter((host) => callers.has(effectiveHostName(host)))
}
