/** The HTTP API as a client sees it. */
import { setTimeout as pause } from 'node:timers/promises'

/** What of a job the benches look at. */
export interface Job {
  id: number
  status: string
  finished: string | null
  elapsed: number
  job_explanation: string
  result_traceback: string
  event_processing_finished: boolean
}

const finalStatuses = new Set(['successful', 'failed', 'error', 'canceled'])

/** An answer that was not the expected one; carries method, path, status and the beginning of the body. */
export class UnexpectedAnswerError extends Error {
  override name = 'UnexpectedAnswerError'
}

/** A logged-in client of one API process. */
export class ApiClient {
  readonly #base: string
  readonly #headers: Record<string, string>

  constructor(base: string, username: string, password: string) {
    this.#base = base
    const credentials = Buffer.from(`${username}:${password}`).toString('base64')
    this.#headers = { authorization: `Basic ${credentials}`, 'content-type': 'application/json' }
  }

  /** Sends one request below /api/v2 and gives the parsed body; an answer outside 200 to 299 is an error. */
  async request<T>(method: string, path: string, body?: unknown, more: Record<string, string> = {}): Promise<T> {
    const response = await fetch(`${this.#base}/api/v2${path}`, {
      method,
      headers: { ...this.#headers, ...more },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    if (!response.ok) {
      throw new UnexpectedAnswerError(`${method} ${path}: ${response.status} ${text.slice(0, 500)}`)
    }
    const json = response.headers.get('content-type')?.includes('json')
    return (json && text !== '' ? JSON.parse(text) : text) as T
  }

  get<T>(path: string): Promise<T> {
    return this.request('GET', path)
  }

  post<T>(path: string, body: unknown = {}): Promise<T> {
    return this.request('POST', path, body)
  }

  /** Whether the API answers at all. */
  async answers(): Promise<boolean> {
    const response = await fetch(`${this.#base}/api/v2/ping/`).catch(() => undefined)
    await response?.arrayBuffer()
    return response?.ok ?? false
  }

  /** Id of the only object of this name. */
  async idOf(resource: string, name: string): Promise<number> {
    const { results } = await this.get<{ results: { id: number }[] }>(`/${resource}/?name=${encodeURIComponent(name)}`)
    const id = results[0]?.id
    if (id === undefined || results.length > 1)
      throw new UnexpectedAnswerError(`${results.length} ${resource} are called ${name}`)
    return id
  }

  /** Launches a job template; resolves with the job's id as soon as the API answered. */
  async launch(templateId: number, prompts: object = {}): Promise<number> {
    const { job } = await this.post<{ job: number }>(`/job_templates/${templateId}/launch/`, prompts)
    return job
  }

  /** Waits until the job's status is final and all of its output is stored. */
  async finished(jobId: number, seconds = 300, everyMs = 20): Promise<Job> {
    const end = performance.now() + seconds * 1000
    for (;;) {
      const job = await this.get<Job>(`/jobs/${jobId}/`)
      if (finalStatuses.has(job.status) && job.event_processing_finished) return job
      if (performance.now() > end)
        throw new Error(`job ${jobId} is ${job.status} after ${seconds} s: ${job.job_explanation}`)
      await pause(everyMs)
    }
  }

  /** Runs a job to its end; anything but success is an error. */
  async runJob(templateId: number, prompts: object = {}): Promise<Job> {
    const job = await this.finished(await this.launch(templateId, prompts))
    if (job.status !== 'successful') {
      throw new Error(
        `job ${job.id} ended as ${job.status}: ${job.job_explanation} ${job.result_traceback.slice(0, 500)}`,
      )
    }
    return job
  }
}
