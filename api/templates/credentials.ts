import { eq } from 'drizzle-orm'
import { credentialPlace, type LaunchCredential, playCredentialKinds } from '../../model/launch-credentials.ts'
import { loadSources, type TemplateRow } from '../../store/launch/sources.ts'
import { type credentials, credentialTypes } from '../../store/schema/catalog.ts'
import type { RequestContext, Row } from '../context.ts'
import { ApiError } from '../errors.ts'

/** A template has one credential of each type, and of vaults one per vault id. */
export async function checkTemplateCredential(
  template: TemplateRow,
  credential: Row,
  attaching: boolean,
  context: RequestContext,
): Promise<void> {
  if (!attaching) return
  const [type] = await context.db
    .select()
    .from(credentialTypes)
    .where(eq(credentialTypes.id, Number(credential.credentialTypeId)))
  if (!type) return
  if (!playCredentialKinds.includes(type.kind)) {
    throw new ApiError(400, { error: `Cannot assign a Credential of kind \`${type.kind}\`.` })
  }
  const row = credential as unknown as typeof credentials.$inferSelect
  const { vault_id: vaultId } = row.inputs
  const candidate: LaunchCredential = {
    id: row.id,
    name: row.name,
    description: row.description,
    namespace: type.namespace,
    typeId: type.id,
    typeName: type.name,
    kind: type.kind,
    passwordsNeeded: [],
    vaultId: typeof vaultId === 'string' ? vaultId : '',
  }
  const { key, label } = credentialPlace(candidate)
  const { credentials: present } = await loadSources(
    { db: context.db, keyring: context.deps.keyring },
    { ...template, jobTemplateId: template.id },
  )
  if (present.some((one) => credentialPlace(one).key === key)) {
    throw new ApiError(400, { error: `Cannot assign multiple ${label} credentials.` })
  }
}
