/** What a failed request answers. Every refusal of the API is one of these classes; api/error-response.ts turns them into responses. */
export class ApiError extends Error {
  readonly status: number
  /** Body in the shape AWX uses for this refusal. */
  readonly body: unknown
  readonly headers: Record<string, string>

  constructor(status: number, body: unknown, headers: Record<string, string> = {}) {
    super(typeof body === 'object' && body !== null ? JSON.stringify(body) : String(body))
    this.name = new.target.name
    this.status = status
    this.body = body
    this.headers = headers
  }
}

/** Field name → messages; `__all__` for what concerns several fields. */
export type FieldErrors = Record<string, unknown>

/** 400 with messages by field. */
export class ValidationError extends ApiError {
  constructor(errors: FieldErrors) {
    super(400, errors)
  }

  /** One message on one field. */
  static on(field: string, message: string): ValidationError {
    return new ValidationError({ [field]: [message] })
  }
}

/** 400 with `{"detail": …}`: malformed JSON, bad filter. */
export class BadRequestError extends ApiError {
  constructor(detail: string) {
    super(400, { detail })
  }
}

/** 401; AWX answers the same text for no and for wrong credentials. */
export class NotAuthenticatedError extends ApiError {
  constructor() {
    super(
      401,
      {
        detail: 'Authentication credentials were not provided. To establish a login session, visit /api/login/.',
      },
      { 'WWW-Authenticate': 'Bearer realm=api authorization_url=/api/o/authorize/' },
    )
  }
}

/** 403 `{"detail": …}`. */
export class PermissionDeniedError extends ApiError {
  constructor(detail = 'You do not have permission to perform this action.') {
    super(403, { detail })
  }
}

/** 404 of a missing object: `No <Model> matches the given query.` */
export class NotFoundError extends ApiError {
  constructor(detail = 'Not found.') {
    super(404, { detail })
  }

  static of(model: string): NotFoundError {
    return new NotFoundError(`No ${model} matches the given query.`)
  }
}

/** 404 of a path that no route serves; AWX answers an HTML page whatever the Accept header. */
export class UnknownPathError extends ApiError {
  constructor() {
    super(404, null)
  }
}

/** 405; also "cannot cancel" and update of a manual project. */
export class MethodNotAllowedError extends ApiError {
  constructor(method: string) {
    super(405, { detail: `Method "${method}" not allowed.` })
  }
}

/** 409; `activeJobs` are the jobs that use the object. */
export class InUseError extends ApiError {
  constructor(activeJobs: readonly { id: number; type: string }[]) {
    super(409, { error: 'Resource is being used by running jobs.', active_jobs: activeJobs })
  }
}

/** 503: the database does not answer. */
export class UnavailableError extends ApiError {
  constructor(retryAfterSeconds: number) {
    super(
      503,
      { detail: 'The database does not answer; try again later.' },
      { 'Retry-After': String(retryAfterSeconds) },
    )
  }
}
