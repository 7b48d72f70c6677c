import type { InventoryStructure } from '../model/inventory-script.ts'
import type { CredentialPasswords, ResolvedCredential } from './credentials.ts'
import type { HostFacts } from './facts.ts'

/** A playbook run as plain data: everything the payload is made of. Holds secrets, so it lives in memory only. */
export interface RunnerJob {
  id: number
  jobType: 'run' | 'check'
  playbook: string
  forks: number
  limit: string
  /** 0 to 5. */
  verbosity: number
  jobTags: string
  skipTags: string
  startAtTask: string
  forceHandlers: boolean
  becomeEnabled: boolean
  diffMode: boolean
  /** Seconds from the start of ansible; 0: none. */
  timeout: number
  /** Seconds without output; 0: none. */
  idleTimeout: number
  projectRevision: string
  /** Folder with the project's tree at its revision; `.git` is left out of the payload. */
  projectFolder: string
  /** Folders with roles and collections that requirements files asked for, or null. */
  rolesFolder: string | null
  collectionsFolder: string | null
  inventoryId: number
  inventory: InventoryStructure
  slice: { number: number; count: number }
  credentials: ResolvedCredential[]
  /** credential_passwords of the launch. */
  launchPasswords: CredentialPasswords
  /** The job's own extra vars, merged. */
  extraVars: Record<string, unknown>
  /** Extra vars of the template: an equal value in extraVars may hold Jinja, any other is passed as text (`!unsafe`). */
  templateExtraVars: Record<string, unknown>
  /** awx_* and tower_* twins; see metaVars(). */
  metaVars: Record<string, unknown>
  /** Facts by host name when the fact cache is on, else null. */
  facts: (HostFacts & { modified: Date })[] | null
  /** For AWX_HOST: where people reach the API. */
  publicUrl: string
  /** Where the worker unpacks what it is sent; `/runner` in every execution environment, so that is the default. */
  privateDataDir?: string
  /** Further environment of every run (AWX's AWX_TASK_ENV). */
  taskEnv: Record<string, string>
}

/** The awx_* and tower_* twins of variables whose names come without prefix, such as `{ job_id: 47 }`; undefined values are left out. */
export function metaVars(values: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(values)
      .filter(([, value]) => value !== undefined)
      .flatMap(([name, value]) => [
        [`awx_${name}`, value],
        [`tower_${name}`, value],
      ]),
  )
}
