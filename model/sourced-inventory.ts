import type { Variables } from './variables.ts'

/** A host as a source tells it. */
export interface SourcedHost {
  name: string
  variables: Variables
  /** null: the source says nothing, and a known host stays as it is. */
  enabled: boolean | null
  /** What the host is known by when it is renamed; '' for none. */
  instanceId: string
}

/** A group as a source tells it; names of hosts and groups that are in it directly. */
export interface SourcedGroup {
  name: string
  variables: Variables
  hosts: string[]
  children: string[]
}

/** An inventory as a source tells it. Values of variables are those of readExactJson: write them by writeExactJson. */
export interface SourcedInventory {
  /** Variables of the group `all`. */
  variables: Variables
  hosts: SourcedHost[]
  groups: SourcedGroup[]
}
