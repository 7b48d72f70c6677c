import { access, mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Checkouts } from './checkouts.ts'
import { CommandFailedError, runCommand } from './command.ts'
import { checkedRef, type GitSource, GitSourceError } from './git-url.ts'

/** A git repository that is mirrored for one project. Use it under the project's lock. */
export interface GitProject {
  source: GitSource
  checkouts: Checkouts
  /** Environment of every git call, see openGitAccess. */
  env: Record<string, string>
  signal: AbortSignal
  /** How long the remote may be silent, in milliseconds. */
  patienceMs: number
}

/** Runs git; answers its stdout without the last line end. Throws CommandFailedError. */
async function git(project: GitProject, cwd: string, ...words: string[]): Promise<string> {
  const { env, signal } = project
  return (await runCommand(['git', ...words], { cwd, env, signal })).trimEnd()
}

/**
 * The same for what talks to the remote: it must tell of progress, so that a remote that hangs is noticed, whatever the transport. Twice the patience, since
 * most transports notice it themselves and can say more.
 */
async function gitAfar(project: GitProject, cwd: string, ...words: string[]): Promise<string> {
  const { env, signal, patienceMs } = project
  return (await runCommand(['git', ...words], { cwd, env, signal, silenceMs: patienceMs * 2 })).trimEnd()
}

/** What the mirror fetches besides the project's own refspec. */
const everything = ['+refs/heads/*:refs/heads/*', '+refs/tags/*:refs/tags/*']

/** The fetch as a person would type it, for job_args. */
export function fetchCommand(source: GitSource, refspec: string): string[] {
  return ['git', 'fetch', '--prune', '--force', '--', source.url, ...everything, ...(refspec ? [refspec] : [])]
}

/** Brings the mirror up to date. Throws CommandFailedError, GitSourceError. */
export async function fetchMirror(project: GitProject, refspec: string): Promise<void> {
  const { checkouts, source } = project
  const specs = refspec
    .split(/\s+/)
    .filter(Boolean)
    .map((spec) => checkedRef('SCM refspec', spec))
  await makeMirror(project)
  await removeStaleLocks(checkouts.mirror)
  const [, fetch = '', ...words] = fetchCommand(source, '')
  await gitAfar(project, checkouts.mirror, fetch, '--progress', ...words, ...specs)
}

/** Forgets everything that was fetched; revisions that jobs may use stay. */
export async function deleteMirror({ checkouts }: Pick<GitProject, 'checkouts'>): Promise<void> {
  await rm(checkouts.mirror, { recursive: true, force: true })
  await rm(join(checkouts.folder, 'known_hosts'), { force: true })
}

async function makeMirror(project: GitProject): Promise<void> {
  const { mirror, folder } = project.checkouts
  if (await exists(join(mirror, 'HEAD'))) return
  const half = await mkdtemp(join(folder, 'mirror-'))
  await git(project, folder, 'init', '--quiet', '--bare', '--template=', half)
  await rm(mirror, { recursive: true, force: true })
  await rename(half, mirror)
}

/** A git that was killed leaves its lock files; under the project's lock no other git is at work. */
async function removeStaleLocks(mirror: string): Promise<void> {
  for (const name of await readdir(mirror)) {
    if (name.endsWith('.lock')) await rm(join(mirror, name), { force: true })
  }
  for (const file of await readdir(join(mirror, 'refs'), { recursive: true })) {
    if (file.endsWith('.lock')) await rm(join(mirror, 'refs', file), { force: true })
  }
}

/** The full commit id if the mirror has this very commit already, so that nothing needs to be fetched. */
export async function knownCommit(project: GitProject, wanted: string): Promise<string | null> {
  if (!isCommitId(wanted) || !(await exists(join(project.checkouts.mirror, 'HEAD')))) return null
  return commitOf(project, wanted)
}

/**
 * The commit that a branch, tag, commit id or full ref stands for after a fetch; '' means the remote's default branch. A ref or commit that the
 * usual fetch does not bring is asked for by name. Throws GitSourceError when there is none.
 */
export async function resolveCommit(project: GitProject, wanted: string): Promise<string> {
  const ref = checkedRef('SCM branch', wanted) || (await defaultBranch(project))
  const candidates = ref.startsWith('refs/')
    ? [ref]
    : [`refs/heads/${ref}`, `refs/tags/${ref}`, `refs/remotes/${ref}`, `refs/remotes/origin/${ref}`]
  // `origin/x` is how ansible's git module calls branches of the remote.
  if (ref.startsWith('origin/')) candidates.push(`refs/heads/${ref.slice('origin/'.length)}`)
  if (/^[0-9a-f]{4,64}$/i.test(ref)) candidates.push(ref)
  for (const candidate of candidates) {
    const commit = await commitOf(project, candidate)
    if (commit) return commit
  }
  if (ref.startsWith('refs/') || isCommitId(ref)) {
    const commit = await fetchOne(project, ref)
    if (commit) return commit
  }
  throw new GitSourceError(`Failed to find "${ref}" in the repository: no branch, tag or commit has this name.`)
}

async function fetchOne(project: GitProject, ref: string): Promise<string | null> {
  try {
    const spec = ref.startsWith('refs/') ? `+${ref}:${ref}` : ref
    await gitAfar(project, project.checkouts.mirror, 'fetch', '--progress', '--force', '--', project.source.url, spec)
  } catch (error) {
    // The remote does not have it, which the caller says in words of its own.
    if (error instanceof CommandFailedError) return null
    throw error
  }
  return commitOf(project, ref)
}

async function commitOf(project: GitProject, ref: string): Promise<string | null> {
  try {
    const name = `${ref}^{commit}`
    return await git(project, project.checkouts.mirror, 'rev-parse', '--quiet', '--verify', '--end-of-options', name)
  } catch (error) {
    if (error instanceof CommandFailedError) return null
    throw error
  }
}

async function defaultBranch(project: GitProject): Promise<string> {
  const { checkouts, source } = project
  const answer = await gitAfar(project, checkouts.mirror, 'ls-remote', '--symref', '--', source.url, 'HEAD')
  const target = /^ref: (refs\/\S+)\tHEAD$/m.exec(answer)?.[1]
  const commit = /^([0-9a-f]{40,64})\tHEAD$/m.exec(answer)?.[1]
  const branch = target ?? commit
  if (!branch) throw new GitSourceError('The repository is empty: it has no default branch.')
  return branch
}

/**
 * Makes the tree of a commit, submodules included, and answers its folder. `tracked` takes the newest commit of each submodule's branch instead of
 * the one that the project names, so equal commits may then have different trees.
 */
export async function makeRevisionTree(project: GitProject, commit: string, tracked: boolean): Promise<string> {
  const { checkouts, source } = project
  return checkouts.makeTree(commit, async (folder) => {
    // Not a clone: that would need the file transport, which remote projects must not have. The objects stay in the mirror.
    await git(project, folder, 'init', '--quiet', '--template=')
    await mkdir(join(folder, '.git/objects/info'), { recursive: true })
    await writeFile(join(folder, '.git/objects/info/alternates'), `${join(checkouts.mirror, 'objects')}\n`)
    // Submodules with relative URLs are relative to the project's own.
    await git(project, folder, 'config', 'remote.origin.url', source.url)
    await git(project, folder, 'checkout', '--quiet', '--force', '--detach', commit)
    if (await exists(join(folder, '.gitmodules'))) {
      const update = ['submodule', 'update', '--progress', '--init', '--recursive', '--force']
      await gitAfar(project, folder, ...update, ...(tracked ? ['--remote'] : []))
    }
    await rm(join(folder, '.git'), { recursive: true, force: true })
  })
}

function isCommitId(text: string): boolean {
  return /^([0-9a-f]{40}|[0-9a-f]{64})$/i.test(text)
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
