import { eq } from 'drizzle-orm'
import { workflowJobTemplateNodeCredentials } from '../../store/schema/workflows.ts'
import type { RequestContext, Row } from '../context.ts'
import { checkSavedCredential } from '../templates/saved-prompts.ts'
import type { TemplateNodeRow } from './node-rules.ts'

/** What a node may give its job. */
export async function checkNodeCredential(
  node: TemplateNodeRow,
  credential: Row,
  attaching: boolean,
  context: RequestContext,
): Promise<void> {
  if (!attaching) return
  const { unifiedJobTemplateId: id, templateType: type } = node
  const attached = await context.db
    .select({ id: workflowJobTemplateNodeCredentials.credentialId })
    .from(workflowJobTemplateNodeCredentials)
    .where(eq(workflowJobTemplateNodeCredentials.nodeId, node.id))
  const target = id === null || type === null ? null : { id, type }
  await checkSavedCredential(
    target,
    credential,
    attached.map((row) => row.id),
    context,
  )
}
