import { eq } from 'drizzle-orm'
import { hashPassword } from '../../store/passwords.ts'
import { tokens, users } from '../../store/schema/identity.ts'
import { endOtherSessions } from '../auth/sessions.ts'
import { PermissionDeniedError, ValidationError } from '../errors.ts'
import { derived } from '../field.ts'
import { defineResource, type WriteCheck } from '../resource.ts'

type User = typeof users.$inferSelect

/** `/api/v2/users/`: who may log in. */
export const usersResource = defineResource({
  name: 'users',
  type: 'user',
  model: 'User',
  table: users,
  fields: {
    username: { kind: 'string', required: true, maxLength: 150, format: 'username' },
    first_name: { kind: 'string', maxLength: 150 },
    last_name: { kind: 'string', maxLength: 150 },
    email: { kind: 'string', label: 'Email address', maxLength: 254, format: 'email' },
    is_superuser: { kind: 'boolean', label: 'Superuser status', default: false },
    is_system_auditor: { kind: 'boolean', default: false, filterable: false },
    password: { kind: 'secret', column: 'passwordHash', default: '', blank: true },
    ldap_dn: derived('string', () => ''),
    last_login: { kind: 'datetime', readOnly: true },
    external_account: derived('field', () => null),
  },
  relations: { credentials: { kind: 'many', to: 'credentials', column: 'userId' } },
  order: ['username'],
  searchFields: ['username', 'first_name', 'last_name', 'email'],
  namedUrl: [['username']],
  summary: { fields: ['username', 'first_name', 'last_name'] },
  capabilities: ['edit', 'delete'],
  unique: [{ fields: ['username'], message: 'A user with that username already exists.' }],
  subLists: {
    tokens: { resource: 'tokens', where: ownTokens, create: true, title: 'OAuth2 User Tokens' },
    personal_tokens: { resource: 'tokens', where: ownTokens, create: true, title: 'OAuth2 Personal Access Tokens' },
    credentials: { relation: 'credentials', create: true, title: 'User Credentials List' },
  },
  permissions: {
    readable: ({ actor }) => eq(users.id, actor.id),
    grants: (action, user, { actor }) => action === 'edit' && user?.id === actor.id,
    refuse: (action, user, { actor }) =>
      action === 'delete' && user?.id === actor.id ? 'Cannot delete user.' : undefined,
  },
  hooks: {
    validate,
    async prepare({ passwordHash: plain, ...values }, { before }) {
      // A PUT that leaves the password out does not take it away.
      if (typeof plain !== 'string' || (plain === '' && before)) return values
      return { ...values, passwordHash: await hashPassword(plain) }
    },
    async afterWrite(user, before, context) {
      if (before && before.passwordHash !== user.passwordHash)
        await endOtherSessions(context.db, user.id, context.actor.sessionKey)
    },
  },
  present: (wire) => ({ ...wire, auth: [] }),
})

function ownTokens(user: User) {
  return eq(tokens.userId, user.id)
}

function validate({ input, before, context }: WriteCheck<User>): void {
  if (!before && (input.password === undefined || input.password === '')) {
    throw ValidationError.on('password', 'Password required for new User.')
  }
  const promotes =
    (input.is_superuser === true && !before?.isSuperuser) ||
    (input.is_system_auditor === true && !before?.isSystemAuditor)
  if (promotes && !context.actor.isSuperuser) throw new PermissionDeniedError()
}
