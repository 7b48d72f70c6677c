import { isMapping, pythonJson } from '../model/variables.ts'
import type { RunnerStatus } from './stream.ts'
import { storableText } from './text.ts'

/** Stands where a secret was, as in AWX. */
export const hidden = '**********'

/** Shorter secrets would blot out ordinary words; they are hidden only where a whole value is. */
const shortestSecret = 3
/** Lines of a key or another text of many lines are secrets of their own when they are at least this long. */
const shortestLine = 16

/** Removes known secrets from texts that are stored or shown. */
export class Redactor {
  readonly #values: Set<string>
  readonly #pattern: RegExp | null

  constructor(secrets: Iterable<string>) {
    this.#values = new Set([...secrets].filter((secret) => secret !== ''))
    const forms = new Set([...this.#values].flatMap(formsOf).filter((form) => form.length >= shortestSecret))
    const longestFirst = [...forms].sort((a, b) => b.length - a.length)
    this.#pattern = longestFirst.length > 0 ? new RegExp(longestFirst.map(escapePattern).join('|'), 'g') : null
  }

  /** The text without any of the secrets, whether plain, JSON or URL encoded, and without credentials in URLs. */
  redact(text: string): string {
    if (this.#values.has(text)) return hidden
    const clean = this.#pattern ? text.replace(this.#pattern, hidden) : text
    return withoutUrlCredentials(clean)
  }

  /** The same for every text within a JSON value, names included. */
  redactValue<T>(value: T): T {
    return this.#redactAny(value) as T
  }

  #redactAny(value: unknown): unknown {
    if (typeof value === 'string') return this.redact(value)
    if (Array.isArray(value)) return value.map((item) => this.#redactAny(item))
    if (!isMapping(value)) return value
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [this.redact(key), this.#redactAny(item)]))
  }
}

function formsOf(secret: string): string[] {
  const lines = secret.split(/\r?\n/).filter((line) => line.length >= shortestLine && !line.startsWith('-----'))
  return [secret, secret.trim(), ...(lines.length > 1 ? lines : [])].flatMap((form) => [
    form,
    JSON.stringify(form).slice(1, -1),
    encodeURIComponent(form.toWellFormed()),
  ])
}

function escapePattern(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')
}

/** Hides what stands before the @ of a URL: all of it over HTTP, where a token may be the user, else a password. */
function withoutUrlCredentials(text: string): string {
  return text
    .replace(/(https?:\/\/)[^\s/@'"]+@/gi, `$1${hidden}@`)
    .replace(/([a-z][a-z0-9+.-]*:\/\/[^\s/@:'"]*:)[^\s/@'"]+@/gi, (whole, before: string) =>
      /^https?:/i.test(before) ? whole : `${before}${hidden}@`,
    )
}

/** What is kept of the `starting` record: the columns job_args, job_cwd and job_env, without secrets. */
export interface StartingRecord {
  /** The command line as JSON text. */
  jobArgs: string
  jobCwd: string
  jobEnv: Record<string, string>
}

const secretName = /api_?key|token|key|secret|pass/i

/** Ansible's own settings speak of keys and passwords without holding any, but for these. */
const plainName = /^(AWS_ACCESS_KEY_ID$|ANSIBLE_(?!NET_|GALAXY_SERVER_))/

/** Takes the secrets out of the `starting` record: known values anywhere, and whole values of names that speak of a secret. */
export function redactStarting(starting: RunnerStatus, secrets: Iterable<string>): StartingRecord {
  const redactor = new Redactor(secrets)
  const command = Array.isArray(starting.command) ? starting.command : []
  const env = isMapping(starting.env) ? starting.env : {}
  return {
    jobArgs: pythonJson(redactor.redactValue(command)),
    jobCwd: typeof starting.cwd === 'string' ? storableText(redactor.redact(starting.cwd)) : '',
    jobEnv: redactEnv(env, redactor),
  }
}

/** An environment as it may be stored: see redactStarting. */
export function redactEnv(env: Record<string, unknown>, redactor: Redactor): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).map(([name, value]) => {
      const plain = storableText(String(value))
      const secret = plain !== '' && secretName.test(name) && !plainName.test(name)
      return [storableText(name), secret ? hidden : redactor.redact(plain)]
    }),
  )
}
