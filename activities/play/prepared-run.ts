import { restoreSecretAnswers } from '../../model/launch.ts'
import { storedVariables } from '../../model/variables.ts'
import { secretsOf } from '../../runner/credentials.ts'
import type { RunnerJob } from '../../runner/job.ts'
import { buildPayload } from '../../runner/payload.ts'
import { readFacts } from '../../store/facts.ts'
import { readInventory } from '../../store/inventory.ts'
import type { RunDocument } from '../../store/run-document.ts'
import { launchPasswords, resolve } from '../credentials.ts'
import type { ActivityDeps } from '../deps.ts'
import { projectAtRevision } from '../project-folder.ts'
import { prepareAdHocRun } from './prepared-ad-hoc.ts'
import { prepareContainerRun } from './prepared-container.ts'
import { prepareInventoryRun } from './prepared-inventory.ts'
import { metaVarsOf, noInventory, type PreparedRun } from './run-parts.ts'

/** Gathers what a run is made of, by the kind of the job. */
export async function prepareRun(deps: ActivityDeps, document: RunDocument, signal: AbortSignal): Promise<PreparedRun> {
  if (document.job.type === 'ad_hoc_command') return await prepareAdHocRun(deps, document)
  if (document.job.type === 'inventory_update') return await prepareInventoryRun(deps, document, signal)
  const { container } = document.job
  if (container) return await prepareContainerRun(deps, document, container)
  return await preparePlay(deps, document, signal)
}

/** A playbook run, with the project at the job's revision on this machine. */
async function preparePlay(deps: ActivityDeps, document: RunDocument, signal: AbortSignal): Promise<PreparedRun> {
  const { job, template } = document
  const inventory = job.inventoryId === null ? undefined : await readInventory(deps.store.db, job.inventoryId)
  const project = await projectAtRevision(deps, document, signal)
  const credentials = document.credentials.map((credential) => resolve(deps, credential))
  const passwords = launchPasswords(deps, document)
  const runnerJob: RunnerJob = {
    id: job.id,
    jobType: job.jobType === 'check' ? 'check' : 'run',
    playbook: job.playbook,
    forks: job.forks,
    limit: job.limit,
    verbosity: job.verbosity,
    jobTags: job.jobTags,
    skipTags: job.skipTags,
    startAtTask: job.startAtTask,
    forceHandlers: job.forceHandlers,
    becomeEnabled: job.becomeEnabled,
    diffMode: job.diffMode,
    timeout: Math.max(job.timeout, 0),
    idleTimeout: 0,
    projectRevision: project.revision,
    projectFolder: project.folder,
    rolesFolder: project.rolesFolder,
    collectionsFolder: project.collectionsFolder,
    inventoryId: job.inventoryId ?? 0,
    inventory: inventory ?? noInventory,
    slice: { number: job.jobSliceNumber, count: job.jobSliceCount },
    credentials,
    launchPasswords: passwords,
    extraVars: restoreSecretAnswers(storedVariables(job.extraVars), passwords),
    templateExtraVars: storedVariables(template?.extraVars ?? ''),
    metaVars: metaVarsOf(document),
    facts: job.useFactCache && job.inventoryId !== null ? await factsOf(deps, job.inventoryId) : null,
    publicUrl: deps.settings.publicUrl,
    taskEnv: {},
  }
  return {
    payload: () => buildPayload(runnerJob),
    facts: runnerJob.facts,
    hostIds: new Map((inventory?.hosts ?? []).map((host) => [host.name, host.id])),
    secrets: [...credentials.flatMap(secretsOf), ...Object.values(passwords).filter((password) => password !== '')],
  }
}

async function factsOf({ store }: Pick<ActivityDeps, 'store'>, inventoryId: number): Promise<RunnerJob['facts']> {
  const facts: NonNullable<RunnerJob['facts']> = []
  for await (const { hostName, facts: values, modified } of readFacts(store.db, inventoryId)) {
    facts.push({ hostName, facts: values, modified: new Date(modified ?? 0) })
  }
  return facts
}
