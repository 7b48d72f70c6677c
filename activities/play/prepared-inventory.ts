import { cause } from '../../model/cause.ts'
import type { ArtifactsZip } from '../../runner/artifacts-zip.ts'
import { secretsOf } from '../../runner/credentials.ts'
import { buildInventoryPayload } from '../../runner/inventory-update/payload.ts'
import { type RunDocument, readJob } from '../../store/run-document.ts'
import type { ActivityDeps } from '../deps.ts'
import { bringIn, readTold } from '../inventory/bring-in.ts'
import { gatherUpdate } from '../inventory/gather.ts'
import { readArtifact } from './artifacts.ts'
import type { Harvest, PreparedRun } from './run-parts.ts'

/** Where ansible-inventory writes in the pod, within the artifacts. */
const outputName = 'output.json'
/** More than this is no inventory. */
const mostOutputBytes = 256 * 1024 * 1024

/** Gathers what an inventory update in a pod is made of; what it finds is imported together with its verdict. */
export async function prepareInventoryRun(
  deps: ActivityDeps,
  document: RunDocument,
  signal: AbortSignal,
): Promise<PreparedRun> {
  const update = await gatherUpdate(deps, document, signal)
  return {
    payload: () => buildInventoryPayload(update),
    facts: null,
    hostIds: new Map(),
    secrets: update.credentials.flatMap(secretsOf),
    harvest: (artifacts) => harvest(deps, document.job.id, artifacts),
  }
}

async function harvest({ store }: ActivityDeps, jobId: number, artifacts: ArtifactsZip | null): Promise<Harvest> {
  const output = artifacts && (await readArtifact(artifacts, outputName, mostOutputBytes))
  const job = await readJob(store.db, jobId)
  if (!output || !job) return { cause: cause('play_failed', 'ansible-inventory wrote no inventory.') }
  const { inventory, cause: found } = readTold(job, output)
  if (found) return { cause: found }
  return { cause: null, write: async (tx) => ({ eventsEmitted: await bringIn(tx, job, inventory) }) }
}
