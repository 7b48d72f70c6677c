import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pythonJson } from '../../model/variables.ts'
import { textInput } from '../credentials.ts'
import { type Redactor, redactEnv } from '../redact.ts'
import type { Checkouts } from './checkouts.ts'
import { describeFailure } from './failure.ts'
import {
  deleteMirror,
  fetchCommand,
  fetchMirror,
  type GitProject,
  knownCommit,
  makeRevisionTree,
  resolveCommit,
} from './git.ts'
import { openGitAccess } from './git-access.ts'
import { GitSourceError, parseGitSource } from './git-url.ts'
import type { Narrator } from './narrator.ts'
import type { ProjectUpdateOptions } from './update.ts'

/** One update while it runs. */
export interface Update {
  options: ProjectUpdateOptions
  checkouts: Checkouts
  narrator: Narrator
  redactor: Redactor
  /** Aborts with the caller's signal and with the timeout. */
  signal: AbortSignal
  /** How long a remote may be silent, in milliseconds. */
  patienceMs: number
  /** What is known so far of the job row. */
  job: { jobArgs: string; jobEnv: Record<string, string> }
}

/** The tree of the wanted revision. */
export interface UpdatedSource {
  revision: string
  folder: string
  /** Environment of git, valid until the resources are disposed of. */
  env: Record<string, string>
  /** It is a repository on this machine. */
  isLocal: boolean
}

/** Loaded when first needed, with the libraries that unpack: a worker without such projects stays small. */
const updateArchive: typeof updateGit = async (update, resources) => {
  const archive = await import('./archive/source.ts')
  return await archive.updateArchive(update, resources)
}

/** The tasks of AWX's first play. Throws what a task failed with. */
export async function updateSource(update: Update, resources: AsyncDisposableStack): Promise<UpdatedSource> {
  const source = await (update.options.scmType === 'archive' ? updateArchive : updateGit)(update, resources)
  const msg = `Repository Version ${source.revision}`
  await update.narrator.task('Repository Version', 'ansible.builtin.debug', () => ({ res: { msg }, shown: { msg } }))
  return source
}

async function updateGit(update: Update, resources: AsyncDisposableStack): Promise<UpdatedSource> {
  const { narrator, signal } = update
  const source = await narrator.task(
    'Update project using git',
    'ansible.builtin.git',
    () => fetchAndCheckOut(update, resources),
    (error) => describeFailure(error, signal),
  )
  const { revision } = source
  await narrator.task('Set the git repository version', 'ansible.builtin.set_fact', () => ({
    res: { ansible_facts: { scm_version: revision } },
  }))
  return source
}

async function fetchAndCheckOut(update: Update, resources: AsyncDisposableStack) {
  const { options, checkouts } = update
  const project = await openProject(update, resources)
  if (options.scmDeleteOnUpdate) await deleteMirror(project)
  let revision = await knownCommit(project, options.scmBranch)
  if (revision === null) {
    await fetchMirror(project, options.scmRefspec)
    revision = await resolveCommit(project, options.scmBranch)
  }
  const mayReuse = !options.scmTrackSubmodules || !options.refreshContent
  const known = mayReuse ? await checkouts.findRevision(revision) : null
  const folder = known?.folder ?? (await makeRevisionTree(project, revision, options.scmTrackSubmodules))
  const head = join(checkouts.folder, 'head')
  const before = await readFile(head, 'utf8').catch(() => null)
  await writeFile(head, revision)
  const isLocal = project.source.transport === 'file'
  return { revision, folder, isLocal, env: project.env, changed: before !== revision, res: { before, after: revision } }
}

async function openProject(
  { options, checkouts, redactor, signal, patienceMs, job }: Update,
  resources: AsyncDisposableStack,
): Promise<GitProject> {
  const { scmType, scmUrl, scmRefspec, credential, hostKeys = 'accept-new', env = {} } = options
  if (scmType !== 'git') throw new GitSourceError(`Projects of the SCM type "${scmType}" cannot be updated.`)
  const source = parseGitSource(scmUrl, credential ? textInput(credential, 'username') : '')
  const access = resources.use(await openGitAccess(checkouts.folder, source, credential, hostKeys, env, patienceMs))
  job.jobArgs = pythonJson(fetchCommand(source, scmRefspec))
  // How git's questions are answered is nobody's business, whether secret or not.
  const shown = Object.entries(access.env).filter(
    ([name]) => !/^MAYFLY_|^GIT_CONFIG_(KEY|VALUE|COUNT)|ASKPASS/.test(name),
  )
  job.jobEnv = redactEnv(Object.fromEntries(shown), redactor)
  return { source, checkouts, env: access.env, signal, patienceMs }
}
