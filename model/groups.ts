/** Where a job's instance groups can come from; every list is in the order in which the groups were attached. */
export interface GroupSources {
  /** Given at launch; used alone when not empty. */
  launched: number[]
  template: number[]
  templatePreventsFallback: boolean
  inventory: number[]
  inventoryPreventsFallback: boolean
  organization: number[]
  /** The installation's default groups, used when nothing else names one. */
  global: number[]
}

/** Groups a job may run in, preferred first, without repeats. Empty only when the installation has no default group. */
export function preferredGroups(sources: GroupSources): number[] {
  if (sources.launched.length > 0) return unique(sources.launched)
  const named = [...sources.template]
  if (!sources.templatePreventsFallback) {
    named.push(...sources.inventory)
    if (!sources.inventoryPreventsFallback) named.push(...sources.organization)
  }
  // Preventing the fallback with an empty list still falls to the global groups, as in AWX.
  return unique(named.length > 0 ? named : sources.global)
}

const unique = (ids: number[]) => [...new Set(ids)]
