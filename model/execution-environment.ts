/** Execution environments that may decide, by id; null or undefined where none is set. */
export interface EnvironmentSources {
  job?: number | null
  template?: number | null
  project?: number | null
  organization?: number | null
  inventoryOrganization?: number | null
  /** The installation's default. */
  global?: number | null
}

/** The execution environment a job runs in, or null when none can be found. */
export function resolveEnvironment(sources: EnvironmentSources): number | null {
  return (
    sources.job ??
    sources.template ??
    sources.project ??
    sources.organization ??
    sources.inventoryOrganization ??
    sources.global ??
    null
  )
}

/** Text of the error of a job for which `resolveEnvironment` found nothing. */
export const noEnvironmentExplanation = 'Job could not start because no Execution Environment could be found.'
