/** One input of a credential type, in AWX's form; `secret` values are sealed at rest and never shown. */
export interface CredentialField {
  id: string
  label: string
  type: 'string' | 'boolean'
  format?: 'ssh_private_key' | 'url' | 'vault_id'
  secret?: boolean
  multiline?: boolean
  /** The value may be `ASK`: whoever launches is asked for it. */
  ask_at_runtime?: boolean
  default?: string | boolean
  choices?: string[]
  help_text?: string
}

/** Inputs of a credential type, as on the wire. */
export interface CredentialInputs {
  fields: CredentialField[]
  required?: string[]
}

interface ManagedCredentialType {
  namespace: string
  name: string
  kind: string
  inputs: CredentialInputs
}

const text = (id: string, label: string, more: Partial<CredentialField> = {}): CredentialField => ({
  id,
  label,
  type: 'string',
  ...more,
})
const secret = (id: string, label: string, more: Partial<CredentialField> = {}) =>
  text(id, label, { secret: true, ...more })
const privateKey = (label: string) => secret('ssh_key_data', label, { format: 'ssh_private_key', multiline: true })

/** Types that every installation has, with AWX's names, fields and order; the first one has id 1 there and here. */
export const managedCredentialTypes: readonly ManagedCredentialType[] = [
  {
    namespace: 'ssh',
    name: 'Machine',
    kind: 'ssh',
    inputs: {
      fields: [
        text('username', 'Username'),
        secret('password', 'Password', { ask_at_runtime: true }),
        privateKey('SSH Private Key'),
        secret('ssh_public_key_data', 'Signed SSH Certificate', { multiline: true }),
        secret('ssh_key_unlock', 'Private Key Passphrase', { ask_at_runtime: true }),
        text('become_method', 'Privilege Escalation Method', {
          help_text: 'Ansible become method, such as sudo, su or runas; Ansible chooses when empty.',
        }),
        text('become_username', 'Privilege Escalation Username'),
        secret('become_password', 'Privilege Escalation Password', { ask_at_runtime: true }),
      ],
    },
  },
  {
    namespace: 'scm',
    name: 'Source Control',
    kind: 'scm',
    inputs: {
      fields: [
        text('username', 'Username'),
        secret('password', 'Password'),
        privateKey('SCM Private Key'),
        secret('ssh_key_unlock', 'Private Key Passphrase'),
      ],
    },
  },
  {
    namespace: 'vault',
    name: 'Vault',
    kind: 'vault',
    inputs: {
      fields: [
        secret('vault_password', 'Vault Password', { ask_at_runtime: true }),
        text('vault_id', 'Vault Identifier', {
          format: 'vault_id',
          help_text: 'Name after which Ansible picks this password among several; optional.',
        }),
      ],
      required: ['vault_password'],
    },
  },
  {
    namespace: 'kubernetes_bearer_token',
    name: 'OpenShift or Kubernetes API Bearer Token',
    kind: 'kubernetes',
    inputs: {
      fields: [
        text('host', 'OpenShift or Kubernetes API Endpoint', {
          help_text: "Address of the cluster's API server, such as https://kubernetes.example.org:6443.",
        }),
        secret('bearer_token', 'API authentication bearer token'),
        { id: 'verify_ssl', label: 'Verify SSL', type: 'boolean', default: true },
        secret('ssl_ca_cert', 'Certificate Authority data', { multiline: true }),
      ],
      required: ['host', 'bearer_token'],
    },
  },
  {
    namespace: 'registry',
    name: 'Container Registry',
    kind: 'registry',
    inputs: {
      fields: [
        text('host', 'Authentication URL', { default: 'quay.io', help_text: 'Host of the registry that asks for it.' }),
        text('username', 'Username'),
        secret('password', 'Password or Token', { help_text: 'Password or token of that user.' }),
        { id: 'verify_ssl', label: 'Verify SSL', type: 'boolean', default: true },
      ],
      required: ['host'],
    },
  },
  {
    namespace: 'github_token',
    name: 'GitHub Personal Access Token',
    kind: 'token',
    inputs: {
      fields: [secret('token', 'Token', { help_text: 'Token of an account that may set the status of commits.' })],
      required: ['token'],
    },
  },
  {
    namespace: 'gitlab_token',
    name: 'GitLab Personal Access Token',
    kind: 'token',
    inputs: {
      fields: [
        secret('token', 'Token', {
          help_text: 'Token of an account that may set the status of commits; it needs the scope api.',
        }),
      ],
      required: ['token'],
    },
  },
  {
    namespace: 'bitbucket_dc_token',
    name: 'Bitbucket Data Center HTTP Access Token',
    kind: 'token',
    inputs: {
      fields: [
        secret('token', 'Token', {
          help_text: 'Token of a project or repository, or of an account, that may set the status of builds.',
        }),
      ],
      required: ['token'],
    },
  },
  {
    namespace: 'galaxy_api_token',
    name: 'Ansible Galaxy/Automation Hub API Token',
    kind: 'galaxy',
    inputs: {
      fields: [
        text('url', 'Galaxy Server URL', { help_text: 'Address of the Galaxy server.' }),
        text('auth_url', 'Auth Server URL', { help_text: 'Token endpoint of a Keycloak server, where SSO is used.' }),
        secret('token', 'API Token', { help_text: 'Token that the server gave you.' }),
      ],
      required: ['url'],
    },
  },
]
