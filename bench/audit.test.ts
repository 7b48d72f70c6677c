import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type AuditEvent, auditEnd, auditSince, isExec, isWrite, parseAudit } from './audit.ts'

const us = 'system:serviceaccount:bench:mayfly'
const event = (verb: string, subresource = '', more: Partial<AuditEvent> = {}): string =>
  `${JSON.stringify({ stage: 'ResponseComplete', verb, user: { username: us }, objectRef: { resource: 'pods', subresource }, ...more })}\n`

test('only finished requests of the user count', () => {
  const text = [
    event('create'),
    event('get', '', { user: { username: 'system:apiserver' } }),
    event('watch', '', { stage: 'ResponseStarted' }),
  ].join('')
  expect(parseAudit(text, us).map(({ verb }) => verb)).toEqual(['create'])
})

test('a line that is still being written is left out', () => {
  expect(parseAudit(`${event('create')}{"stage":"Respo`, us)).toHaveLength(1)
})

test('what was logged before the mark does not count', () => {
  const folder = mkdtempSync(join(tmpdir(), 'mayfly-audit-'))
  try {
    const file = join(folder, 'audit.log')
    writeFileSync(file, event('create'))
    const mark = auditEnd(file)
    appendFileSync(file, event('delete'))
    expect(auditSince(file, mark, us).map(({ verb }) => verb)).toEqual(['delete'])
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('an exec is told from a write', () => {
  const [create, exec, patch] = parseAudit(event('create') + event('get', 'exec') + event('patch', 'status'), us)
  expect([create, exec, patch].map((one) => one && isWrite(one))).toEqual([true, false, true])
  expect([create, exec].map((one) => one && isExec(one))).toEqual([false, true])
})
