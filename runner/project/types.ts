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

/** What a job needs of a project at a revision. */
export interface PreparedProject {
  /** Full commit id, or the SHA-1 of an archive. */
  revision: string
  /** Immutable folder of the tree at that revision. */
  folder: string
  rolesFolder: string | null
  collectionsFolder: string | null
}
