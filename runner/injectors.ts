import { isMapping } from '../model/variables.ts'
import {
  type CredentialEffects,
  CredentialUnusableError,
  type ResolvedCredential,
  textInput,
  withFinalNewline,
} from './credentials.ts'
import { extraVarsYaml } from './extra-vars.ts'

/** Variables that a credential must not change, because the run itself depends on them (AWX's list). */
const reserved = new Set([
  'VIRTUAL_ENV',
  'PATH',
  'PYTHONPATH',
  'JOB_ID',
  'INVENTORY_ID',
  'INVENTORY_SOURCE_ID',
  'INVENTORY_UPDATE_ID',
  'AD_HOC_COMMAND_ID',
  'REST_API_URL',
  'REST_API_TOKEN',
  'MAX_EVENT_RES',
  'CALLBACK_QUEUE',
  'CALLBACK_CONNECTION',
  'CACHE',
  'JOB_CALLBACK_DEBUG',
  'INVENTORY_HOSTVARS',
  'AWX_HOST',
  'PROJECT_REVISION',
])

/** Adds what a credential that is neither machine nor vault brings: by rules of our own for managed types, else by its injectors. */
export function customEffects(credential: ResolvedCredential, effects: CredentialEffects): void {
  if (credential.namespace === 'kubernetes_bearer_token') applyKubernetes(credential, effects)
  else if (credential.kind === 'net') applyNetwork(credential, effects)
  else if (credential.kind !== 'scm') applyInjectors(credential, effects)
}

/** Puts a file beside the run and answers its path in the execution environment. */
function addFile(effects: CredentialEffects, credential: ResolvedCredential, name: string, content: string): string {
  const path = `env/tmp_${credential.id}_${name.replace(/[^A-Za-z0-9_-]/g, '_')}`
  effects.files.push({ path, content })
  return `${effects.folder}/${path}`
}

function applyKubernetes(credential: ResolvedCredential, effects: CredentialEffects): void {
  effects.env.K8S_AUTH_HOST = textInput(credential, 'host')
  effects.env.K8S_AUTH_API_KEY = textInput(credential, 'bearer_token')
  const authority = textInput(credential, 'ssl_ca_cert')
  effects.env.K8S_AUTH_VERIFY_SSL = credential.inputs.verify_ssl ? 'True' : 'False'
  if (credential.inputs.verify_ssl && authority !== '') {
    effects.env.K8S_AUTH_SSL_CA_CERT = addFile(effects, credential, 'ca', withFinalNewline(authority))
  }
}

function applyNetwork(credential: ResolvedCredential, effects: CredentialEffects): void {
  effects.env.ANSIBLE_NET_USERNAME = textInput(credential, 'username')
  effects.env.ANSIBLE_NET_PASSWORD = textInput(credential, 'password')
  const key = textInput(credential, 'ssh_key_data')
  if (key !== '') effects.env.ANSIBLE_NET_SSH_KEYFILE = addFile(effects, credential, 'key', withFinalNewline(key))
  effects.env.ANSIBLE_NET_AUTHORIZE = credential.inputs.authorize ? '1' : '0'
  if (credential.inputs.authorize) effects.env.ANSIBLE_NET_AUTH_PASS = textInput(credential, 'authorize_password')
}

type Names = { [name: string]: string | boolean | Names }

function applyInjectors(credential: ResolvedCredential, effects: CredentialEffects): void {
  const { injectors, fields } = credential.type
  const names: Names = Object.fromEntries(
    fields.map((field) => {
      const value = credential.inputs[field.id] ?? field.default ?? (field.type === 'boolean' ? false : '')
      return [field.id, typeof value === 'boolean' ? value : String(value)]
    }),
  )
  const files: Names = {}
  for (const [label, template] of Object.entries(injectors.file ?? {})) {
    const name = label.replace(/^template\.?/, '')
    const path = addFile(effects, credential, name || 'file', render(template, names, credential))
    if (name === '') names.tower = { filename: path }
    else files[name] = path
  }
  if (Object.keys(files).length > 0) names.tower = { filename: files }
  for (const [variable, template] of Object.entries(injectors.env ?? {})) {
    if (!reserved.has(variable)) effects.env[variable] = render(template, names, credential)
  }
  if (Object.keys(injectors.extra_vars ?? {}).length > 0) {
    const vars = renderAll(injectors.extra_vars, names, credential) as Record<string, unknown>
    effects.args.push('-e', `@${addFile(effects, credential, 'extra_vars', extraVarsYaml(vars, {}))}`)
  }
}

function renderAll(value: unknown, names: Names, credential: ResolvedCredential): unknown {
  if (typeof value === 'string') return render(value, names, credential)
  if (Array.isArray(value)) return value.map((item) => renderAll(item, names, credential))
  if (!isMapping(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [render(key, names, credential), renderAll(item, names, credential)]),
  )
}

/** Replaces `{{ field }}` and `{{ tower.filename.x }}`; other Jinja is refused by name rather than passed on half understood. */
function render(template: string, names: Names, credential: ResolvedCredential): string {
  const where = `Credential ${credential.name}: its type's injector`
  if (/\{%|\{#/.test(template))
    throw new CredentialUnusableError(`${where} uses Jinja statements, which are not supported`)
  return template.replace(/\{\{-?\s*(.*?)\s*-?\}\}/gs, (_, expression: string) => {
    if (!/^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$/.test(expression)) {
      throw new CredentialUnusableError(`${where} uses "${expression}"; only names of fields are supported`)
    }
    let value: Names[string] | undefined = names
    for (const part of expression.split('.')) {
      value = typeof value === 'object' && Object.hasOwn(value, part) ? value[part] : undefined
    }
    if (value === undefined || typeof value === 'object') {
      throw new CredentialUnusableError(`${where} refers to "${expression}", which is no field of it`)
    }
    return typeof value === 'boolean' ? (value ? 'True' : 'False') : value
  })
}
