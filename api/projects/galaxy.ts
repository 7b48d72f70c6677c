import type { credentials, organizations } from '../../store/schema/catalog.ts'
import type { RequestContext, Row } from '../context.ts'
import { typesOf } from '../credentials/types-of.ts'
import { ApiError } from '../errors.ts'

type Credential = typeof credentials.$inferSelect

/** Projects install roles and collections from Galaxy servers only, so nothing else may be attached to an organization for it. */
export async function checkGalaxyCredential(
  _organization: typeof organizations.$inferSelect,
  child: Row,
  attaching: boolean,
  context: RequestContext,
): Promise<void> {
  const [type] = await typesOf([child as Row & Credential], context)
  if (!attaching || type?.namespace === 'galaxy_api_token') return
  throw new ApiError(400, { msg: `Credential must be a Galaxy credential, not ${type?.name ?? 'one without a type'}.` })
}
