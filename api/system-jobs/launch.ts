import { readSystemJobOptions } from '../../model/system-job.ts'
import { isMapping, storedVariables } from '../../model/variables.ts'
import { createSystemJob } from '../../store/launch/system-job.ts'
import { enqueue } from '../../store/outbox.ts'
import type { systemJobTemplates } from '../../store/schema/updates.ts'
import { ValidationError } from '../errors.ts'
import { madeHeaders, makeOnce } from '../launch/idempotency.ts'
import { launchedBody } from '../launch/launch.ts'
import type { Action } from '../resource.ts'

/** `/system_job_templates/N/launch/`: `extra_vars` may say `days` and `dry_run`. */
export const launchSystemJobAction: Action<typeof systemJobTemplates.$inferSelect> = {
  async GET() {
    return { status: 200, body: {} }
  },
  async POST({ object: template, body, context, render }) {
    const read = readSystemJobOptions(body.extra_vars)
    if (!read.ok) throw ValidationError.on('extra_vars', read.error)
    const extraVars = isMapping(body.extra_vars) ? body.extra_vars : storedVariables(body.extra_vars)
    const made = await makeOnce(context, body, async (tx) => {
      const launch = { launchType: 'manual', createdById: context.actor.id, extraVars } as const
      const jobId = await createSystemJob(tx, template, launch)
      await enqueue(tx, 'start', jobId)
      return { jobId, ignoredFields: {} }
    })
    return {
      status: 201,
      body: { system_job: made.jobId, ...launchedBody(await render('system_jobs', made.jobId)) },
      headers: madeHeaders('system_jobs', made),
    }
  },
  ownTransaction: true,
  fields: { GET: {}, POST: {} },
  title: 'System Job Template Launch',
}
