import { eq } from 'drizzle-orm'
import { credentials } from '../../store/schema/catalog.ts'
import { users } from '../../store/schema/identity.ts'
import type { RequestContext, Row } from '../context.ts'
import { withSoundCertificates } from '../credentials/certificates.ts'
import { checkInputs, maskInputs, resealInputs, sealInputs } from '../credentials/inputs.ts'
import { credentialTestAction } from '../credentials/test.ts'
import { type CredentialTypeRow, typesOf } from '../credentials/types-of.ts'
import { ValidationError } from '../errors.ts'
import { type ComputedField, descriptionField, nameField } from '../field.ts'
import { defineResource, type WriteCheck } from '../resource.ts'
import { loadSummaries } from '../summary.ts'

type Credential = typeof credentials.$inferSelect

/** `/api/v2/credentials/`: secrets that jobs and groups use. What is secret is sealed in the store and never shown. */
export const credentialsResource = defineResource({
  name: 'credentials',
  type: 'credential',
  model: 'Credential',
  table: credentials,
  fields: {
    name: nameField(),
    description: descriptionField(),
    organization: { kind: 'id', to: 'organizations', default: null },
    credential_type: { kind: 'id', label: 'Credential Type', to: 'credential_types', required: true },
    managed: { kind: 'boolean', readOnly: true },
    inputs: { kind: 'json', holds: 'any', default: {}, unsearchable: 'encrypted' },
    kind: fromType((type) => type.namespace),
    cloud: fromType((type) => type.kind === 'cloud'),
    kubernetes: fromType((type) => type.kind === 'kubernetes'),
    user: { kind: 'id', to: 'users', default: null, writeOnly: true, createOnly: true, filterable: false },
    team: {
      kind: 'id',
      to: 'teams',
      column: null,
      default: null,
      writeOnly: true,
      createOnly: true,
      filterable: false,
    },
  },
  order: ['name'],
  searchFields: ['description', 'name'],
  namedUrl: [['name'], ['credential_type__name', 'credential_type__kind'], ['organization__name']],
  summary: {
    fields: ['name', 'description'],
    async extra(rows, context) {
      return (await typesOf(rows, context)).map((type) => ({ ...kindOf(type), credential_type_id: type?.id }))
    },
  },
  capabilities: ['edit', 'delete', 'copy', 'use'],
  objectRoles: ['admin_role', 'use_role', 'read_role'],
  unique: [{ fields: ['organization', 'name', 'credential_type'] }],
  subLists: {
    owner_users: {
      resource: 'users',
      where: (row) => eq(users.id, row.userId ?? 0),
      title: 'Credential Owner Users List',
    },
  },
  actions: { test: credentialTestAction },
  permissions: {
    refuse(action, credential) {
      if (!credential?.managed) return undefined
      if (action === 'edit') return 'Modifications not allowed for managed credentials'
      return action === 'delete' ? 'Deletion not allowed for managed credentials' : undefined
    },
    readable: ({ actor }) => eq(credentials.userId, actor.id),
    grants: (action, row, { actor }) => action !== 'create' && row !== undefined && row.userId === actor.id,
  },
  copy: {
    omit: ['inputs'],
    async after(source, copy, { db, deps }) {
      const inputs = resealInputs(deps.keyring, source.id, copy.id, source.inputs)
      await db.update(credentials).set({ inputs }).where(eq(credentials.id, copy.id))
    },
  },
  hooks: {
    validate,
    prepare({ inputs: _sealedLater, ...values }) {
      return values
    },
    async afterWrite(row, before, context, input) {
      if (!('inputs' in input)) return
      const [type] = await typesOf([row], context)
      const inputs = sealInputs(
        context.deps.keyring,
        row.id,
        type?.inputs,
        input.inputs as Record<string, unknown>,
        before?.inputs ?? {},
      )
      await context.db.update(credentials).set({ inputs }).where(eq(credentials.id, row.id))
    },
  },
  present: (wire, row) => ({ ...wire, inputs: maskInputs(row.inputs) }),
  async summaries(rows, context) {
    const owners = await ownersOf(rows, context)
    return rows.map((_, index) => ({ owners: owners[index] ?? [] }))
  },
})

function fromType(read: (type: CredentialTypeRow) => unknown): ComputedField {
  return {
    kind: 'computed',
    type: 'field',
    filterable: false,
    values: async (rows, context) =>
      (await typesOf(rows as readonly (Row & Credential)[], context)).map((type) => (type ? read(type) : null)),
  }
}

/** What summaries say of a credential's type: `kind` is AWX's name of the type, null for custom ones. */
function kindOf(type: CredentialTypeRow | undefined) {
  return { kind: type?.namespace ?? null, cloud: type?.kind === 'cloud', kubernetes: type?.kind === 'kubernetes' }
}

async function validate({ input, merged, before, body, context }: WriteCheck<Credential>): Promise<void> {
  if (!before) checkOwner(body)
  const typeId = merged.credential_type
  const [type] = typeof typeId === 'number' ? await typesOf([{ credentialTypeId: typeId }], context) : []
  // Another type must still understand the inputs that stay.
  const inputs =
    'inputs' in input ? input.inputs : 'credential_type' in input ? maskInputs(before?.inputs ?? {}) : undefined
  if (inputs === undefined) return
  const checked = checkInputs(type?.inputs, inputs, before?.inputs)
  if ('inputs' in input && type?.namespace === 'kubernetes_bearer_token') input.inputs = withSoundCertificates(checked)
}

/** A new credential belongs to exactly one user, team or organization. */
function checkOwner(body: Record<string, unknown>): void {
  const owners = ['organization', 'team', 'user'].filter(
    (name) => body[name] !== undefined && body[name] !== null && body[name] !== '',
  )
  if (owners.length === 1) return
  throw new ValidationError({
    detail: [
      owners.length === 0
        ? "Missing 'user', 'team', or 'organization'."
        : `Only one of 'user', 'team', or 'organization' should be provided, received ${owners.join(', ')} fields.`,
    ],
  })
}

async function ownersOf(rows: readonly Credential[], context: RequestContext): Promise<Record<string, unknown>[][]> {
  const { registry } = context
  const organizations = await loadSummaries(registry.get('organizations'), ids(rows, 'organizationId'), context)
  const people = await loadSummaries(registry.get('users'), ids(rows, 'userId'), context)
  return rows.map((row) => {
    const organization = organizations.get(row.organizationId ?? 0)
    const person = people.get(row.userId ?? 0)
    return [
      ...(person
        ? [
            {
              id: person.id,
              type: 'user',
              name: person.username,
              description: `${person.first_name} ${person.last_name}`,
              url: `/api/v2/users/${person.id}/`,
            },
          ]
        : []),
      ...(organization
        ? [{ type: 'organization', ...organization, url: `/api/v2/organizations/${organization.id}/` }]
        : []),
    ]
  })
}

function ids(rows: readonly Credential[], key: 'organizationId' | 'userId'): number[] {
  return rows.flatMap((row) => row[key] ?? [])
}
