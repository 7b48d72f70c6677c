/** What the fault-injecting proxy is told to do to which calls. */
import { acknowledgeScript, readerScript, sessionScript, signalScript } from '../../kubernetes/scripts.ts'

/** What a request asks the API server for. An exec is `exec` of `pods`; what it is for, its script says. */
export interface ApiCall {
  verb: 'create' | 'get' | 'list' | 'watch' | 'update' | 'patch' | 'delete' | 'exec'
  resource: string
  namespace: string
  /** Of the object; '' for lists and watches. */
  name: string
  /** What an exec is for. */
  script: 'session' | 'read' | 'acknowledge' | 'signal' | 'other' | ''
}

/** Statuses that an API server refuses with. */
export type RefusalStatus = 401 | 403 | 404 | 409 | 410 | 422 | 429 | 500 | 503 | 504

/**
 * Moments of an exec, each before what makes it passes on: its end is told; the answer to a delivery; a first or further piece of output that comes after it; the line
 * that says what was stored; the answer to that.
 */
export type ExecMoment = 'answered' | 'delivered' | 'output' | 'stored' | 'acknowledged'

/** What is done to a call. */
export type Fault =
  /** Answered so and not passed on; `retryAfter` in seconds. */
  | { kind: 'refuse'; status: RefusalStatus; retryAfter?: number }
  /** The connection is closed; the API server never hears of the call. */
  | { kind: 'cut-before' }
  /** Passed on, and the connection closed when the answer has come: what was asked for is done. An exec: when its command has ended, or the payload is delivered. */
  | { kind: 'cut-answer' }
  /** An exec is cut off after this many bytes of either direction; other calls in the middle of their answer. */
  | { kind: 'cut-amid'; bytes: number }
  /** Neither passed on nor ever answered. */
  | { kind: 'hang' }
  /** Passed on after this time. */
  | { kind: 'delay'; ms: number }
  /** Kept until `release`, before it is passed on, or after the API server has answered; an exec at any of its moments. Then other rules may apply. */
  | { kind: 'hold'; when: 'before' | ExecMoment }
  /** An exec is cut off at a moment. */
  | { kind: 'cut-at'; moment: ExecMoment }

/** What is done to events of a watch. */
export type WatchFault =
  /** The stream is cut in place of the event. */
  | { kind: 'drop' }
  /** The event is told twice. */
  | { kind: 'duplicate' }
  /** The event, and whatever follows it, is told so much later. */
  | { kind: 'late'; ms: number }
  /** The event is told after the one that follows it. */
  | { kind: 'reorder' }
  /** The event is not told. */
  | { kind: 'hide' }
  /** An ERROR event with 410 Gone in its place, and the end. */
  | { kind: 'gone' }

/** Which calls; what is absent matches all. */
export interface CallMatch extends Partial<Omit<ApiCall, 'name'>> {
  /** Beginning of the object's name. */
  name?: string
}

interface Scope {
  match: CallMatch
  /** The first matching call that it applies to, from 1 on. */
  nth?: number
  /** To how many calls it applies, default 1. */
  times?: number
}

/** A fault of calls, or of watch events (matched by the object's name). */
export type RuleSpec = Scope & ({ fault: Fault } | { events: WatchFault })

/** A rule at work. */
export class Rule {
  readonly spec: RuleSpec
  /** Resolves when the rule applies for the first time. */
  readonly met: Promise<void>
  /** Resolves when what it holds may go on. */
  readonly released: Promise<void>
  /** How often it has applied. */
  applied = 0
  #seen = 0
  #meet: () => void = () => {}
  #release: () => void = () => {}

  constructor(spec: RuleSpec) {
    this.spec = spec
    this.met = new Promise((resolve) => {
      this.#meet = resolve
    })
    this.released = new Promise((resolve) => {
      this.#release = resolve
    })
  }

  /** Lets go what it holds, and whatever comes later. */
  release(): void {
    this.#release()
  }

  /** Whether it applies to this call or event, which it then counts. */
  takes(call: ApiCall): boolean {
    const { match, nth = 1, times = 1 } = this.spec
    if (this.applied >= times) return false
    const { name = '', ...fields } = match
    const fits = Object.entries(fields).every(([key, value]) => call[key as keyof ApiCall] === value)
    if (!fits || !call.name.startsWith(name)) return false
    this.#seen++
    if (this.#seen < nth) return false
    this.applied++
    this.#meet()
    return true
  }
}

const verbs: Record<string, ApiCall['verb']> = { POST: 'create', PUT: 'update', PATCH: 'patch', DELETE: 'delete' }
const scripts = new Map<string, ApiCall['script']>([
  [sessionScript, 'session'],
  [readerScript, 'read'],
  [acknowledgeScript, 'acknowledge'],
  [signalScript, 'signal'],
])

/** What a request asks for; of a creation the name is in its body. */
export function callOf(method: string, url: string, body = ''): ApiCall {
  const { pathname, searchParams } = new URL(url, 'https://api')
  const parts = pathname.split('/').filter(Boolean)
  const from = parts[0] === 'api' ? 2 : 3
  const named = parts[from] === 'namespaces' && parts.length > from + 2
  const [resource = '', name = '', sub = ''] = parts.slice(named ? from + 2 : from)
  const namespace = named ? (parts[from + 1] ?? '') : ''
  if (sub === 'exec') {
    const script = scripts.get(searchParams.getAll('command')[2] ?? '') ?? 'other'
    return { verb: 'exec', resource, namespace, name, script }
  }
  const verb = method === 'GET' ? readVerb(name, searchParams) : (verbs[method] ?? 'get')
  return { verb, resource, namespace, name: verb === 'create' ? nameIn(body) : name, script: '' }
}

function readVerb(name: string, query: URLSearchParams): ApiCall['verb'] {
  if (name) return 'get'
  return query.get('watch') ? 'watch' : 'list'
}

function nameIn(body: string): string {
  try {
    return (JSON.parse(body) as { metadata?: { name?: string } }).metadata?.name ?? ''
  } catch {
    return ''
  }
}
