import { type Cause, cause, causeStatus } from '../../model/cause.ts'
import type { FinalStatus } from '../../model/job.ts'
import { type ResolvedCredential, textInput } from '../credentials.ts'
import { Redactor } from '../redact.ts'
import { type HostSummary, hostStatusCounts, type PlaybookCounts } from '../results.ts'
import { Checkouts } from './checkouts.ts'
import { CommandFailedError } from './command.ts'
import { syncContent } from './content.ts'
import { failureMessage, isExpected } from './failure.ts'
import { holdLock } from './lock.ts'
import { type EmitEvents, Narrator } from './narrator.ts'
import { listProjectFiles, type ProjectFiles } from './playbooks.ts'
import { type Update, updateSource } from './source.ts'
import type { GalaxyCommand, GalaxyServer, HostKeyPolicy, PreparedProject } from './types.ts'

/** What an update fetches, from where and for whom; see the project of that id. */
export interface ProjectUpdateOptions {
  /** Folder that keeps mirrors, revisions and Galaxy content of all projects. Nothing else may write there. */
  dataFolder: string
  projectId: number
  /** 'git' or 'archive'; anything else ends as failed. */
  scmType: string
  scmUrl: string
  /** Branch, tag or commit. Of an archive: '', or the revision that it must still have. */
  scmBranch: string
  scmRefspec: string
  scmTrackSubmodules: boolean
  scmDeleteOnUpdate: boolean
  /** Source control credential, null for none. */
  credential: ResolvedCredential | null
  /** 'accept-new' unless said otherwise. */
  hostKeys?: HostKeyPolicy
  /** null: requirements files are reported as not installed. */
  galaxy: GalaxyCommand | null
  /** undefined: ansible-galaxy's own default server; none: requirements files are reported as not installed. */
  galaxyServers?: GalaxyServer[]
  /** True installs Galaxy content and tracked submodules anew; otherwise what is on the disk for the same revision is used again. */
  refreshContent: boolean
  /** Seconds; 0: as long as an update may take at all. */
  timeout: number
  /** Seconds that a remote may be silent; 60 unless said otherwise. */
  patience?: number
  /** Further environment of git and ansible-galaxy, such as proxies. */
  env?: Record<string, string>
  signal: AbortSignal
}

/** How an update ended, and what it found. */
export interface ProjectUpdateResult extends ProjectFiles {
  status: FinalStatus
  /** null exactly when successful. Free of secrets. */
  cause: Cause | null
  /** null unless successful. */
  project: PreparedProject | null
  /** For the job row. */
  jobArgs: string
  jobCwd: string
  jobEnv: Record<string, string>
  hostSummaries: HostSummary[]
  hostStatusCounts: Record<string, number>
  playbookCounts: PlaybookCounts
  eventsEmitted: number
}

/** The end of an update that was given none, in seconds: a remote that sends a byte a minute holds nobody for ever. */
const longestUpdate = 6 * 3600
const usualPatience = 60

/** Days after which a revision that no job asked for is removed from the disk. */
const keptDays = 7

/**
 * Brings a project up to date and tells it as AWX's project update does: plays, tasks and results as events with gapless counters and
 * lines. Ends always with a result; only what `emit` throws comes through. Abort ends it as `canceled` and kills its children.
 */
export async function runProjectUpdate(options: ProjectUpdateOptions, emit: EmitEvents): Promise<ProjectUpdateResult> {
  const redactor = new Redactor(secretsIn(options))
  let emitFailure: { error: unknown } | null = null
  const narrator = new Narrator(async (rows) => {
    try {
      await emit(rows)
    } catch (error) {
      emitFailure ??= { error }
      throw error
    }
  }, redactor)
  const update: Update = {
    options,
    checkouts: new Checkouts(options.dataFolder, options.projectId),
    narrator,
    redactor,
    signal: AbortSignal.any([
      options.signal,
      AbortSignal.timeout((options.timeout > 0 ? options.timeout : longestUpdate) * 1000),
    ]),
    patienceMs: (options.patience ?? usualPatience) * 1000,
    job: { jobArgs: '[]', jobEnv: {} },
  }
  let project: PreparedProject | null = null
  let ended: Cause | null = null
  try {
    project = await runLocked(update)
  } catch (error) {
    if (emitFailure) throw (emitFailure as { error: unknown }).error
    ended = await causeOf(update, error)
  }
  return {
    status: ended ? causeStatus[ended.kind] : 'successful',
    cause: ended,
    project,
    ...(project ? await listProjectFiles(project.folder) : { playbooks: [], inventoryFiles: [] }),
    ...update.job,
    jobCwd: update.checkouts.folder,
    hostSummaries: narrator.summaries,
    hostStatusCounts: hostStatusCounts(narrator.summaries),
    playbookCounts: narrator.playbookCounts,
    eventsEmitted: narrator.eventsEmitted,
  }
}

/** What an earlier update left of this commit on this machine; null when there is none, or when `revision` is no full commit id. */
export async function findPreparedProject(
  dataFolder: string,
  projectId: number,
  revision: string,
): Promise<PreparedProject | null> {
  return new Checkouts(dataFolder, projectId).findRevision(revision)
}

async function runLocked(update: Update): Promise<PreparedProject> {
  const { checkouts, narrator, signal } = update
  await checkouts.prepare()
  const resources = new AsyncDisposableStack()
  try {
    resources.use(await holdLock(checkouts.lock, signal))
    await checkouts.clean(keptDays)
    await narrator.begin()
    await narrator.play('Update source tree if necessary')
    const { revision, folder, env, isLocal } = await updateSource(update, resources)
    await narrator.play('Perform project signature/checksum verification')
    await narrator.play('Install content with ansible-galaxy command if necessary')
    const content = await syncContent({ ...update, folder, env, isLocal }, narrator)
    const prepared = { revision, folder, ...content }
    await checkouts.noteRevision(prepared)
    await narrator.end()
    return prepared
  } finally {
    await resources.disposeAsync()
  }
}

/** Why the update ended; a failure that was told as a task's gets its recap. */
async function causeOf({ options, narrator, redactor, signal }: Update, error: unknown): Promise<Cause> {
  if (options.signal.aborted) return cause('canceled', '')
  if (signal.aborted) return cause('timed_out', 'Job terminated due to timeout')
  if (narrator.eventsEmitted > 0) await narrator.end()
  const message = firstSentence(redactor.redact(failureMessage(error)))
  const detail = error instanceof CommandFailedError ? redactor.redact(error.stderr) : ''
  return cause(isExpected(error) ? 'play_failed' : 'internal', `Project update failed: ${message}`, detail.slice(-4000))
}

/** The first line, and what follows where that only announces it. */
function firstSentence(message: string): string {
  const lines = message.split('\n')
  const last = lines.findIndex((line) => !line.trimEnd().endsWith(':'))
  return lines.slice(0, last + 1 || undefined).join(' ')
}

/** Every secret that could come up in a message. */
function secretsIn({ credential, galaxyServers, scmUrl }: ProjectUpdateOptions): string[] {
  const inputs = credential
    ? ['password', 'ssh_key_data', 'ssh_key_unlock'].map((field) => textInput(credential, field))
    : []
  const inUrl = /:\/\/[^/@]*:([^/@]+)@/.exec(scmUrl)?.[1] ?? ''
  return [...inputs, inUrl, decodeURIComponent(inUrl), ...(galaxyServers ?? []).map(({ token }) => token)].filter(
    Boolean,
  )
}
