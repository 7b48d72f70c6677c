import { eq } from 'drizzle-orm'
import { credentialPlace } from '../../model/launch-credentials.ts'
import { loadPromptRules } from '../../store/launch/saved-prompts.ts'
import { loadCredentials } from '../../store/launch/sources.ts'
import { workflowJobTemplateNodeCredentials } from '../../store/schema/workflows.ts'
import type { RequestContext, Row } from '../context.ts'
import { ApiError } from '../errors.ts'
import type { TemplateNodeRow } from './node-rules.ts'

/** What a node may give its job: credentials that its template asks for, none that needs a password, one of each type; the texts are AWX's. */
export async function checkNodeCredential(
  node: TemplateNodeRow,
  credential: Row,
  attaching: boolean,
  context: RequestContext,
): Promise<void> {
  if (!attaching) return
  const refuse = (msg: string): never => {
    throw new ApiError(400, { msg })
  }
  const { unifiedJobTemplateId: id, templateType: type } = node
  if (id === null || type === null) return refuse('Cannot assign credential when related template is null.')
  const store = { db: context.db, keyring: context.deps.keyring }
  const taker = (await loadPromptRules(store, { id, type }))?.taker
  if (taker?.kind !== 'job_template') return refuse('Related template cannot accept credentials on launch.')
  const attached = await context.db
    .select({ id: workflowJobTemplateNodeCredentials.credentialId })
    .from(workflowJobTemplateNodeCredentials)
    .where(eq(workflowJobTemplateNodeCredentials.nodeId, node.id))
  const present = attached.map((row) => row.id).filter((one) => one !== credential.id)
  const loaded = await loadCredentials(store, [credential.id, ...present])
  const candidate = loaded.find((one) => one.id === credential.id)
  if (!candidate) return
  if (candidate.passwordsNeeded.length > 0) {
    refuse('Credential that requires user input on launch cannot be used in saved launch configuration.')
  }
  if (!taker.rules.asks.credentials) refuse('Related template is not configured to accept credentials on launch.')
  const { key, label } = credentialPlace(candidate)
  if (loaded.some((one) => one !== candidate && credentialPlace(one).key === key)) {
    refuse(`This launch configuration already provides a ${label} credential.`)
  }
  if (taker.rules.credentials.some((one) => one.id === candidate.id)) {
    refuse(`Related template already uses ${candidate.name} credential.`)
  }
}
