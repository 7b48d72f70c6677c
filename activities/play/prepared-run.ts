import type { InventoryStructure } from '../../model/inventory-script.ts'
import { restoreSecretAnswers } from '../../model/launch.ts'
import { storedVariables } from '../../model/variables.ts'
import { secretsOf } from '../../runner/credentials.ts'
import { metaVars, type RunnerJob } from '../../runner/job.ts'
import { readFacts } from '../../store/facts.ts'
import { readInventory } from '../../store/inventory.ts'
import type { RunDocument } from '../../store/run-document.ts'
import { launchPasswords, resolve } from '../credentials.ts'
import type { ActivityDeps } from '../deps.ts'
import { projectAtRevision } from '../project-folder.ts'

/** Everything that is needed to start a play and to read its output. Holds secrets: it lives in memory only. */
export interface PreparedRun {
  job: RunnerJob
  /** Inventory hosts by name, to which events and facts belong. */
  hostIds: ReadonlyMap<string, number>
  /** Values that must not appear in anything stored. */
  secrets: string[]
}

const noInventory: InventoryStructure = { name: '', variables: '', hosts: [], groups: [] }

/** Gathers what a run is made of, with the project at the job's revision on this machine. */
export async function prepareRun(deps: ActivityDeps, document: RunDocument, signal: AbortSignal): Promise<PreparedRun> {
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
    job: runnerJob,
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

/** The awx_* and tower_* variables of AWX's jobs. */
function metaVarsOf({ job, template, project, inventory, user }: RunDocument): Record<string, unknown> {
  return metaVars({
    job_id: job.id,
    job_launch_type: job.launchType,
    job_template_id: template?.id,
    job_template_name: template?.name,
    project_revision: job.scmRevision || undefined,
    project_scm_branch: project?.scmBranch || undefined,
    job_scm_branch: job.scmBranch || undefined,
    user_id: user?.id,
    user_name: user?.username,
    user_email: user?.email,
    user_first_name: user?.firstName,
    user_last_name: user?.lastName,
    inventory_id: inventory?.id,
    inventory_name: inventory?.name,
  })
}
