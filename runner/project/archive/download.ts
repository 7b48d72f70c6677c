import { createHash } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { Readable, Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Response } from 'undici'
import { failureReason, impatientAgent } from '../http.ts'
import { ArchiveError } from './archive-error.ts'

/** A file to fetch over HTTP. */
export interface Download {
  /** Without user and password, and safe to show. */
  url: string
  username: string
  password: string
  /** ETag of what is here already; '' for nothing. */
  etag: string
  /** File that is made. */
  target: string
  /** How long the server may be silent, in milliseconds. */
  patienceMs: number
  maxBytes: number
  signal: AbortSignal
}

/** What a download brought; null: it is the same as before. */
export type Downloaded = { etag: string; sha1: string } | null

/**
 * Fetches a file, through the proxy of the environment if it names one. Redirects are followed, and only the project's own origin is given the
 * password. Throws ArchiveError for whatever the server or the way there is to blame for.
 */
export async function download(request: Download): Promise<Downloaded> {
  const { url, patienceMs, signal } = request
  const agent = await impatientAgent(patienceMs)
  try {
    const { fetch } = await import('undici')
    const response = await fetch(url, { headers: headersOf(request), dispatcher: agent, signal })
    if (response.status === 304 && request.etag) return null
    if (response.status !== 200) throw new ArchiveError(refusal(response))
    const sha1 = await store(response, request)
    return { etag: response.headers.get('etag') ?? '', sha1 }
  } catch (error) {
    signal.throwIfAborted()
    if (error instanceof ArchiveError) throw error
    throw new ArchiveError(`${url} could not be fetched: ${failureReason(error, patienceMs)}`)
  } finally {
    // Not close(): that would wait for a server that hangs.
    await agent.destroy()
  }
}

function headersOf({ username, password, etag }: Download): Record<string, string> {
  return {
    'user-agent': 'Mayfly',
    // Compressed on the way or not, the hash is that of the file.
    'accept-encoding': 'identity',
    ...(username || password
      ? { authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` }
      : {}),
    ...(etag ? { 'if-none-match': etag } : {}),
  }
}

/** The server's refusal in words, with the remedy where there is one. */
function refusal({ status, statusText, url }: Response): string {
  const said = `${withoutQuery(url)} answered ${status}${statusText ? ` ${statusText}` : ''}`
  if (status === 401 || status === 403) return `${said}: check the credential of the project.`
  if (status === 404 || status === 410) return `${said}: the archive is not there (any more).`
  return `${said}.`
}

/** Where a redirect led may be signed for a while, by parameters that are nobody's business. */
function withoutQuery(url: string): string {
  const { origin, pathname } = new URL(url)
  return `${origin}${pathname}`
}

async function store(response: Response, { target, maxBytes }: Download): Promise<string> {
  const tooLarge = () => new ArchiveError(`The archive is larger than ${maxBytes} bytes.`)
  if (Number(response.headers.get('content-length') ?? 0) > maxBytes) throw tooLarge()
  const hash = createHash('sha1')
  let length = 0
  const measured = new Transform({
    transform(piece: Buffer, _encoding, done) {
      length += piece.length
      hash.update(piece)
      done(length > maxBytes ? tooLarge() : null, piece)
    },
  })
  const body = response.body ? Readable.fromWeb(response.body) : Readable.from([])
  await pipeline(body, measured, createWriteStream(target, { flags: 'wx', mode: 0o600 }))
  return hash.digest('hex')
}
