import type { Cause } from '../../model/cause.ts'
import type { EventRow } from '../../model/event.ts'
import type { ResolvedCredential } from '../credentials.ts'
import type { HostSummary, PlaybookCounts } from '../results.ts'

/** How host keys of SSH remotes are treated: accepted and then kept per project, accepted always, or only the given ones. */
export type HostKeyPolicy = 'accept-new' | 'accept-any' | { knownHosts: string }

/** A Galaxy or Automation Hub server (AWX: galaxy credentials of the organization). */
export interface GalaxyServer {
  url: string
  authUrl: string
  token: string
}

/** argv of ansible-galaxy on this machine with what its environment needs. */
export interface GalaxyCommand {
  command: string[]
  env: Record<string, string>
}

export interface ProjectUpdateOptions {
  /** Id of the project update; goes into the events. */
  updateId: number
  /** Folder that keeps mirrors, revisions and Galaxy content of all projects. Nothing else may write there. */
  dataFolder: string
  projectId: number
  scmType: 'git'
  scmUrl: string
  scmBranch: string
  scmRefspec: string
  scmTrackSubmodules: boolean
  scmDeleteOnUpdate: boolean
  /** Source control credential, null for none. */
  credential: ResolvedCredential | null
  hostKeys?: HostKeyPolicy
  /** null: requirements files are reported as not installed. */
  galaxy: GalaxyCommand | null
  /** undefined: ansible-galaxy's own default server. */
  galaxyServers?: GalaxyServer[]
  /** True asks for Galaxy content anew; otherwise what was installed for equal requirements files is reused. */
  refreshContent: boolean
  /** Seconds; 0: none. */
  timeout: number
  /** Further environment of git and ansible-galaxy, such as proxies. */
  env?: Record<string, string>
  signal: AbortSignal
}

/** Stores rows as they come, in order and awaited. */
export type EmitEvents = (rows: EventRow[]) => Promise<void> | void

/** What a job needs of a project at a revision. */
export interface PreparedProject {
  /** Full commit id. */
  revision: string
  /** Immutable folder of the tree at that revision. */
  folder: string
  rolesFolder: string | null
  collectionsFolder: string | null
}

export interface ProjectUpdateResult {
  status: 'successful' | 'failed' | 'canceled'
  /** null exactly when successful. Free of secrets. */
  cause: Cause | null
  /** null unless successful. */
  project: PreparedProject | null
  /** Playbooks found, as AWX lists them. */
  playbooks: string[]
  /** Inputs of the job row. */
  jobArgs: string
  jobCwd: string
  jobEnv: Record<string, string>
  hostSummaries: HostSummary[]
  hostStatusCounts: Record<string, number>
  playbookCounts: PlaybookCounts
  eventsEmitted: number
}

/**
 * Brings a git project up to date and tells it as AWX's project update does: plays, tasks and results as events with gapless counters and
 * lines. Ends always with a result; only what `emit` throws comes through. Abort ends it as `canceled` and kills its children.
 */
export async function runProjectUpdate(options: ProjectUpdateOptions, emit: EmitEvents): Promise<ProjectUpdateResult> {
  throw new Error(`${options.updateId} ${typeof emit}`)
}

/** Where a project stood when a job asks for it again: what an update left at this revision, or null when this machine does not have it. */
export async function findPreparedProject(
  dataFolder: string,
  projectId: number,
  revision: string,
): Promise<PreparedProject | null> {
  throw new Error(`${dataFolder} ${projectId} ${revision}`)
}
