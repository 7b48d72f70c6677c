import { describe, expect, test } from 'vitest'
import {
  isIgnoredEvent,
  type WebhookService,
  webhookRef,
  webhookServices,
  webhookStatusApi,
  webhookStatusPost,
  webhookVariables,
} from './webhooks.ts'

const sha = 'c'.repeat(40)

describe('what an event is about', () => {
  test.each<[WebhookService, string, Record<string, unknown>, string | null]>([
    ['github', 'push', { after: sha }, sha],
    ['github', 'push', { after: '0'.repeat(40) }, null],
    ['github', 'pull_request', { pull_request: { head: { sha } } }, sha],
    ['github', 'release', { release: { tag_name: 'v1' } }, 'v1'],
    ['github', 'create', { ref: 'main' }, 'main'],
    ['github', 'star', { after: sha }, null],
    ['github', 'pull_request', { pull_request: 'not a mapping' }, null],
    ['github', 'push', { after: { toString: 1 } }, null],
    ['gitlab', 'Push Hook', { checkout_sha: sha }, sha],
    ['gitlab', 'Merge Request Hook', { object_attributes: { last_commit: { id: sha } } }, sha],
    ['bitbucket_dc', 'repo:refs_changed', { changes: [{ toHash: sha }] }, sha],
    ['bitbucket_dc', 'repo:refs_changed', { changes: [] }, null],
    ['bitbucket_dc', 'pr:opened', { pullRequest: { toRef: { latestCommit: sha } } }, sha],
  ])('%s %s %j', (service, type, payload, ref) => {
    expect(webhookRef(service, type, payload)).toBe(ref)
  })
})

describe('where the state of a commit may be posted', () => {
  const project = { id: 'a/b', web_url: 'https://gitlab.example.org:8443/a/b' }
  test.each<[WebhookService, string, Record<string, unknown>, string | null]>([
    [
      'github',
      'pull_request',
      { pull_request: { statuses_url: 'https://a.example.org/s' } },
      'https://a.example.org/s',
    ],
    ['github', 'pull_request', { pull_request: { statuses_url: 'file:///etc/passwd' } }, null],
    ['github', 'push', { after: sha }, null],
    [
      ...(['gitlab', 'Push Hook', { checkout_sha: sha, project }] as const),
      `https://gitlab.example.org:8443/api/v4/projects/a%2Fb/statuses/${sha}`,
    ],
    ['gitlab', 'Push Hook', { checkout_sha: sha, project: { id: 1 } }, null],
    ['gitlab', 'Note Hook', { checkout_sha: sha, project }, null],
    [
      ...([
        'bitbucket_dc',
        'pr:opened',
        {
          pullRequest: { toRef: { latestCommit: sha } },
          repository: { links: { self: [{ href: 'https://bb.example.org/x' }] } },
        },
      ] as const),
      `https://bb.example.org/rest/build-status/1.0/commits/${sha}`,
    ],
    ['bitbucket_dc', 'pr:opened', { pullRequest: { toRef: { latestCommit: sha } } }, null],
  ])('%s %s', (service, type, payload, expected) => {
    expect(webhookStatusApi(service, type, payload)).toBe(expected)
  })
})

test('what launches nothing', () => {
  expect(isIgnoredEvent('github', 'ping')).toBe(true)
  expect(isIgnoredEvent('github', 'star')).toBe(false)
  expect(isIgnoredEvent('gitlab', 'Push Hook')).toBe(false)
  expect(isIgnoredEvent('bitbucket_dc', 'diagnostics:ping')).toBe(true)
  expect(isIgnoredEvent('bitbucket_dc', 'pr:modified')).toBe(false)
})

test('a job knows the event under the names of AWX and of Tower', () => {
  const event = { type: 'push', guid: 'g', ref: sha, statusApi: null }
  expect(Object.keys(webhookVariables(event, { a: 1 })).toSorted()).toEqual(
    ['awx', 'tower'].flatMap((name) =>
      ['event_guid', 'event_ref', 'event_type', 'payload', 'status_api'].map((part) => `${name}_webhook_${part}`),
    ),
  )
})

describe('what services are told', () => {
  const url = 'https://mayfly.example.org/api/v2/jobs/7/'

  test.each<[WebhookService, Record<string, string>, Record<string, string>]>([
    ['github', { authorization: 'token t' }, { state: 'success', context: 'ansible/awx', target_url: url }],
    ['gitlab', { 'private-token': 't' }, { state: 'success', context: 'ansible/awx', target_url: url }],
    ['bitbucket_dc', { authorization: 'Bearer t' }, { state: 'SUCCESSFUL', key: 'ansible/awx', url }],
  ])('%s, in its own form', (service, headers, body) => {
    expect(webhookStatusPost(service, 'successful', url, 't')).toEqual({ headers, body })
  })

  test.each(webhookServices)('%s has a word for every end, and for some states before', (service) => {
    const told = (status: string) => webhookStatusPost(service, status, url, 't')?.body.state
    for (const status of ['pending', 'successful', 'failed', 'error', 'canceled']) expect(told(status)).toBeDefined()
    expect(told('waiting')).toBeUndefined()
    expect(told('running') === undefined).toBe(service === 'github')
  })
})
