import { dataBeyondLimits } from '../model/data-limits.ts'
import { ApiError, BadRequestError, ValidationError } from './errors.ts'

/** Largest body that is read, in bytes: a launch with big extra_vars fits, a file does not. */
export const maxBodyBytes = 5 * 1024 * 1024

/** 413. */
export class BodyTooLargeError extends ApiError {
  constructor() {
    super(413, { detail: `The request body is larger than ${maxBodyBytes} bytes.` })
  }
}

/** 415; AWX's text. */
export class UnsupportedMediaTypeError extends ApiError {
  constructor() {
    super(415, {
      detail:
        'You did not use correct Content-Type in your HTTP request. If you are using our REST API, the Content-Type must be application/json',
    })
  }
}

/** Reads a JSON object; an empty body counts as `{}`, as in AWX. */
export async function readJsonBody(request: Request): Promise<Record<string, unknown>> {
  const text = await readText(request)
  if (text === '') return {}
  const [type = ''] = (request.headers.get('content-type') ?? '').split(';')
  if (type.trim().toLowerCase() !== 'application/json') throw new UnsupportedMediaTypeError()
  return parseJsonObject(text)
}

/** A text that holds a JSON object, within the limits of what is stored. */
export function parseJsonObject(text: string): Record<string, unknown> {
  const value = parse(text)
  const beyond = dataBeyondLimits(value)
  if (beyond !== undefined) throw new BadRequestError(`JSON parse error - ${beyond}`)
  if (value === null) throw ValidationError.on('__all__', 'This field may not be null.')
  if (typeof value !== 'object' || Array.isArray(value))
    throw new BadRequestError('JSON parse error - not a JSON object')
  return value as Record<string, unknown>
}

/** Reads a body as text, up to the limit. */
export async function readText(request: Request): Promise<string> {
  return (await readBytes(request)).toString('utf8')
}

/** Reads a body as it is, up to the limit: signatures are of bytes. */
export async function readBytes(request: Request): Promise<Buffer> {
  if (Number(request.headers.get('content-length') ?? 0) > maxBodyBytes) throw new BodyTooLargeError()
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of request.body ?? []) {
    size += chunk.length
    if (size > maxBodyBytes) throw new BodyTooLargeError()
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

/** The parser's words without the piece of the body it quotes, which may be a secret. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    const words =
      error instanceof SyntaxError
        ? error.message.replace(/, ".*$/s, '').replace(/^Unexpected token .*?(?=,| in JSON|$)/s, 'Unexpected character')
        : ''
    throw new BadRequestError(`JSON parse error - ${words}`)
  }
}
