import { mkdir, readFile, realpath, stat, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join, sep } from 'node:path'
import { stripAnsi } from '../../model/ansi.ts'
import { type Cause, cause } from '../../model/cause.ts'
import { pythonJson } from '../../model/variables.ts'
import { CredentialUnusableError, secretsOf } from '../credentials.ts'
import { InventoryVariablesError } from '../inventory.ts'
import { CommandFailedError, outputLines, runCommand } from '../project/command.ts'
import type { GalaxyCommand } from '../project/types.ts'
import { Redactor, redactEnv } from '../redact.ts'
import type { InventoryUpdateJob } from './job.ts'
import { type EmitRows, LineTeller } from './lines.ts'
import { privateFolder, writeFiles } from './local-folder.ts'
import { type Plan, planUpdate, SourceUnusableError } from './plan.ts'

/** More than this is no inventory. */
const mostOutputBytes = 256 * 1024 * 1024

/** How and where an update runs on this machine. */
export interface LocalOptions {
  /** Folder for the private folders of updates; nothing else may write there. */
  root: string
  /** `ansible-galaxy` of this machine, beside which ansible-inventory is; null when there is none. */
  galaxy: GalaxyCommand | null
  signal: AbortSignal
}

/** How ansible-inventory ended, and what it wrote. */
export interface LocalResult {
  /** null exactly when there is output. Free of secrets. */
  cause: Cause | null
  /** The JSON as it was written. */
  output: string
  lines: LineTeller
  /** For the job row. */
  jobArgs: string
  jobCwd: string
  jobEnv: Record<string, string>
}

/**
 * Runs ansible-inventory on this machine, with nothing of our own environment. Its lines are told as they come. Ends always with a result; only what
 * `emit` throws comes through. Abort ends it as `canceled` and kills all its children.
 */
export async function runLocally(job: InventoryUpdateJob, options: LocalOptions, emit: EmitRows): Promise<LocalResult> {
  const { signal, galaxy } = options
  const redactor = new Redactor(job.credentials.flatMap(secretsOf))
  const lines = new LineTeller(emit, redactor)
  const told = { jobArgs: '[]', jobCwd: '', jobEnv: {} as Record<string, string> }
  const timeout = job.timeout > 0 ? [AbortSignal.timeout(job.timeout * 1000)] : []
  const until = AbortSignal.any([signal, ...timeout])
  let found: Cause | null = null
  let output = ''
  try {
    if (!galaxy) throw new SourceUnusableError(noAnsible)
    await using folder = await privateFolder(options.root, job.id)
    const plan = await planHere(job, folder.path)
    const command = [...inventoryCommand(galaxy), ...plan.arguments]
    const env = { ...galaxy.env, ...plan.env, HOME: folder.path }
    told.jobArgs = pythonJson(redactor.redactValue(['ansible-inventory', ...plan.arguments]))
    told.jobCwd = plan.cwd
    told.jobEnv = redactEnv(plan.env, redactor)
    await runCommand(command, {
      cwd: plan.cwd,
      env,
      signal: until,
      onOutput: (piece, stream) => lines.take(piece, stream),
    })
    output = await readOutput(join(folder.path, 'output.json'))
  } catch (error) {
    found = causeOf(error, { canceled: signal.aborted, late: until.aborted }, redactor)
  }
  await lines.end()
  return { cause: found, output, lines, ...told }
}

const noAnsible =
  'There is no ansible-inventory on the control plane: install ansible-core there, or set MAYFLY_ANSIBLE_GALAXY to its ansible-galaxy.'

/** Every installation has both commands side by side. Throws SourceUnusableError. */
function inventoryCommand({ command }: GalaxyCommand): string[] {
  const sibling = command.map((word, index) =>
    index === command.length - 1 ? word.replace(/galaxy(?=(\.\w+)?$)/, 'inventory') : word,
  )
  if (sibling.join(' ') === command.join(' ')) throw new SourceUnusableError(noAnsible)
  return sibling
}

async function planHere(job: InventoryUpdateJob, folder: string): Promise<Plan> {
  const project = job.project?.folder ?? folder
  const plan = await planUpdate(job, {
    folder,
    project,
    collections: job.project?.collectionsFolder ?? null,
    output: join(folder, 'output.json'),
  })
  await mkdir(join(folder, 'inventory'), { mode: 0o700 })
  await writeFiles(folder, plan.files)
  if (job.source === 'scm') {
    await requireInside(plan.arguments[plan.arguments.indexOf('-i') + 1] ?? project, project, job.sourcePath)
    return plan
  }
  // Nothing of this machine's own configuration.
  await writeFile(join(folder, 'ansible.cfg'), '', { mode: 0o600 })
  return {
    ...plan,
    env: { ...plan.env, ...collectionsOf(job, homedir()), ANSIBLE_CONFIG: join(folder, 'ansible.cfg') },
  }
}

/** The home of an update is its own folder, but collections are found where they are installed. */
function collectionsOf(job: InventoryUpdateJob, home: string): Record<string, string> {
  if (job.project) return {}
  return { ANSIBLE_COLLECTIONS_PATH: `${home}/.ansible/collections:/usr/share/ansible/collections` }
}

/** A link of the project must not lead to other files of this machine. Throws SourceUnusableError. */
async function requireInside(source: string, project: string, sourcePath: string): Promise<void> {
  const [root, path] = await Promise.all([realpath(project), realpath(source).catch(() => null)])
  if (path === null) throw new SourceUnusableError(`The project has no file or folder "${sourcePath}".`)
  if (path !== root && !path.startsWith(root + sep)) {
    throw new SourceUnusableError(`The source path "${sourcePath}" is a link that leads out of the project.`)
  }
}

async function readOutput(path: string): Promise<string> {
  const found = await stat(path).catch(() => null)
  if (!found) throw new SourceUnusableError('ansible-inventory wrote no inventory.')
  if (found.size > mostOutputBytes) {
    throw new SourceUnusableError(`The inventory has ${found.size} bytes, and ${mostOutputBytes} are read at most.`)
  }
  return await readFile(path, 'utf8')
}

function causeOf(error: unknown, { canceled, late }: { canceled: boolean; late: boolean }, redactor: Redactor): Cause {
  if (canceled) return cause('canceled', '')
  if (late) return cause('timed_out', 'Job terminated due to timeout')
  if (error instanceof CommandFailedError) {
    const last =
      outputLines(error.stderr)
        .filter((line) => /ERROR|Error|error/.test(line))
        .at(-1) ?? error.message
    return cause('play_failed', `ansible-inventory failed: ${redactor.redact(stripAnsi(last)).slice(0, 1000)}`)
  }
  const message = redactor.redact(error instanceof Error ? error.message : String(error))
  if (error instanceof CredentialUnusableError || error instanceof InventoryVariablesError)
    return cause('prestart_check_failed', message)
  return cause(error instanceof SourceUnusableError ? 'play_failed' : 'internal', message)
}
