/** The API server's own account of who asked it for what. */
import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs'

/** What of an audit event is counted. */
export interface AuditEvent {
  stage: string
  verb: string
  user: { username: string }
  objectRef?: { resource?: string; subresource?: string; namespace?: string; name?: string }
}

const writingVerbs = new Set(['create', 'update', 'patch', 'delete', 'deletecollection'])

/** Length of the log now, to read from later. */
export function auditEnd(file: string): number {
  return statSync(file).size
}

/** The finished requests of a user that were logged after `offset`. */
export function auditSince(file: string, offset: number, username: string): AuditEvent[] {
  const handle = openSync(file, 'r')
  try {
    const bytes = Buffer.alloc(Math.max(0, fstatSync(handle).size - offset))
    const length = readSync(handle, bytes, 0, bytes.length, offset)
    return parseAudit(bytes.subarray(0, length).toString(), username)
  } finally {
    closeSync(handle)
  }
}

/** The finished requests of a user in the text of an audit log; a last line that is not whole yet is left out. */
export function parseAudit(text: string, username: string): AuditEvent[] {
  const lines = text
    .slice(0, text.lastIndexOf('\n') + 1)
    .split('\n')
    .filter(Boolean)
  const events = lines.map((line) => JSON.parse(line) as AuditEvent)
  return events.filter(({ stage, user }) => stage === 'ResponseComplete' && user.username === username)
}

/** Whether a request changed something. An exec over a web socket is a `get` for the API server, so it counts apart. */
export function isWrite({ verb }: AuditEvent): boolean {
  return writingVerbs.has(verb)
}

/** Whether a request opened a session in a container. */
export function isExec({ objectRef }: AuditEvent): boolean {
  return objectRef?.subresource === 'exec'
}
