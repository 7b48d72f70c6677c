import { mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pythonJson } from '../../../model/variables.ts'
import { textInput } from '../../credentials.ts'
import { redactEnv } from '../../redact.ts'
import { describeFailure } from '../failure.ts'
import { openGitAccess } from '../git-access.ts'
import type { Update, UpdatedSource } from '../source.ts'
import { ArchiveError } from './archive-error.ts'
import { download } from './download.ts'
import { unpackArchive } from './unpack.ts'

/** More than any project is, in bytes as it is fetched. */
const largestArchive = 1024 ** 3
const getUrl = 'ansible.builtin.get_url'

/** An archive that lies on this machine for the time being; null when the one that is unpacked already is still the newest. */
interface Fetched {
  revision: string
  file: string | null
}

/**
 * The tasks of AWX's project update of an archive. Its revision is the SHA-1 of the file, as in AWX; an update whose branch is such a revision fails
 * when the URL leads to another file by now. Throws what the task failed with.
 */
export async function updateArchive(update: Update, resources: AsyncDisposableStack): Promise<UpdatedSource> {
  const { narrator, signal, checkouts, options } = update
  const describe = (error: unknown) => describeFailure(error, signal)
  const source = archiveSource(options.scmUrl)
  const work = await mkdtemp(join(checkouts.folder, 'archive-'))
  resources.defer(() => rm(work, { recursive: true, force: true }))
  update.job.jobArgs = pythonJson(['GET', source.url])

  const fetched = await narrator.task(
    'Get archive from url',
    getUrl,
    async () => {
      const found = await fetchArchive(update, source, join(work, 'file'))
      return { ...found, changed: found.file !== null, res: { url: source.url, checksum_src: found.revision } }
    },
    describe,
  )
  const { revision } = fetched
  const known = options.scmDeleteOnUpdate ? null : await checkouts.findRevision(revision)
  const { folder } = await narrator.task(
    'Unpack archive',
    'project_archive',
    async () => {
      if (known) return { skipped: true, folder: known.folder }
      return { changed: true, folder: await makeArchiveTree(update, fetched) }
    },
    describe,
  )
  await narrator.task('Set scm_version to archive sha1 checksum', 'ansible.builtin.set_fact', () => ({
    res: { ansible_facts: { scm_version: revision } },
  }))
  // Requirements may name repositories, which are reached without the credential of the archive.
  const nowhere = { url: source.url, transport: 'http' as const, host: '', username: '', password: '' }
  const access = resources.use(
    await openGitAccess(checkouts.folder, nowhere, null, 'accept-new', options.env ?? {}, update.patienceMs),
  )
  update.job.jobEnv = redactEnv({ PATH: access.env.PATH }, update.redactor)
  return { revision, folder, env: access.env, isLocal: false }
}

/** An archive's URL without the credentials that it may hold. */
interface ArchiveSource {
  url: string
  username: string
  password: string
}

function archiveSource(scmUrl: string): ArchiveSource {
  const url = URL.parse(scmUrl.trim())
  if (!url || !/^https?:$/.test(url.protocol))
    throw new ArchiveError('The SCM URL of an archive begins with http:// or https://.')
  const [username, password] = [decodeURIComponent(url.username), decodeURIComponent(url.password)]
  url.username = ''
  url.password = ''
  return { url: url.href, username, password }
}

async function fetchArchive(update: Update, source: ArchiveSource, target: string): Promise<Fetched> {
  const { options, checkouts, signal } = update
  const { credential, scmBranch: wanted } = options
  const noted = options.scmDeleteOnUpdate ? null : await readNote(update, source.url)
  const found = await download({
    url: source.url,
    username: (credential && textInput(credential, 'username')) || source.username,
    password: (credential && textInput(credential, 'password')) || source.password,
    etag: noted?.etag ?? '',
    target,
    patienceMs: update.patienceMs,
    maxBytes: largestArchive,
    signal,
  })
  const revision = found?.sha1 ?? noted?.revision ?? ''
  if (wanted !== '' && wanted !== revision) {
    throw new ArchiveError(
      `The archive has changed since the project was updated: revision ${wanted} is not at ${source.url} any more. Update the project.`,
    )
  }
  if (found) await writeFile(join(checkouts.folder, noteFile), JSON.stringify({ url: source.url, ...found }))
  return { revision, file: found ? target : null }
}

async function makeArchiveTree({ checkouts, signal }: Update, { revision, file }: Fetched): Promise<string> {
  if (file === null) throw new Error(`archive ${revision} was noted, but its tree is gone`)
  return checkouts.makeTree(revision, async (folder) => {
    // Beside the tree, so that no name in the archive can be in the way of the work.
    const hidden = await mkdtemp(`${folder}-`)
    try {
      const start = join(hidden, await unpackArchive(file, hidden, signal))
      for (const name of await readdir(start)) await rename(join(start, name), join(folder, name))
    } finally {
      await rm(hidden, { recursive: true, force: true })
    }
  })
}

const noteFile = 'archive.json'

/** What the last download of this URL was, if its tree is still there. */
async function readNote({ checkouts }: Update, url: string): Promise<{ etag: string; revision: string } | null> {
  const text = await readFile(join(checkouts.folder, noteFile), 'utf8').catch(() => null)
  if (text === null) return null
  const note = JSON.parse(text) as { url: string; etag: string; sha1: string }
  if (note.url !== url || note.etag === '' || !(await checkouts.findRevision(note.sha1))) return null
  return { etag: note.etag, revision: note.sha1 }
}
