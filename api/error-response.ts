import type { Logger } from 'pino'
import { DatabaseUnavailableError, isForeignKeyViolation, StatementError } from '../store/errors.ts'
import { ApiError, BadRequestError, UnavailableError } from './errors.ts'

const retryAfterSeconds = 5

/** Every error as a refusal of the API. What nobody foresaw is logged and becomes a 500 without detail. */
export function toApiError(error: unknown, log: Logger): ApiError {
  if (error instanceof ApiError) return error
  if (error instanceof DatabaseUnavailableError) return new UnavailableError(retryAfterSeconds)
  // A filter's regular expression is checked by the database that runs it.
  if (error instanceof StatementError && error.code === '2201B')
    return new BadRequestError('Invalid regular expression.')
  // Values that pass as text but not as data: NUL, a year that no calendar has. Their own words may quote the value, so they are not passed on.
  if (error instanceof StatementError && /^(22|54)/.test(error.code))
    return new BadRequestError('A value is not acceptable.')
  if (isForeignKeyViolation(error)) return new ApiError(409, { error: 'Resource is being used by other resources.' })
  log.error({ error: describe(error) }, 'request failed')
  return new ApiError(500, { detail: 'A server error has occurred.' })
}

function describe(error: unknown) {
  return error instanceof Error
    ? { name: error.name, message: error.message, stack: error.stack }
    : { name: typeof error }
}

/** Body, status and headers of a refusal. */
export function errorResponse(error: ApiError): Response {
  if (error.body === null) return htmlPage(error.status, error.status === 404 ? 'Not Found' : 'Error')
  return Response.json(error.body, { status: error.status, headers: error.headers })
}

/** AWX answers unknown paths and failed logins with a page, whatever the client accepts. */
export function htmlPage(status: number, title: string, body = ''): Response {
  const page = `<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>${title}</title></head><body><h1>${title}</h1>${body}</body></html>`
  return new Response(page, { status, headers: { 'content-type': 'text/html; charset=utf-8' } })
}
