import type { Cause } from '../../model/cause.ts'
import type { InventoryStructure } from '../../model/inventory-script.ts'
import type { ArtifactsZip } from '../../runner/artifacts-zip.ts'
import { metaVars, type RunnerJob } from '../../runner/job.ts'
import type { Payload } from '../../runner/payload.ts'
import type { SpoolReader } from '../../runner/stream.ts'
import type { Database } from '../../store/database.ts'
import type { RunDocument } from '../../store/run-document.ts'

/** Everything that is needed to start a play and to read its output. Holds secrets: it lives in memory only. */
export interface PreparedRun {
  /** Puts together what is sent to the pod; its secrets are to be hidden like those below. */
  payload(): Promise<Payload>
  /** Reads the output from where it is stored; where absent, that of ansible-runner. */
  reader?(from: { offset: number; lastCounter: number }): Pick<SpoolReader, 'push' | 'finish'>
  /** The facts that were sent along, when the fact cache is on, else null. */
  facts: RunnerJob['facts']
  /** Inventory hosts by name, to which events and facts belong. */
  hostIds: ReadonlyMap<string, number>
  /** Values that must not appear in anything stored. */
  secrets: string[]
  /** Reads the artifacts of a run that succeeded, where they are for us: what is to be written with the verdict, or why it failed after all. */
  harvest?(artifacts: ArtifactsZip | null): Promise<Harvest>
}

/** What comes of a run beside its output. `write` answers how many events the job has then. */
export type Harvest = { cause: Cause } | { cause: null; write(tx: Database): Promise<{ eventsEmitted: number }> }

/** Of a job without an inventory. */
export const noInventory: InventoryStructure = { name: '', variables: '', hosts: [], groups: [] }

/** The awx_* and tower_* variables of AWX's jobs. */
export function metaVarsOf(document: RunDocument): Record<string, unknown> {
  const { job, template, project, inventory, user, origin } = document
  const { workflow } = origin
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
    schedule_id: origin.schedule?.id,
    schedule_name: origin.schedule?.name,
    workflow_job_id: workflow?.id,
    workflow_job_name: workflow?.name,
    workflow_job_launch_type: workflow?.launchType,
    parent_job_schedule_id: workflow?.schedule?.id,
    parent_job_schedule_name: workflow?.schedule?.name,
  })
}
