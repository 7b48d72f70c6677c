import { expect, test } from 'vitest'
import { tokenExpiry } from './cluster-probe.ts'

const jwt = (claims: object) => `Bearer h.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.s`

test.each<[string, string, string | undefined]>([
  ['a token with an end', jwt({ exp: 1_800_000_000 }), '2027-01-15T08:00:00.000Z'],
  ['a token without', jwt({ sub: 'x' }), undefined],
  ['an opaque one', 'Bearer abc', undefined],
  ['one that only looks like a token', 'Bearer a.b.c', undefined],
  ['none, as with client certificates', '', undefined],
])('%s', (_name, authorization, expires) => expect(tokenExpiry(authorization)?.toISOString()).toBe(expires))
