import { storedVariables } from '../../model/variables.ts'
import { buildAdHocPayload } from '../../runner/ad-hoc/payload.ts'
import { secretsOf } from '../../runner/credentials.ts'
import { readInventory } from '../../store/inventory.ts'
import type { RunDocument } from '../../store/run-document.ts'
import { launchPasswords, resolve } from '../credentials.ts'
import type { ActivityDeps } from '../deps.ts'
import { metaVarsOf, noInventory, type PreparedRun } from './run-parts.ts'

/** Gathers what an ad hoc command is made of. */
export async function prepareAdHocRun(deps: ActivityDeps, document: RunDocument): Promise<PreparedRun> {
  const { job } = document
  const inventory = job.inventoryId === null ? undefined : await readInventory(deps.store.db, job.inventoryId)
  const credentials = document.credentials.map((credential) => resolve(deps, credential))
  const passwords = launchPasswords(deps, document)
  const payload = async () =>
    buildAdHocPayload({
      id: job.id,
      jobType: job.jobType === 'check' ? 'check' : 'run',
      moduleName: job.moduleName,
      moduleArgs: job.moduleArgs,
      forks: job.forks,
      limit: job.limit,
      verbosity: job.verbosity,
      becomeEnabled: job.becomeEnabled,
      diffMode: job.diffMode,
      inventoryId: job.inventoryId ?? 0,
      inventory: inventory ?? noInventory,
      credentials,
      launchPasswords: passwords,
      extraVars: storedVariables(job.extraVars),
      metaVars: metaVarsOf(document),
      taskEnv: {},
    })
  return {
    payload,
    facts: null,
    hostIds: new Map((inventory?.hosts ?? []).map((host) => [host.name, host.id])),
    secrets: [...credentials.flatMap(secretsOf), ...Object.values(passwords).filter((password) => password !== '')],
  }
}
