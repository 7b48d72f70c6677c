/** Bodies that the API accepts, for the paths whose bodies nest deeper than its own description tells; to be spoilt in one place. */
import type { Random } from './random.ts'

type Json = null | boolean | number | string | Json[] | { [key: string]: Json }

const question = (type: string, more: Record<string, Json> = {}): Json => ({
  ...{ type, question_name: type, variable: `v_${type}`, required: false, default: '' },
  ...more,
})

const survey: Json = {
  name: 'survey',
  description: '',
  spec: [
    question('text', { min: 0, max: 10 }),
    question('password', { default: 'pw' }),
    question('integer', { min: 0, max: 9, default: 3 }),
    question('float', { default: 1.5 }),
    question('multiplechoice', { choices: ['a', 'b'], default: 'a' }),
    question('multiselect', { choices: 'a\nb', default: 'a' }),
  ],
}

const override: Json = {
  metadata: { namespace: 'jobs', labels: { team: 'a' } },
  spec: {
    containers: [{ name: 'worker', image: 'ee:1', args: ['a'], resources: { requests: { cpu: '1', memory: '1Gi' } } }],
    volumes: [{ name: 'v', emptyDir: { sizeLimit: '1Gi' } }],
    tolerations: [{ key: 'a', operator: 'Exists' }],
  },
}

const launchBody = (id: (collection: string) => number): Json => ({
  extra_vars: { a: { b: [1, 'x'] }, v_integer: 3, v_password: 'pw' },
  limit: 'one',
  inventory: id('inventories'),
  credentials: [id('credentials')],
  credential_passwords: { ssh_password: 'pw' },
  verbosity: 1,
  forks: 1,
  instance_groups: [id('instance_groups')],
  job_type: 'check',
})

/** A document for the path; undefined where its description is enough. */
function documentFor(path: string, id: (collection: string) => number): Json | undefined {
  switch (path.replace('/api/v2', '')) {
    case '/job_templates/{id}/survey_spec/':
      return survey
    case '/job_templates/{id}/launch/':
      return launchBody(id)
    case '/jobs/{id}/relaunch/':
      return { hosts: 'all', credential_passwords: { ssh_password: 'pw' } }
    case '/instance_groups/':
    case '/instance_groups/{id}/preview/':
      return { name: 'g', is_container_group: true, pod_spec_override: override }
    case '/credential_types/':
      return {
        ...{ name: 'custom', kind: 'cloud', description: '' },
        inputs: { fields: [{ id: 'token', label: 'Token', secret: true, type: 'string' }], required: ['token'] },
        injectors: { env: { TOKEN: '{{ token }}' }, file: { template: '{{ token }}' }, extra_vars: { t: '{{token}}' } },
      }
    case '/credentials/':
      return {
        ...{ name: 'c', organization: id('organizations'), credential_type: 1 },
        inputs: { username: 'u', password: 'p', become_method: 'sudo', ssh_key_data: '' },
      }
    case '/inventories/{id}/variable_data/':
    case '/hosts/{id}/variable_data/':
    case '/groups/{id}/variable_data/':
      return { a: { b: [1, { c: 'x' }] }, ansible_host: 'h' }
    default:
      return undefined
  }
}

/** Stands for the text that takes the place of one value. */
const spoilt = '\u0001spoilt\u0001'

/** JSON of a document for the path in which one value is `value` (a JSON text), or nothing where the path needs no document. */
export function spoiltDocument(
  path: string,
  id: (collection: string) => number,
  value: string,
  random: Random,
): string | undefined {
  const document = documentFor(path, id)
  if (document === undefined) return undefined
  const places: [holder: Record<string, Json>, key: string][] = []
  // A copy with a serial number, since names must be unique to be accepted.
  const copy = structuredClone(document) as Record<string, Json>
  if (typeof copy.name === 'string') copy.name += ` ${random.below(1_000_000)}`
  collect(copy, places)
  const [holder, key] = random.pick(places)
  holder[key] = spoilt
  if (typeof copy.pod_spec_override === 'object') {
    const text = JSON.stringify(copy.pod_spec_override).replace(JSON.stringify(spoilt), () => value)
    copy.pod_spec_override = text
  }
  return JSON.stringify(copy).replace(JSON.stringify(spoilt), () => value)
}

function collect(value: Json, places: [Record<string, Json>, string][]): void {
  if (typeof value !== 'object' || value === null) return
  for (const [key, child] of Object.entries(value)) {
    places.push([value as Record<string, Json>, key])
    collect(child, places)
  }
}
