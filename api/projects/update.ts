import { enqueue } from '../../store/outbox.ts'
import { createProjectUpdate } from '../../store/project-updates.ts'
import type { projects } from '../../store/schema/templates.ts'
import type { RequestContext } from '../context.ts'
import { MethodNotAllowedError } from '../errors.ts'
import { madeHeaders, makeOnce } from '../launch/idempotency.ts'
import { launchedBody } from '../launch/launch.ts'
import type { Action } from '../resource.ts'

type Project = typeof projects.$inferSelect

/** `/projects/N/update/`: manual projects have nothing to fetch. */
export const projectUpdateAction: Action<Project> = {
  async GET({ object }) {
    return { status: 200, body: { can_update: object.scmType !== '' } }
  },
  async POST({ object, body, context, render }) {
    if (object.scmType === '') throw new MethodNotAllowedError('POST')
    const made = await makeOnce(context, body, async (tx) => ({
      jobId: await startProjectUpdate({ ...context, db: tx }, object),
      ignoredFields: {},
    }))
    return {
      status: 202,
      body: { project_update: made.jobId, ...launchedBody(await render('project_updates', made.jobId)) },
      headers: madeHeaders('project_updates', made),
    }
  },
  fields: { GET: { can_update: { type: 'boolean', label: 'Can update', filterable: false } }, POST: {} },
  ownTransaction: true,
  title: 'Project Update View',
}

/** Makes an update of the project and the message that starts it, in the context's transaction. Returns its id. */
export async function startProjectUpdate(context: RequestContext, project: Project): Promise<number> {
  const id = await createProjectUpdate(context.db, project, { launchType: 'manual', createdById: context.actor.id })
  await enqueue(context.db, 'start', id)
  return id
}
