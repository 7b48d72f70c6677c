import { vaultIdOf } from './command-line.ts'
import type { CredentialPasswords } from './credentials.ts'

/** Ansible's privilege escalation methods, as AWX lists them. */
const becomeMethods = [
  'sudo',
  'su',
  'pbrun',
  'pfexec',
  'dzdo',
  'pmrun',
  'runas',
  'enable',
  'doas',
  'ksu',
  'machinectl',
  'sesu',
]

const end = String.raw`:\s*?$`

/**
 * Answers to every question that ssh, ansible-playbook and become plugins may ask, by Python pattern, first match wins. A question without a
 * known answer is answered by an empty line, so that no question waits for the timeout.
 */
export function promptAnswers(passwords: CredentialPasswords): Record<string, string> {
  const answer = (name: string) => passwords[name] ?? ''
  const answers: Record<string, string> = {
    [`Enter passphrase for .*${end}`]: answer('ssh_key_unlock'),
    [`Bad passphrase, try again for .*${end}`]: '',
  }
  for (const method of becomeMethods) {
    answers[`${method} password.*${end}`] = answer('become_password')
    answers[`${method.toUpperCase()} password.*${end}`] = answer('become_password')
  }
  answers[`BECOME password.*${end}`] = answer('become_password')
  answers[`SSH password${end}`] = answer('ssh_password')
  answers[`Password${end}`] = answer('ssh_password')
  answers[`Vault password${end}`] = answer('vault_password')
  for (const [name, password] of Object.entries(passwords)) {
    const id = vaultIdOf(name)
    if (id !== null) answers[String.raw`Vault password \(${escapePattern(id)}\)${end}`] = password
  }
  return answers
}

function escapePattern(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')
}
