import { eq } from 'drizzle-orm'
import { type jobTemplates, projects } from '../../store/schema/templates.ts'
import { ValidationError } from '../errors.ts'
import { playbooksOf } from '../projects/playbooks.ts'
import type { WriteCheck } from '../resource.ts'

type Template = typeof jobTemplates.$inferSelect

/** Rules of a job template over several fields, in AWX's words. It belongs to its project's organization. */
export async function checkTemplate(check: WriteCheck<Template>): Promise<void> {
  const { merged, context } = check
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

/** Changing something else does not look for the playbook: a project that is just being fetched would forbid it. */
function mayBeMissing({ input, before }: WriteCheck<Template>): boolean {
  return !before || 'playbook' in input || 'project' in input
}

/** The organization follows from the project. */
export function withOrganization(
  values: Record<string, unknown>,
  { merged }: WriteCheck<Template>,
): Record<string, unknown> {
  return { ...values, organizationId: merged.organization ?? null }
}
