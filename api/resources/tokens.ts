import { randomBytes } from 'node:crypto'
import { eq, sql } from 'drizzle-orm'
import { tokens } from '../../store/schema/identity.ts'
import { hashSecret } from '../auth/sessions.ts'
import type { RequestContext } from '../context.ts'
import { ValidationError } from '../errors.ts'
import { defineResource } from '../resource.ts'

/** AWX's tokens live a thousand years unless a setting says otherwise. */
const lifetime = sql`now() + interval '1000 years'`

/** `/api/v2/tokens/`: personal access tokens. The token itself is in the answer that makes it and nowhere else. */
export const tokensResource = defineResource({
  name: 'tokens',
  type: 'o_auth2_access_token',
  model: 'OAuth2AccessToken',
  label: 'access token',
  titles: { list: 'OAuth2 Tokens', detail: 'OAuth Token Detail' },
  table: tokens,
  fields: {
    description: { kind: 'string', default: '' },
    user: { kind: 'id', to: 'users', readOnly: true },
    token: {
      kind: 'computed',
      type: 'string',
      filterable: true,
      values: (rows, context) => rows.map((row) => context.cache.get(plainKey(row.id)) ?? '************'),
    },
    refresh_token: { kind: 'computed', type: 'field', values: (rows) => rows.map(() => null) },
    application: { kind: 'id', to: 'applications', column: null, createOnly: true },
    expires: { kind: 'datetime', readOnly: true },
    scope: { kind: 'string', default: 'write' },
  },
  unsearchable: ['token', 'refresh_token'],
  searchFields: ['description'],
  summary: { fields: ['description', 'scope'] },
  permissions: {
    readable: ({ actor }) => eq(tokens.userId, actor.id),
    grants: (action, row, { actor }) =>
      action === 'create' || ((action === 'edit' || action === 'delete') && row?.userId === actor.id),
  },
  hooks: {
    validate({ input }) {
      const scopes = String(input.scope ?? 'write').split(' ')
      if (scopes.some((scope) => scope !== 'read' && scope !== 'write')) {
        throw ValidationError.on(
          'scope',
          "Must be a simple space-separated string with allowed scopes ['read', 'write'].",
        )
      }
    },
    prepare(values, { before, context }) {
      if (before) return values
      const token = randomBytes(30).toString('base64url')
      context.cache.set(plainKey(), token)
      // A token is always the caller's own, also below another user: nobody gets to act as somebody else.
      return { ...values, userId: context.actor.id, tokenHash: hashSecret(token), expires: lifetime }
    },
    async afterWrite(row, before, { cache }: RequestContext) {
      if (!before) cache.set(plainKey(row.id), cache.get(plainKey()))
    },
  },
})

/** Where a request keeps the plain text of the token it makes. */
function plainKey(id?: number): string {
  return `token:${id ?? 'new'}`
}
