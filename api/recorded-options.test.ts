import { readdirSync, readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { allResources } from './all-resources.ts'
import { openTestApp, type TestApp } from './testing.ts'

type Fields = Record<string, Record<string, unknown>>

/** OPTIONS of AWX 24.6.1: of a collection, and of one of its objects (`same_as` names the collection's fields). */
interface Recorded {
  path: string
  allow: string
  name: string
  types: string[]
  search_fields: string[] | null
  object_roles: string[] | null
  actions: Record<string, Fields>
  detail?: {
    allow: string
    name: string
    actions: Record<string, { same_as?: string; differs?: Fields; lacks?: string[] } & Fields>
  }
}

const folder = new URL('./fixtures/recorded/options/', import.meta.url)
const names = readdirSync(folder).map((file) => file.replace('.json', ''))
const recorded = (name: string): Recorded => JSON.parse(readFileSync(new URL(`${name}.json`, folder), 'utf8'))

/** What the two must agree on, of what is shown and of what may be written; help texts are ours. */
const compared = {
  read: ['type', 'choices', 'label'],
  write: ['type', 'required', 'choices', 'default', 'max_length', 'min_value', 'max_value', 'label', 'write_only'],
}

/** Where we knowingly say something else: a label of AWX's own slip. */
const deviations: Record<string, string[]> = {
  'tokens.id': ['label'],
  // Ours names no image and no namespace: they are the environment's and the installation's.
  'instance_groups.pod_spec_override': ['default'],
  // AWX offers a random one, which makes nothing.
  'workflow_job_template_nodes.identifier': ['default'],
  // Recorded without any key.
  'jobs.job_env': ['type', 'label'],
  'project_updates.job_env': ['type', 'label'],
}

/** Fields that AWX lacks. */
const additions: Record<string, string[]> = {
  organizations: ['fair_share_weight'],
  instance_groups: ['draining_since', 'drain_deadline'],
  job_templates: ['container', 'priority', 'ask_priority_on_launch', 'retry_policy', 'hold_on_failure_seconds'],
  jobs: ['container', 'priority', 'retry_policy', 'hold_on_failure_seconds', 'passed_over', 'held_until'],
  ad_hoc_commands: ['priority'],
  inventory_updates: ['priority'],
  project_updates: ['priority'],
  system_jobs: ['priority'],
  unified_jobs: ['priority'],
  workflow_approvals: ['priority'],
  workflow_jobs: ['priority'],
  workflow_job_templates: ['priority', 'ask_priority_on_launch'],
  workflow_job_nodes: ['priority'],
  workflow_job_template_nodes: ['priority'],
  schedules: ['overlap_policy', 'catchup_window', 'jitter', 'pause_on_failure', 'priority'],
}

function withoutAdditions(resource: string, fields: Fields): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([name]) => !additions[resource]?.includes(name)))
}

function comparable(resource: string, verb: string, fields: Fields): Fields {
  const keys = verb === 'GET' ? compared.read : compared.write
  return Object.fromEntries(
    Object.entries(withoutAdditions(resource, fields)).map(([name, field]) => {
      const without = deviations[`${resource}.${name}`] ?? []
      return [
        name,
        Object.fromEntries(
          keys.filter((key) => key in field && !without.includes(key)).map((key) => [key, field[key]]),
        ),
      ]
    }),
  )
}

/** Kinds of jobs and templates that are not here yet are missing among the choices of `type`. */
function withoutTypes({ type, ...fields }: Fields): Fields {
  return type && Array.isArray(type.choices) ? fields : { ...fields, ...(type ? { type } : {}) }
}

let app: TestApp
beforeAll(async () => {
  app = await openTestApp()
})
afterAll(() => app.close())

const served = names.filter((name) => name === 'me' || allResources.some((resource) => resource.name === name))

describe.each(served)('OPTIONS of %s', (name) => {
  const expected = recorded(name)
  const { detail } = expected

  test('collection: Allow, name and fields as recorded', async () => {
    const { body, headers } = await app.call('OPTIONS', expected.path)
    expect(headers.get('allow')).toBe(expected.allow)
    expect(body.name).toBe(expected.name)
    expect(body.max_page_size).toBe(200)
    expect(body.search_fields.toSorted()).toEqual(expected.search_fields?.toSorted())
    expect(Object.keys(body.actions).toSorted()).toEqual(Object.keys(expected.actions).toSorted())
    for (const [verb, fields] of Object.entries(expected.actions)) {
      expect(withoutTypes(comparable(name, verb, body.actions[verb]))).toEqual(
        withoutTypes(comparable(name, verb, fields)),
      )
      expect(Object.keys(withoutAdditions(name, body.actions[verb])).toSorted()).toEqual(Object.keys(fields).toSorted())
    }
  })

  if (!detail) return
  test('object, missing or not: Allow, name and fields as recorded', async () => {
    const { status, body, headers } = await app.call('OPTIONS', `${expected.path}99999/`)
    expect(status).toBe(200)
    expect(headers.get('allow')).toBe(detail.allow)
    expect(body.name).toBe(detail.name)
    for (const [verb, { same_as, differs, lacks = [] }] of Object.entries(detail.actions)) {
      const [, source = ''] = same_as?.split('.') ?? []
      const fields = { ...expected.actions[source], ...differs }
      for (const key of lacks) delete fields[key]
      expect(withoutTypes(comparable(name, verb, body.actions[verb]))).toEqual(
        withoutTypes(comparable(name, verb, fields)),
      )
    }
  })
})
