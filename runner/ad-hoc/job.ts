import type { InventoryStructure } from '../../model/inventory-script.ts'
import type { CredentialPasswords, ResolvedCredential } from '../credentials.ts'

/** An ad hoc command as plain data: everything its payload is made of. Holds secrets, so it lives in memory only. */
export interface AdHocJob {
  id: number
  jobType: 'run' | 'check'
  moduleName: string
  moduleArgs: string
  forks: number
  /** The host pattern; empty: all hosts. */
  limit: string
  /** 0 to 5. */
  verbosity: number
  becomeEnabled: boolean
  diffMode: boolean
  inventoryId: number
  inventory: InventoryStructure
  credentials: ResolvedCredential[]
  /** Passwords given at launch. */
  launchPasswords: CredentialPasswords
  /** What the user gave; never evaluated as Jinja. */
  extraVars: Record<string, unknown>
  /** awx_* and tower_* twins; see metaVars(). */
  metaVars: Record<string, unknown>
  /** Where the worker unpacks what it is sent; default: `/runner`, as in every execution environment. */
  privateDataDir?: string
  /** Further environment of every run (AWX's AWX_TASK_ENV). */
  taskEnv: Record<string, string>
}
