import type { RequestContext } from '../context.ts'
import { PermissionDeniedError } from '../errors.ts'
import type { Permissions } from '../resource.ts'

/** System jobs and their templates are for superusers; auditors may look. */
export const systemPermissions: Permissions = { writes: 'superuser' }

/** AWX refuses the list to others instead of showing an empty one. */
export function superusersOnly({ actor }: RequestContext): undefined {
  if (!actor.isSuperuser && !actor.isSystemAuditor) throw new PermissionDeniedError('Superuser privileges needed.')
}
