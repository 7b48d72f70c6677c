import { eq } from 'drizzle-orm'
import { credentials, credentialTypes } from '../../store/schema/catalog.ts'
import type { RequestContext } from '../context.ts'
import { injectorsComplaint, inputsComplaint } from '../credentials/type-schema.ts'
import { PermissionDeniedError, ValidationError } from '../errors.ts'
import { type Choice, descriptionField, nameField } from '../field.ts'
import { defineResource, type WriteCheck } from '../resource.ts'

type CredentialType = typeof credentialTypes.$inferSelect

/** Kinds that users may define. */
const customKinds: Choice[] = [
  ['net', 'Network'],
  ['cloud', 'Cloud'],
]
const kinds: Choice[] = [
  ['ssh', 'Machine'],
  ['vault', 'Vault'],
  ['net', 'Network'],
  ['scm', 'Source Control'],
  ['cloud', 'Cloud'],
  ['registry', 'Container Registry'],
  ['token', 'Personal Access Token'],
  ['insights', 'Insights'],
  ['external', 'External'],
  ['kubernetes', 'Kubernetes'],
  ['galaxy', 'Galaxy/Automation Hub'],
  ['cryptography', 'Cryptography'],
]

/** `/api/v2/credential_types/`: what credentials hold, and how it reaches a play. */
export const credentialTypesResource = defineResource({
  name: 'credential_types',
  type: 'credential_type',
  model: 'CredentialType',
  table: credentialTypes,
  fields: {
    name: nameField(),
    description: descriptionField(),
    kind: { kind: 'choice', required: true, choices: (method) => (method === 'GET' ? kinds : customKinds) },
    namespace: { kind: 'string', readOnly: true, nullable: true },
    managed: { kind: 'boolean', readOnly: true },
    inputs: { kind: 'json', default: {} },
    injectors: { kind: 'json', default: {} },
  },
  relations: { credentials: { kind: 'many', to: 'credentials', column: 'credentialTypeId' } },
  order: ['name'],
  searchFields: ['description', 'name'],
  namedUrl: [['name', 'kind']],
  capabilities: ['edit', 'delete'],
  unique: [{ fields: ['name', 'kind'] }],
  subLists: { credentials: { relation: 'credentials', create: true, title: 'Credential Type Credential List' } },
  permissions: {
    writes: 'superuser',
    readableByAll: true,
    refuse(action, type) {
      if (!type?.managed) return undefined
      if (action === 'edit') return 'Modifications not allowed for managed credential types'
      return action === 'delete' ? 'Deletion not allowed for managed credential types' : undefined
    },
  },
  hooks: {
    validate,
    async beforeDelete(type, context) {
      if (await isUsed(type.id, context))
        throw new PermissionDeniedError('Credential types that are in use cannot be deleted')
    },
  },
})

async function validate({ input, merged, before, context }: WriteCheck<CredentialType>): Promise<void> {
  if (!customKinds.some(([kind]) => kind === merged.kind)) {
    throw ValidationError.on('kind', `Must be 'cloud' or 'net', not ${String(merged.kind)}`)
  }
  const inputs = inputsComplaint(merged.inputs)
  if (inputs) throw ValidationError.on('inputs', inputs)
  const injectors = injectorsComplaint(merged.inputs, merged.injectors)
  if (injectors) throw ValidationError.on('injectors', injectors)
  const changed = before && 'inputs' in input && JSON.stringify(input.inputs) !== JSON.stringify(before.inputs)
  if (changed && (await isUsed(before.id, context))) {
    throw new PermissionDeniedError('Modifications to inputs are not allowed for credential types that are in use')
  }
}

async function isUsed(typeId: number, context: RequestContext): Promise<boolean> {
  const rows = await context.db
    .select({ id: credentials.id })
    .from(credentials)
    .where(eq(credentials.credentialTypeId, typeId))
    .limit(1)
  return rows.length > 0
}
