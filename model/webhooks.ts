import { isMapping, type Variables } from './variables.ts'

/** Services whose web hooks are understood, as `webhook_service` names them. */
export const webhookServices = ['github', 'gitlab', 'bitbucket_dc'] as const
/** One of them. */
export type WebhookService = (typeof webhookServices)[number]

/** What a delivery says, as far as launching looks at it. */
export interface WebhookEvent {
  /** '' where the header is missing. */
  type: string
  /** Identifies the delivery: the same one again launches nothing. */
  guid: string
  /** Commit, branch or tag that it is about; null where it is about none. */
  ref: string | null
  /** Where the state of that commit may be posted; null where the service has no such place. */
  statusApi: string | null
}

/** Where each kind of event says what it is about. */
const refPaths: Record<WebhookService, Record<string, string>> = {
  github: {
    pull_request: 'pull_request.head.sha',
    pull_request_review: 'pull_request.head.sha',
    pull_request_review_comment: 'pull_request.head.sha',
    push: 'after',
    release: 'release.tag_name',
    commit_comment: 'comment.commit_id',
    create: 'ref',
    page_build: 'build.commit',
  },
  gitlab: {
    'Push Hook': 'checkout_sha',
    'Tag Push Hook': 'checkout_sha',
    'Merge Request Hook': 'object_attributes.last_commit.id',
  },
  bitbucket_dc: {
    'repo:refs_changed': 'changes.0.toHash',
    'mirror:repo_synchronized': 'changes.0.toHash',
    'pr:opened': 'pullRequest.toRef.latestCommit',
    'pr:from_ref_updated': 'pullRequest.toRef.latestCommit',
    'pr:modified': 'pullRequest.toRef.latestCommit',
  },
}

/** The "commit" of a reference that was deleted. */
const noCommit = /^0{40}$/

/** What an event is about. */
export function webhookRef(service: WebhookService, type: string, payload: Variables): string | null {
  const path = refPaths[service][type]
  const value = path === undefined ? undefined : valueAt(payload, path)
  return typeof value === 'string' && value !== '' && !noCommit.test(value) ? value : null
}

/** Where the state of the event's commit may be posted. */
export function webhookStatusApi(service: WebhookService, type: string, payload: Variables): string | null {
  if (service === 'github') {
    return type === 'pull_request' ? address(valueAt(payload, 'pull_request.statuses_url')) : null
  }
  const ref = webhookRef(service, type, payload)
  if (ref === null) return null
  if (service === 'gitlab') {
    const origin = originOf(valueAt(payload, 'project.web_url'))
    const project = valueAt(payload, 'project.id')
    if (origin === null || (typeof project !== 'number' && typeof project !== 'string')) return null
    return `${origin}/api/v4/projects/${encodeURIComponent(project)}/statuses/${encodeURIComponent(ref)}`
  }
  const origin = originOf(
    valueAt(payload, 'actor.links.self.0.href') ?? valueAt(payload, 'repository.links.self.0.href'),
  )
  return origin === null ? null : `${origin}/rest/build-status/1.0/commits/${encodeURIComponent(ref)}`
}

/** Whether a service only says hello, or tells of what launches nothing. */
export function isIgnoredEvent(service: WebhookService, type: string): boolean {
  if (service === 'github') return type === 'ping'
  return service === 'bitbucket_dc' && !(type in refPaths.bitbucket_dc)
}

/** Variables of a job that a web hook launched, under the names of AWX and of Tower. */
export function webhookVariables(event: WebhookEvent, payload: Variables): Variables {
  const values: Variables = {
    event_type: event.type,
    event_guid: event.guid,
    event_ref: event.ref,
    status_api: event.statusApi,
    payload,
  }
  return Object.fromEntries(
    ['awx', 'tower'].flatMap((prefix) =>
      Object.entries(values).map(([name, value]) => [`${prefix}_webhook_${name}`, value]),
    ),
  )
}

const states: Record<WebhookService, Record<string, string>> = {
  github: { pending: 'pending', successful: 'success', failed: 'failure', canceled: 'failure', error: 'error' },
  gitlab: {
    ...{ pending: 'pending', running: 'running', successful: 'success' },
    ...{ failed: 'failed', error: 'failed', canceled: 'canceled' },
  },
  bitbucket_dc: {
    ...{ pending: 'INPROGRESS', running: 'INPROGRESS', successful: 'SUCCESSFUL' },
    ...{ failed: 'FAILED', error: 'FAILED', canceled: 'FAILED' },
  },
}

/** What is posted to a service about a job. */
export interface StatusPost {
  headers: Record<string, string>
  body: Record<string, string>
}

/** The post that tells a service how a job stands; null where the service has no word for that. `url` is the job's address. */
export function webhookStatusPost(
  service: WebhookService,
  status: string,
  url: string,
  token: string,
): StatusPost | null {
  const state = states[service][status]
  if (state === undefined) return null
  const context = 'ansible/awx'
  switch (service) {
    case 'github':
      return { headers: { authorization: `token ${token}` }, body: { state, context, target_url: url } }
    case 'gitlab':
      return { headers: { 'private-token': token }, body: { state, context, target_url: url } }
    case 'bitbucket_dc':
      return { headers: { authorization: `Bearer ${token}` }, body: { state, key: context, url } }
  }
}

function valueAt(value: unknown, path: string): unknown {
  return path.split('.').reduce<unknown>((at, key) => {
    if (Array.isArray(at)) return at[Number(key)]
    return isMapping(at) && Object.hasOwn(at, key) ? at[key] : undefined
  }, value)
}

function address(value: unknown): string | null {
  return originOf(value) === null ? null : String(value)
}

function originOf(value: unknown): string | null {
  if (typeof value !== 'string' || !URL.canParse(value)) return null
  const { protocol, origin } = new URL(value)
  return protocol === 'http:' || protocol === 'https:' ? origin : null
}
