import { execFile } from 'node:child_process'
import { resolve } from 'node:path'
import { promisify } from 'node:util'
import { ConfigurationError } from './errors.ts'

/** The `exec` part of a kubeconfig's user: a program that prints a token, as cloud providers use it. */
export interface ExecConfig {
  apiVersion?: string
  command?: string
  args?: string[] | null
  env?: { name: string; value: string }[] | null
}

interface ExecCredential {
  status?: { token?: string; expirationTimestamp?: string; clientCertificateData?: string }
}

/** The program is asked again this long before its token expires. */
const renewBeforeMs = 60_000

/** Runs the plugin when a token is needed and keeps the token until shortly before it expires. */
export function execPlugin(config: ExecConfig, folder: string): () => Promise<string> {
  let pending: Promise<string> | null = null
  let validUntil = Number.NEGATIVE_INFINITY
  return () => {
    if (pending && Date.now() < validUntil) return pending
    validUntil = Number.POSITIVE_INFINITY
    pending = run(config, folder).then(
      ({ token, expires }) => {
        validUntil = expires - renewBeforeMs
        return `Bearer ${token}`
      },
      (error) => {
        pending = null
        throw error
      },
    )
    return pending
  }
}

async function run(config: ExecConfig, folder: string): Promise<{ token: string; expires: number }> {
  // A command with a slash is relative to the kubeconfig, any other is looked up on PATH, as kubectl does it.
  const command = config.command?.includes('/') ? resolve(folder, config.command) : (config.command ?? '')
  const info = {
    apiVersion: config.apiVersion ?? 'client.authentication.k8s.io/v1',
    kind: 'ExecCredential',
    spec: { interactive: false },
  }
  const env: NodeJS.ProcessEnv = { ...process.env, KUBERNETES_EXEC_INFO: JSON.stringify(info) }
  for (const { name, value } of config.env ?? []) env[name] = value
  let printed: string
  try {
    const options = { env, timeout: 30_000, maxBuffer: 1 << 20 }
    printed = (await promisify(execFile)(command, config.args ?? [], options)).stdout
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? ` (${String(error.code)})` : ''
    throw new ConfigurationError(`The kubeconfig's credential plugin ${command} failed${reason}.`)
  }
  let credential: ExecCredential
  try {
    credential = JSON.parse(printed)
  } catch {
    throw new ConfigurationError(`The kubeconfig's credential plugin ${command} did not print an ExecCredential.`)
  }
  const { token, expirationTimestamp } = credential.status ?? {}
  if (!token) throw new ConfigurationError(`The kubeconfig's credential plugin ${command} gave no token.`)
  return { token, expires: expirationTimestamp ? Date.parse(expirationTimestamp) : Number.POSITIVE_INFINITY }
}
