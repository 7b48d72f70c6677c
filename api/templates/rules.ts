import { eq } from 'drizzle-orm'
import { inventories } from '../../store/schema/inventory.ts'
import { type jobTemplates, projects } from '../../store/schema/templates.ts'
import type { RequestContext } from '../context.ts'
import { ValidationError } from '../errors.ts'
import { playbooksOf } from '../projects/playbooks.ts'
import type { WriteCheck } from '../resource.ts'
import { checkContainer } from './container.ts'
import { checkRetryPolicy } from './failure.ts'

type Template = typeof jobTemplates.$inferSelect

/** Rules of a job template over several fields, in AWX's words. It belongs to its project's organization. */
export async function checkTemplate(check: WriteCheck<Template>): Promise<void> {
  const { merged, context } = check
  checkRetryPolicy(merged.retry_policy)
  if (merged.container) return await checkContainerTemplate(check)
  if (typeof merged.project !== 'number') {
    throw ValidationError.on('project', 'Job Templates must have a project assigned.')
  }
  const [project] = await context.db.select().from(projects).where(eq(projects.id, merged.project))
  if (!project) throw ValidationError.on('project', `Invalid pk "${merged.project}" - object does not exist.`)
  // The uniqueness of names looks at it.
  merged.organization = project.organizationId
  const playbook = String(merged.playbook ?? '')
  if (playbook === '') throw ValidationError.on('playbook', 'Must select playbook for project.')
  // With another branch there may be other playbooks.
  const anyBranch = project.scmType !== '' && project.allowOverride
  if (!anyBranch && mayBeMissing(check) && !(await playbooksOf(project, context)).includes(playbook)) {
    throw ValidationError.on('playbook', 'Playbook not found for project.')
  }
  for (const field of ['scm_branch', 'ask_scm_branch_on_launch']) {
    if (merged[field] && !project.allowOverride) {
      throw ValidationError.on(field, 'Project does not allow overriding branch.')
    }
  }
  if (!merged.inventory && !merged.ask_inventory_on_launch) {
    throw ValidationError.on('inventory', 'You must either set a default value or ask to prompt on launch.')
  }
}

/** A container job needs no project: without one it belongs to no organization but its inventory's. */
async function checkContainerTemplate({ merged, context }: WriteCheck<Template>): Promise<void> {
  checkContainer(merged.container)
  if (merged.playbook) throw ValidationError.on('playbook', 'A template has either a playbook or a container.')
  const [project, inventory] = await Promise.all([
    typeof merged.project === 'number' ? findOwner(context, projects, merged.project) : undefined,
    typeof merged.inventory === 'number' ? findOwner(context, inventories, merged.inventory) : undefined,
  ])
  merged.organization = project?.organizationId ?? inventory?.organizationId ?? null
  if (!merged.execution_environment && !merged.ask_execution_environment_on_launch) {
    throw ValidationError.on('execution_environment', 'Say which image runs the container, or ask for it at launch.')
  }
}

async function findOwner(context: RequestContext, table: typeof projects | typeof inventories, id: number) {
  const [row] = await context.db.select({ organizationId: table.organizationId }).from(table).where(eq(table.id, id))
  return row
}

/** Changing something else does not look for the playbook: a project that is just being fetched would forbid it. */
function mayBeMissing({ input, before }: WriteCheck<Template>): boolean {
  return !before || 'playbook' in input || 'project' in input
}

/** The organization follows from the project. */
export function withOrganization(
  values: Record<string, unknown>,
  { merged }: WriteCheck<Template>,
): Record<string, unknown> {
  const container = 'container' in values ? { container: checkContainer(values.container) } : {}
  const retryPolicy = 'retryPolicy' in values ? { retryPolicy: checkRetryPolicy(values.retryPolicy) } : {}
  return { ...values, ...container, ...retryPolicy, organizationId: merged.organization ?? null }
}
