/** A client of the HTTP API as the demo needs it: plain requests, objects found or made by name, and a job's event stream. */
import { CommandError } from '../errors.ts'

/** An object as the API shows it. */
export type ApiObject = { id: number } & Record<string, unknown>

/** One event of a job's stream. */
export interface StreamedEvent {
  counter: number
  event: string
  stdout: string
}

/** The API refused a request. */
export class ApiRefusedError extends CommandError {
  override name = 'ApiRefusedError'
  readonly status: number
  constructor(request: string, status: number, text: string) {
    super(`${request}: ${status} ${text.slice(0, 500)}`)
    this.status = status
  }
}

/** What the demo asks of the API. */
export class ApiClient {
  readonly url: string
  readonly #authorization: string
  readonly #signal: AbortSignal

  /** `signal` ends every request. */
  constructor(url: string, username: string, password: string, signal: AbortSignal) {
    this.url = url
    this.#authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
    this.#signal = signal
  }

  get<Body = ApiObject>(path: string): Promise<Body> {
    return this.#json('GET', path)
  }

  post<Body = ApiObject>(path: string, body: object = {}, headers: Record<string, string> = {}): Promise<Body> {
    return this.#json('POST', path, body, headers)
  }

  patch(path: string, body: object): Promise<ApiObject> {
    return this.#json('PATCH', path, body)
  }

  /** An answer that is not JSON. */
  async text(path: string): Promise<string> {
    return (await this.#request('GET', path)).text()
  }

  /** The objects of a list that match a query; more than fit on a page are an error here. */
  async list(path: string, query: Record<string, string | number>): Promise<ApiObject[]> {
    const parameters = new URLSearchParams()
    for (const [key, value] of Object.entries(query)) parameters.set(key, String(value))
    return (await this.get<{ results: ApiObject[] }>(`${path}?${parameters}`)).results
  }

  /** The only object that matches. */
  async find(path: string, query: Record<string, string | number>): Promise<ApiObject> {
    const [found] = await this.list(path, query)
    if (!found) throw new CommandError(`${path} has no object with ${JSON.stringify(query)}`)
    return found
  }

  /** The object of this name (and of what else `by` says), made with `fields` or brought to them. */
  async ensure(path: string, by: Record<string, string | number>, fields: object = {}) {
    const [found] = await this.list(path, by)
    if (!found) return { made: true, object: await this.post(path, { ...by, ...fields }) }
    const object = Object.keys(fields).length > 0 ? await this.patch(`${path}${found.id}/`, fields) : found
    return { made: false, object }
  }

  /** Attaches an object to a list of another one, unless it is there. */
  async attach(path: string, id: number): Promise<void> {
    if ((await this.list(path, { id })).length === 0) await this.#request('POST', path, { id })
  }

  /** A job's events as they are stored, until its end. */
  async *events(path: string): AsyncGenerator<StreamedEvent, void, undefined> {
    const response = await this.#request('GET', `${path}events/stream/`)
    if (!response.body) return
    let rest = ''
    for await (const piece of response.body.pipeThrough(new TextDecoderStream())) {
      const frames = (rest + piece).split('\n\n')
      rest = frames.pop() ?? ''
      for (const frame of frames) {
        const lines = frame.split('\n')
        if (lines.includes('event: end')) return
        const data = lines.filter((line) => line.startsWith('data: ')).map((line) => line.slice('data: '.length))
        if (lines.includes('event: job_event')) yield JSON.parse(data.join('\n')) as StreamedEvent
      }
    }
    throw new CommandError('the event stream broke off before the job ended')
  }

  async #json<Body>(method: string, path: string, body?: object, headers?: Record<string, string>): Promise<Body> {
    return (await (await this.#request(method, path, body, headers)).json()) as Body
  }

  async #request(method: string, path: string, body?: object, headers: Record<string, string> = {}): Promise<Response> {
    const response = await fetch(`${this.url}/api/v2${path}`, {
      method,
      headers: { authorization: this.#authorization, 'content-type': 'application/json', ...headers },
      ...(body ? { body: JSON.stringify(body) } : {}),
      signal: this.#signal,
    })
    if (!response.ok) throw new ApiRefusedError(`${method} ${path}`, response.status, await response.text())
    return response
  }
}
