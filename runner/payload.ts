import { readConfiguredPaths } from './ansible-config.ts'
import { playbookArguments, shellLine } from './command-line.ts'
import { applyCredentials } from './credential-effects.ts'
import type { CredentialEffects } from './credentials.ts'
import { playbookEnvironment } from './environment.ts'
import { extraVarsYaml } from './extra-vars.ts'
import { factFiles } from './facts.ts'
import { inventoryScript } from './inventory.ts'
import type { RunnerJob } from './job.ts'
import { promptAnswers } from './prompts.ts'
import { directoryEntry, textEntry, treeEntries } from './tree.ts'
import { type ZipEntry, ZipSizeError, zipSize, zipStream } from './zip.ts'

/** What goes to the worker's stdin. */
export interface Payload {
  /** Exact number of bytes that stream() yields. */
  size: number
  /** The bytes from the beginning; may be called again and yields the same. Throws PayloadChangedError when a file changed since. */
  stream(): AsyncIterable<Buffer>
  /** Secrets inside, for a Redactor. */
  secrets: string[]
}

/** A file of the project changed while it was being sent. */
export class PayloadChangedError extends Error {
  override name = 'PayloadChangedError'
}

/**
 * Prepares what is sent for a playbook job. Reads file sizes now and contents while streaming; nothing is kept on disk, so there is
 * nothing to clean up. Throws CredentialUnusableError, InventoryVariablesError, ProjectUnreadableError.
 */
export async function buildPayload(job: RunnerJob): Promise<Payload> {
  const effects = applyCredentials(job.credentials, job.launchPasswords, job.privateDataDir)
  const configured = await readConfiguredPaths(job.projectFolder)
  const kwargs = {
    ident: job.id,
    playbook: job.playbook,
    inventory: 'inventory/hosts',
    passwords: promptAnswers(effects.passwords),
    suppress_env_files: true,
    envvars: playbookEnvironment(job, effects, configured),
    fact_cache_type: job.facts ? 'jsonfile' : '',
    ...(effects.sshKey ? { ssh_key: effects.sshKey } : {}),
  }
  const entries = await privateDataDir(job, effects)
  return { ...encode(kwargs, entries), secrets: effects.secrets }
}

/** The wire format: two JSON lines, the zip in base64 without line end, and the end mark right after it. */
export function encode(kwargs: Record<string, unknown>, entries: ZipEntry[]): Pick<Payload, 'size' | 'stream'> {
  const length = zipSize(entries)
  const head = Buffer.from(`${JSON.stringify({ kwargs })}\n${JSON.stringify({ zipfile: length })}\n`)
  const tail = Buffer.from('{"eof": true}\n')
  return {
    size: head.length + Math.ceil(length / 3) * 4 + tail.length,
    async *stream() {
      yield head
      yield* base64(guarded(zipStream(entries)))
      yield tail
    },
  }
}

async function* guarded(zip: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  try {
    yield* zip
  } catch (error) {
    if (error instanceof ZipSizeError)
      throw new PayloadChangedError(`The project changed while it was sent: ${error.message}`)
    // The path in Node's message is the control plane's own; the code says enough.
    if (error instanceof Error && 'code' in error) {
      throw new PayloadChangedError(`The project changed while it was sent: a file cannot be read (${error.code})`)
    }
    throw error
  }
}

/** One unbroken run: every piece but the last encodes a multiple of three bytes. */
async function* base64(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let waiting: Buffer[] = []
  let length = 0
  for await (const chunk of chunks) {
    waiting.push(chunk)
    length += chunk.length
    if (length < 48 * 1024) continue
    const bytes = Buffer.concat(waiting, length)
    const whole = length - (length % 3)
    yield Buffer.from(bytes.toString('base64', 0, whole), 'latin1')
    waiting = [bytes.subarray(whole)]
    length -= whole
  }
  if (length > 0) yield Buffer.from(Buffer.concat(waiting, length).toString('base64'), 'latin1')
}

async function privateDataDir(job: RunnerJob, effects: CredentialEffects): Promise<ZipEntry[]> {
  const now = new Date()
  const slice = job.slice.count > 1 ? job.slice : undefined
  const line = shellLine(playbookArguments(job, effects))
  const vars = { ...job.extraVars, ...job.metaVars }
  return [
    ...(await treeEntries(job.projectFolder, 'project')),
    directoryEntry('inventory', 0o700, now),
    textEntry('inventory/hosts', inventoryScript(job.inventory, slice), 0o700, now),
    directoryEntry('env', 0o700, now),
    textEntry('env/cmdline', line, 0o600, now),
    textEntry('env/extravars', extraVarsYaml(vars, job.templateExtraVars), 0o600, now),
    textEntry('env/settings', JSON.stringify(settings(job)), 0o600, now),
    ...effects.files.map((file) => textEntry(file.path, file.content, 0o600, now)),
    directoryEntry('cp', 0o700, now),
    ...(job.rolesFolder ? await treeEntries(job.rolesFolder, 'requirements_roles') : []),
    ...(job.collectionsFolder ? await treeEntries(job.collectionsFolder, 'requirements_collections') : []),
    ...artifacts(job, effects, now),
  ]
}

/** The runner's `env/settings`. Always ours and always complete: what is missing here would be taken from elsewhere. */
export function settings(job: Pick<RunnerJob, 'timeout' | 'idleTimeout'>): Record<string, unknown> {
  return {
    ...(job.timeout > 0 ? { job_timeout: job.timeout } : {}),
    ...(job.idleTimeout > 0 ? { idle_timeout: job.idleTimeout } : {}),
    // How long a cancel or a timeout may go unnoticed, in seconds; the runner's default is 5.
    pexpect_timeout: 1,
    suppress_ansible_output: true,
    suppress_output_file: true,
  }
}

function artifacts(job: RunnerJob, effects: CredentialEffects, now: Date): ZipEntry[] {
  const folder = `artifacts/${job.id}`
  const cache = `${folder}/fact_cache`
  const entries: ZipEntry[] = []
  if (effects.sshCertificate) {
    entries.push(textEntry(`${folder}/ssh_key_data-cert.pub`, effects.sshCertificate, 0o600, now))
  }
  for (const host of job.facts ?? []) {
    for (const file of factFiles(host)) {
      entries.push(textEntry(`${cache}/${file.name}`, file.content, 0o600, host.modified))
    }
  }
  if (entries.length === 0) return []
  return [
    directoryEntry('artifacts', 0o700, now),
    directoryEntry(folder, 0o700, now),
    ...(job.facts ? [directoryEntry(cache, 0o700, now)] : []),
    ...entries,
  ]
}
