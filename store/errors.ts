import { PgPreparedQuery } from 'drizzle-orm/pg-core'

/** The database cannot be reached or is shutting down; nothing was kept. Trying again later is right (HTTP: 503 with Retry-After). */
export class DatabaseUnavailableError extends Error {
  override readonly name = 'DatabaseUnavailableError'
}

/** The server refused a statement. Carries the server's primary message and codes, never the statement's values: those may be secrets. */
export class StatementError extends Error {
  override readonly name = 'StatementError'
  /** SQLSTATE, such as 23505. */
  readonly code: string
  readonly constraint: string | undefined
  readonly table: string | undefined
  readonly column: string | undefined

  constructor(refusal: ServerRefusal, statement: string | undefined) {
    // Data exceptions (class 22) quote the value at the end of the message.
    const message = refusal.code.startsWith('22') ? refusal.message.replace(/: ".*$/s, '') : refusal.message
    super(statement ? `${message} (${statement.slice(0, 200)})` : message)
    this.code = refusal.code
    this.constraint = refusal.constraint
    this.table = refusal.table
    this.column = refusal.column
  }
}

/** A row that must exist (job, group, attempt) does not. */
export class MissingRowError extends Error {
  override readonly name = 'MissingRowError'
}

/** True when a unique constraint was hit; with `constraint`, only that one. */
export function isUniqueViolation(error: unknown, constraint?: string): boolean {
  return isViolation(error, '23505', constraint)
}

/** True when a row still refers to, or refers to a missing, other row; with `constraint`, only that one. */
export function isForeignKeyViolation(error: unknown, constraint?: string): boolean {
  return isViolation(error, '23503', constraint)
}

function isViolation(error: unknown, code: string, constraint: string | undefined): boolean {
  return (
    error instanceof StatementError &&
    error.code === code &&
    (constraint === undefined || error.constraint === constraint)
  )
}

interface ServerRefusal extends Error {
  code: string
  constraint?: string
  table?: string
  column?: string
}

/** Both drivers' refusals have a five-character SQLSTATE. */
function isServerRefusal(error: unknown): error is ServerRefusal {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && /^[0-9A-Z]{5}$/.test(error.code)
}

/** Classes and codes of SQLSTATE that say "not now" or "not with you": lost, starting, stopping, full, too slow, refused at the door. */
const unavailableStates = /^(08|25P03|28|57P0[1-5]|57014|53300|3D000)/
const lostMessages =
  /Connection terminated|timeout exceeded when trying to connect|Query read timeout|not queryable|after calling end on the pool|PGlite is clos/
const socketCodes = /^(ECONN\w+|EPIPE|ENOENT|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|EHOST\w+|ENET\w+|EACCES)$/

/** Turns what a driver throws into this room's errors; what is not a database's error is returned as it is. */
export function translate(error: unknown, statement?: string): unknown {
  if (error instanceof StatementError || error instanceof DatabaseUnavailableError || !(error instanceof Error))
    return error
  if (error instanceof AggregateError) return translate(error.errors[0], statement)
  if (isServerRefusal(error) && !socketCodes.test(error.code)) {
    return unavailableStates.test(error.code)
      ? new DatabaseUnavailableError(`database unavailable: ${error.message}`)
      : new StatementError(error, statement)
  }
  const code = 'code' in error ? String(error.code) : ''
  const syscall = 'syscall' in error ? String(error.syscall) : ''
  if (
    lostMessages.test(error.message) ||
    (socketCodes.test(code) && /^(connect|read|write|getaddrinfo)$/.test(syscall))
  )
    return new DatabaseUnavailableError(`database unavailable: ${error.message}`)
  return error
}

/** What to report of a connection that broke: the driver's own error carries the whole client, address and user included. */
export function lostConnection(error: unknown): DatabaseUnavailableError {
  const translated = translate(error)
  if (translated instanceof DatabaseUnavailableError) return translated
  return new DatabaseUnavailableError(`database connection lost: ${error instanceof Error ? error.message : error}`)
}

interface QueryRunner {
  queryWithCache(statement: string, values: unknown[], query: () => Promise<unknown>): Promise<unknown>
}

/**
 * Drizzle puts every value of a failed statement into its error's message; values may be secrets and whole outputs. All its drivers run
 * statements through this one method, so replacing it keeps values out of every error and gives callers this room's error classes.
 */
export function keepValuesOutOfErrors(): void {
  const runner = PgPreparedQuery.prototype as unknown as QueryRunner
  runner.queryWithCache = async (statement, _values, query) => {
    try {
      return await query()
    } catch (error) {
      throw translate(error, statement)
    }
  }
}
