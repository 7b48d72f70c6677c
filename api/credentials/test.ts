import type { credentials } from '../../store/schema/catalog.ts'
import type { Row } from '../context.ts'
import { ApiError } from '../errors.ts'
import { listTests, runTest } from '../preflight/test-action.ts'
import type { Action } from '../resource.ts'
import { typesOf } from './types-of.ts'

/**
 * `/credentials/N/test/`: POST tests whether a cluster takes the credential, and as whom. AWX tests credentials of external secret stores by this path, of which there are none
 * here; other kinds get its 400.
 */
export const credentialTestAction: Action<typeof credentials.$inferSelect & Row> = {
  title: 'External Credential Test',
  ownTransaction: true,
  link: false,
  permission: { GET: 'read', POST: 'use' },
  GET: (input) => listTests({ credentialId: input.object.id }, input),
  async POST(input) {
    const [type] = await typesOf([input.object], input.context)
    if (type?.namespace !== 'kubernetes_bearer_token') {
      const inputs = 'Only credentials of the type "OpenShift or Kubernetes API Bearer Token" can be tested.'
      throw new ApiError(400, { inputs })
    }
    return await runTest({ credentialId: input.object.id }, input)
  },
}
