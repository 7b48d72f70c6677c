import { isFinal } from '../../model/job.ts'
import { decideApproval, readApproval } from '../../store/workflow/approve.ts'
import type { ActivityDeps } from '../deps.ts'
import { throwEnded } from '../end-job.ts'
import { ownJob } from '../own-job.ts'
import type { JobActivities } from '../types.ts'

/** Looks how an approval stands, and lets it expire when it is time. */
export function createLookAtApprovalActivity(deps: ActivityDeps): JobActivities['lookAtApproval'] {
  return async ({ jobId }) => {
    const { db } = deps.store
    await ownJob(deps, jobId, { restart: true })
    await decideApproval(db, jobId, { decision: 'expire' })
    const approval = await readApproval(db, jobId)
    if (!approval) return await throwEnded(deps, jobId)
    const { job, msLeft } = approval
    if (!isFinal(job.status)) return { verdict: null, msLeft }
    const { status, cause, jobExplanation: explanation } = job
    return { verdict: { status, cause, explanation, released: true }, msLeft: null }
  }
}
