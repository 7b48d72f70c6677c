import { shellLine } from '../command-line.ts'
import { runnerFolder } from '../credentials.ts'
import { encode, type Payload, settings } from '../payload.ts'
import { promptAnswers } from '../prompts.ts'
import { directoryEntry, textEntry, treeEntries } from '../tree.ts'
import type { InventoryUpdateJob } from './job.ts'
import { planUpdate } from './plan.ts'

/**
 * What is sent for an inventory update in a pod: the runner's raw mode, whose result is `output.json` in the artifacts. Throws SourceUnusableError,
 * CredentialUnusableError, InventoryVariablesError and ProjectUnreadableError.
 */
export async function buildInventoryPayload(job: InventoryUpdateJob): Promise<Payload> {
  const plan = await planUpdate(job, {
    folder: runnerFolder,
    project: `${runnerFolder}/project`,
    collections: job.project?.collectionsFolder ? `${runnerFolder}/requirements_collections` : null,
    output: `${runnerFolder}/artifacts/${job.id}/output.json`,
  })
  const kwargs = {
    ident: job.id,
    passwords: promptAnswers(plan.effects.passwords),
    suppress_env_files: true,
    envvars: plan.env,
    fact_cache_type: '',
  }
  const now = new Date()
  const project = job.project
  const entries = [
    textEntry('args', shellLine(['ansible-inventory', ...plan.arguments]), 0o600, now),
    ...(project ? await treeEntries(project.folder, 'project') : [directoryEntry('project', 0o700, now)]),
    directoryEntry('inventory', 0o700, now),
    directoryEntry('env', 0o700, now),
    textEntry('env/extravars', '{}', 0o600, now),
    textEntry('env/settings', JSON.stringify(settings({ timeout: job.timeout, idleTimeout: 0 })), 0o600, now),
    ...plan.files.map(({ path, content, mode }) => textEntry(path, content, mode, now)),
    ...(project?.collectionsFolder ? await treeEntries(project.collectionsFolder, 'requirements_collections') : []),
  ]
  return { ...encode(kwargs, entries), secrets: plan.effects.secrets }
}
