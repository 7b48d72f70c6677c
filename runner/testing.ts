import type { CredentialField, ResolvedCredential } from './credentials.ts'
import type { RunnerJob } from './job.ts'

/** Variables of a host that is the machine on which the play runs. */
export const onThisMachine = 'ansible_connection: local\nansible_python_interpreter: "{{ ansible_playbook_python }}"'

/** A plain job on host `h1` for tests; `changes` replace its fields. */
export function testJob(changes: Partial<RunnerJob> & { projectFolder: string }): RunnerJob {
  return {
    id: 77,
    jobType: 'run',
    playbook: 'site.yml',
    forks: 0,
    limit: '',
    verbosity: 0,
    jobTags: '',
    skipTags: '',
    startAtTask: '',
    forceHandlers: false,
    becomeEnabled: false,
    diffMode: false,
    timeout: 0,
    idleTimeout: 0,
    projectRevision: '4209f8b20127d09fe450cb1a546394d92b872aad',
    rolesFolder: null,
    collectionsFolder: null,
    inventoryId: 5,
    inventory: {
      name: 'hosts',
      variables: '',
      hosts: [{ id: 1, name: 'h1', enabled: true, variables: onThisMachine }],
      groups: [],
    },
    slice: { number: 0, count: 1 },
    credentials: [],
    launchPasswords: {},
    extraVars: {},
    templateExtraVars: {},
    metaVars: {},
    facts: null,
    publicUrl: 'http://mayfly.example.org',
    taskEnv: {},
    ...changes,
  }
}

/** A credential for tests; inputs named in `secret` are secret fields. */
export function testCredential(
  kind: string,
  inputs: Record<string, unknown>,
  type: Partial<ResolvedCredential['type']> & { secret?: string[]; namespace?: string } = {},
): ResolvedCredential {
  const { secret = ['password', 'become_password', 'ssh_key_data', 'ssh_key_unlock', 'vault_password'] } = type
  const fields = Object.entries(inputs).map(
    ([id, value]): CredentialField => ({
      id,
      type: typeof value === 'boolean' ? 'boolean' : 'string',
      secret: secret.includes(id),
    }),
  )
  return {
    id: 3,
    name: `my ${kind}`,
    kind,
    namespace: type.namespace ?? null,
    inputs,
    type: { fields: type.fields ?? fields, required: type.required ?? [], injectors: type.injectors ?? {} },
  }
}
