import { eq, isNull } from 'drizzle-orm'
import { credentials, credentialTypes, executionEnvironments } from '../../store/schema/catalog.ts'
import { PermissionDeniedError, ValidationError } from '../errors.ts'
import { descriptionField, nameField } from '../field.ts'
import { defineResource, type WriteCheck } from '../resource.ts'

type Environment = typeof executionEnvironments.$inferSelect

/** What may not change on the environments that the installation itself needs. */
const fixedWhenManaged = ['name', 'description', 'organization', 'image', 'credential']

/** `/api/v2/execution_environments/`: container images in which jobs run. */
export const executionEnvironmentsResource = defineResource({
  name: 'execution_environments',
  type: 'execution_environment',
  model: 'ExecutionEnvironment',
  table: executionEnvironments,
  fields: {
    name: nameField(),
    description: descriptionField(),
    organization: { kind: 'id', to: 'organizations' },
    image: { kind: 'string', label: 'Image location', required: true, maxLength: 1024 },
    managed: { kind: 'boolean', readOnly: true },
    credential: { kind: 'id', to: 'credentials' },
    pull: {
      kind: 'choice',
      default: '',
      choices: [
        ['', '---------'],
        ['always', 'Always pull container before running.'],
        ['missing', 'Only pull the image if not present before running.'],
        ['never', 'Never pull container before running.'],
      ],
    },
  },
  order: ['name'],
  searchFields: ['description', 'name'],
  namedUrl: [['name']],
  summary: { fields: ['name', 'description', 'image'] },
  capabilities: ['edit', 'delete', 'copy'],
  unique: [{ fields: ['name'] }],
  copy: {},
  permissions: {
    // Environments without an organization are everybody's.
    readable: () => isNull(executionEnvironments.organizationId),
    refuse: (action, row) =>
      action === 'delete' && row?.managed ? 'Deletion not allowed for managed execution environments.' : undefined,
  },
  hooks: { validate },
})

async function validate(check: WriteCheck<Environment>): Promise<void> {
  const { input, merged, before, context } = check
  if (before?.managed && fixedWhenManaged.some((name) => name in input && !sameAs(before, name, input[name]))) {
    throw new PermissionDeniedError("Only the 'pull' field can be edited for managed execution environments.")
  }
  if (before && 'organization' in input && input.organization !== before.organizationId) {
    throw ValidationError.on('organization', 'Cannot change the organization of an execution environment')
  }
  if (typeof merged.credential !== 'number') return
  const [found] = await context.db
    .select({ kind: credentialTypes.kind })
    .from(credentials)
    .innerJoin(credentialTypes, eq(credentialTypes.id, credentials.credentialTypeId))
    .where(eq(credentials.id, merged.credential))
  if (found?.kind !== 'registry') {
    throw ValidationError.on(
      'credential',
      'Only Container Registry credentials can be associated with an Execution Environment',
    )
  }
}

function sameAs(before: Environment, name: string, value: unknown): boolean {
  const stored: Record<string, unknown> = {
    ...before,
    organization: before.organizationId,
    credential: before.credentialId,
  }
  return stored[name] === value
}
