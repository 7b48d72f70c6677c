import { posix } from 'node:path'
import { pluginSources } from '../../model/inventory-source.ts'
import { pythonJson } from '../../model/variables.ts'
import { readConfiguredPaths } from '../ansible-config.ts'
import { applyCredentials } from '../credential-effects.ts'
import type { CredentialEffects } from '../credentials.ts'
import { ansibleDefaults, usualCollections } from '../environment.ts'
import { inventoryScript } from '../inventory.ts'
import type { InventoryUpdateJob } from './job.ts'

/** Where an update runs: paths as ansible-inventory sees them. */
export interface Places {
  /** Private data dir of the run. */
  folder: string
  /** The project's tree. */
  project: string
  /** Collections that the project asked for; null for none. */
  collections: string | null
  /** Where the result is written to. */
  output: string
}

/** A file of the run; its path is relative to the private data dir. */
export interface PlannedFile {
  path: string
  content: string
  mode: number
}

/** A run of ansible-inventory as it is told. */
export interface Plan {
  /** Words behind the command's name. */
  arguments: string[]
  env: Record<string, string>
  cwd: string
  files: PlannedFile[]
  effects: CredentialEffects
}

/** A source that cannot be read as it is; the message names what is wrong and the remedy. */
export class SourceUnusableError extends Error {
  override name = 'SourceUnusableError'
}

/**
 * Works out one run of `ansible-inventory --list --export`, wherever it is. Throws SourceUnusableError, CredentialUnusableError and
 * InventoryVariablesError.
 */
export async function planUpdate(job: InventoryUpdateJob, places: Places): Promise<Plan> {
  const effects = applyCredentials(job.credentials, {}, places.folder)
  const { files, sources, cwd } = job.source === 'scm' ? ofProject(job, places) : ofPlugin(job, places)
  const main = sources.at(-1) ?? cwd
  const verbosity = job.verbosity > 0 ? [`-${'v'.repeat(Math.min(5, job.verbosity * 2 + 1))}`] : []
  return {
    arguments: [
      ...['--list', '--export'],
      ...sources.flatMap((source) => ['-i', source]),
      ...(job.limit === '' ? [] : [`--limit=${job.limit}`]),
      ...['--output', places.output],
      ...['--playbook-dir', posix.dirname(main)],
      ...verbosity,
    ],
    env: { ...(await environment(job, places)), ...effects.env },
    cwd,
    files: [...files, ...effects.files.map((file) => ({ ...file, mode: 0o600 }))],
    effects,
  }
}

/** What the two kinds of source differ in. */
interface Sources {
  files: PlannedFile[]
  sources: string[]
  cwd: string
}

function ofProject({ sourcePath }: InventoryUpdateJob, { project }: Places): Sources {
  const path = posix.normalize(sourcePath === '' ? '.' : sourcePath.replace(/^\/+/, ''))
  if (path === '..' || path.startsWith('../')) {
    throw new SourceUnusableError(`The source path "${sourcePath}" leads out of the project: name a file in it.`)
  }
  return { files: [], sources: [posix.join(project, path)], cwd: project }
}

function ofPlugin(job: InventoryUpdateJob, { folder }: Places): Sources {
  const source = pluginSources[job.source]
  if (!source) throw new SourceUnusableError(`A source of the kind "${job.source}" cannot be updated.`)
  const inputs = job.inputs.map(({ id, inventory }) => ({
    path: `inventory/hosts_${id}`,
    content: inventoryScript(inventory),
    mode: 0o700,
  }))
  const options = {
    path: `inventory/${source.file}`,
    // JSON is YAML.
    content: `${pythonJson({ ...job.sourceVars, plugin: source.plugin })}\n`,
    mode: 0o600,
  }
  const files = [...inputs, options]
  return { files, sources: files.map(({ path }) => posix.join(folder, path)), cwd: folder }
}

async function environment(job: InventoryUpdateJob, places: Places): Promise<Record<string, string>> {
  const configured = job.project ? (await readConfiguredPaths(job.project.folder)).collections : []
  const collections = [
    ...(places.collections ? [places.collections] : []),
    ...(configured.length > 0 ? configured : usualCollections),
  ]
  return {
    ...(job.source === 'scm' ? scriptEnvironment(job) : {}),
    ...ansibleDefaults,
    ...job.taskEnv,
    AWX_PRIVATE_DATA_DIR: places.folder,
    INVENTORY_SOURCE_ID: String(job.inventorySourceId),
    INVENTORY_UPDATE_ID: String(job.id),
    ANSIBLE_INVENTORY_EXPORT: 'True',
    // A source that names a host or group which is not there is wrong, and a limit as well.
    ANSIBLE_HOST_PATTERN_MISMATCH: 'error',
    ANSIBLE_VERBOSE_TO_STDERR: 'True',
    ANSIBLE_RETRY_FILES_ENABLED: 'False',
    ...(places.collections ? { ANSIBLE_COLLECTIONS_PATH: collections.join(':') } : {}),
  }
}

/** Names that would change how the program itself runs rather than what a script is told. */
const ownNames = /^(PATH|HOME|LD_|PYTHON|ANSIBLE_(CONFIG|HOME))/

/** Variables of a source from a project are environment for its script, as AWX has it; texts only. */
function scriptEnvironment({ sourceVars }: InventoryUpdateJob): Record<string, string> {
  return Object.fromEntries(
    Object.entries(sourceVars)
      .filter(([name]) => /^[A-Za-z_]\w*$/.test(name) && !ownNames.test(name))
      .map(([name, value]) => [name, typeof value === 'string' ? value : pythonJson(value)]),
  )
}
