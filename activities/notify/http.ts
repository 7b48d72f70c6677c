import { DeliveryError } from './sender.ts'

/** How AWX introduces itself to web hooks (recorded); receivers may look at it. */
const awxHeaders = { 'content-type': 'application/json', 'user-agent': 'AWX 24.6.1 (open)' }

/** A request to a target. */
export interface Post {
  url: string
  method?: 'POST' | 'PUT'
  headers?: Record<string, string>
  /** Name and password for Basic authentication. */
  auth?: { username: string; password: string }
  body: string
  /** False: any certificate will do. Default true. */
  verify?: boolean
  /** Beginning of the error, in AWX's words: "Error sending webhook notification". */
  complaint: string
}

const mostRedirects = 5
/** Characters of an answer that are looked at. */
const answerLength = 4_000

/**
 * Sends a document and gives the answer's beginning. Redirects are followed with the same method; what authenticates us goes to the host that the
 * user named and to no other. An answer of 400 or more is an error, for good where trying again cannot help.
 */
export async function post(sent: Post, signal: AbortSignal): Promise<string> {
  // Loaded when first needed: a worker that tells nobody anything stays small.
  const { Agent, request } = await import('undici')
  const agent = new Agent({ connect: { rejectUnauthorized: sent.verify ?? true } })
  try {
    const home = new URL(sent.url)
    const login = loginOf(home)
    const own = { ...authorization(sent.auth ?? login), ...lowerCased(sent.headers) }
    let url = home
    for (let redirects = 0; redirects <= mostRedirects; redirects += 1) {
      const trusted = url.hostname === home.hostname
      const { statusCode, headers, body } = await request(url, {
        method: sent.method ?? 'POST',
        headers: { ...awxHeaders, ...(trusted ? own : {}) },
        body: sent.body,
        dispatcher: agent,
        signal,
      })
      const text = await beginningOf(body)
      const { location } = headers
      if (![301, 307, 308].includes(statusCode)) return answered(sent, statusCode, text)
      if (typeof location !== 'string' || !URL.canParse(location, url.href))
        throw new DeliveryError(`${sent.complaint}: a redirect (${statusCode}) that leads nowhere`, true)
      url = new URL(location, url)
    }
    throw new DeliveryError(`${sent.complaint}: more than ${mostRedirects} redirects`, true)
  } catch (error) {
    if (error instanceof DeliveryError || signal.aborted) throw error
    throw new DeliveryError(`${sent.complaint}: ${reasonOf(error)}`)
  } finally {
    await agent.destroy()
  }
}

function answered({ complaint }: Post, status: number, text: string): string {
  if (status >= 200 && status < 300) return text
  const said = text.trim().slice(0, 200)
  // The target is busy or broken for now; everything else is our request.
  const later = status >= 500 || [408, 425, 429].includes(status)
  throw new DeliveryError(`${complaint}: ${status}${said ? `: ${said}` : ''}`, !later)
}

/** An address may hold name and password, which the address itself is better without. */
function loginOf(url: URL): Post['auth'] {
  const { username, password } = url
  url.username = ''
  url.password = ''
  return username || password
    ? { username: decodeURIComponent(username), password: decodeURIComponent(password) }
    : undefined
}

function authorization(auth: Post['auth']): Record<string, string> {
  if (!auth) return {}
  const token = Buffer.from(`${auth.username}:${auth.password}`).toString('base64')
  return { authorization: `Basic ${token}` }
}

function lowerCased(headers: Record<string, string> = {}): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
}

async function beginningOf(body: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of body) {
    chunks.push(chunk)
    length += chunk.length
    if (length >= answerLength) break
  }
  return Buffer.concat(chunks).toString('utf8').slice(0, answerLength)
}

/** What a failed connection says; the outermost error often says only that it failed. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { cause } = error
  return cause instanceof Error && error.message === 'fetch failed' ? cause.message : error.message || error.name
}
