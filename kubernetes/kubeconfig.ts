import { readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, dirname, join, resolve } from 'node:path'
import { parse } from 'yaml'
import { type Endpoint, parseHost, type TlsOptions, tokenFile, tokenSubject } from './endpoint.ts'
import { ConfigurationError } from './errors.ts'
import { type ExecConfig, execPlugin } from './kubeconfig-exec.ts'
import { repairCa } from './target.ts'

interface NamedEntry<Key extends string, Value> {
  name: string
  value: Value
  /** Folder of the file it came from; relative paths in it start there. */
  folder: string
  kind: Key
}

interface ClusterEntry {
  server?: string
  'certificate-authority'?: string
  'certificate-authority-data'?: string
  'insecure-skip-tls-verify'?: boolean
  'tls-server-name'?: string
}

interface UserEntry {
  token?: string
  tokenFile?: string
  username?: string
  password?: string
  'client-certificate'?: string
  'client-certificate-data'?: string
  'client-key'?: string
  'client-key-data'?: string
  exec?: ExecConfig
  'auth-provider'?: { name?: string }
}

interface ContextEntry {
  cluster?: string
  user?: string
}

/** The files that kubectl would read: `path`, else KUBECONFIG, else ~/.kube/config. */
function filesOf(path: string | undefined): string[] {
  if (path) return [path]
  const listed = (process.env.KUBECONFIG ?? '').split(delimiter).filter(Boolean)
  return listed.length > 0 ? listed : [join(homedir(), '.kube', 'config')]
}

/** Reads cluster and user of a context (default: the current one) from kubeconfig files; the first file that names something wins. */
export function readKubeconfig(target: { path?: string; context?: string }): Endpoint {
  const files = filesOf(target.path).map((file) => ({ folder: dirname(resolve(file)), content: load(file) }))
  const find = <Value>(list: string, kind: string, name: string): NamedEntry<string, Value> => {
    for (const { folder, content } of files) {
      const entries = content[list]
      if (!Array.isArray(entries)) continue
      for (const entry of entries) {
        if (entry?.name === name && entry[kind]) return { name, value: entry[kind] as Value, folder, kind }
      }
    }
    throw new ConfigurationError(`The kubeconfig has no ${kind} named ${JSON.stringify(name)}.`)
  }
  const current = files
    .map(({ content }) => content['current-context'])
    .find((name) => typeof name === 'string' && name)
  const contextName = target.context ?? (typeof current === 'string' ? current : undefined)
  if (!contextName) throw new ConfigurationError('The kubeconfig has no current context and none was named.')
  const context = find<ContextEntry>('contexts', 'context', contextName)
  const cluster = find<ClusterEntry>('clusters', 'cluster', context.value.cluster ?? '')
  const user = find<UserEntry>('users', 'user', context.value.user ?? '')
  if (!cluster.value.server) throw new ConfigurationError(`The kubeconfig's cluster ${cluster.name} has no server.`)

  const tls: TlsOptions = { rejectUnauthorized: cluster.value['insecure-skip-tls-verify'] !== true }
  const ca = material(
    cluster.folder,
    cluster.value['certificate-authority-data'],
    cluster.value['certificate-authority'],
  )
  if (ca && tls.rejectUnauthorized) tls.ca = repairCa(ca)
  const cert = material(user.folder, user.value['client-certificate-data'], user.value['client-certificate'])
  const key = material(user.folder, user.value['client-key-data'], user.value['client-key'])
  if (cert && key) Object.assign(tls, { cert, key })
  if (cluster.value['tls-server-name']) tls.servername = cluster.value['tls-server-name']
  return {
    url: parseHost(cluster.value.server),
    tls,
    authorization: authorizationOf(user),
    identity: user.value.token ? tokenSubject(user.value.token) : user.name,
    fingerprint: JSON.stringify([cluster.value, user.value, tls]),
  }
}

function authorizationOf(user: NamedEntry<string, UserEntry>): () => Promise<string | null> {
  const { token, tokenFile: file, username, password, exec } = user.value
  if (file) return tokenFile(resolve(user.folder, file))
  if (token) return async () => `Bearer ${token}`
  if (username) return async () => `Basic ${Buffer.from(`${username}:${password ?? ''}`).toString('base64')}`
  if (exec) return execPlugin(exec, user.folder)
  if (user.value['auth-provider']) {
    throw new ConfigurationError(
      `The kubeconfig's user ${user.name} uses the auth provider ${user.value['auth-provider'].name ?? ''}, which Kubernetes has removed; use an exec plugin or a token.`,
    )
  }
  return async () => null
}

function load(file: string): Record<string, unknown> {
  try {
    const content: unknown = parse(readFileSync(file, 'utf8'))
    if (typeof content === 'object' && content !== null) return content as Record<string, unknown>
  } catch (error) {
    // The parser's message may quote a line with a secret.
    const reason =
      error instanceof Error && 'syscall' in error && 'code' in error ? String(error.code) : 'not valid YAML'
    throw new ConfigurationError(`The kubeconfig ${file} cannot be read: ${reason}.`)
  }
  throw new ConfigurationError(`The kubeconfig ${file} is empty.`)
}

function material(folder: string, data: string | undefined, file: string | undefined): string | undefined {
  if (data) return Buffer.from(data, 'base64').toString('latin1')
  if (!file) return undefined
  try {
    return readFileSync(resolve(folder, file), 'latin1')
  } catch (error) {
    throw new ConfigurationError(`The kubeconfig names a file that cannot be read: ${file}.`, String(error))
  }
}
