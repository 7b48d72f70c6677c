/** The objects of the demo, made through the API as a user would; those of an earlier run are brought up to date and used again. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse, stringify } from 'yaml'
import { until } from '../../dev/wait.ts'
import { CommandError } from '../errors.ts'
import type { ApiClient } from './client.ts'
import type { DemoHost } from './hosts.ts'

const inventoryFile = join(import.meta.dirname, '..', '..', 'examples', 'site', 'inventory', 'hosts.yml')

/** The part of an Ansible inventory file that the example uses. */
interface InventoryFile {
  all: {
    vars: Record<string, unknown>
    children: Record<string, { vars: Record<string, unknown>; hosts: Record<string, unknown> }>
  }
}

/** The inventory of the example project. */
export function readInventory(): InventoryFile['all'] {
  return (parse(readFileSync(inventoryFile, 'utf8')) as InventoryFile).all
}

/** Names of all hosts of the inventory. */
export function hostNames(): string[] {
  return Object.values(readInventory().children).flatMap(({ hosts }) => Object.keys(hosts))
}

/** What `makeObjects` starts from. */
export interface Ingredients {
  client: ApiClient
  repository: string
  privateKey: string
  hosts: DemoHost[]
  say: (line: string) => void
}

/** Makes everything that a launch needs; gives the job template's id. */
export async function makeObjects(ingredients: Ingredients): Promise<number> {
  const { client, say } = ingredients
  const name = 'Mayfly demo'
  const organization = (await client.ensure('/organizations/', { name })).object.id
  // As in AWX, an organization without a Galaxy credential installs nothing of what projects require, from git neither.
  const galaxy = await client.find('/credentials/', { name: 'Ansible Galaxy', managed: 'true' })
  await client.attach(`/organizations/${organization}/galaxy_credentials/`, galaxy.id)
  say(`organization ${organization}, which may install roles and collections`)
  const credential = await machineCredential(ingredients, organization)
  const project = await updatedProject(ingredients, organization)
  const inventory = await makeInventory(ingredients, organization)
  const fields = { project, inventory, playbook: 'site.yml', job_type: 'run' }
  const template = (await client.ensure('/job_templates/', { name: 'Configure the site', organization }, fields)).object
    .id
  await client.attach(`/job_templates/${template}/credentials/`, credential)
  say(`job template ${template}: site.yml on the inventory, with the credential`)
  return template
}

async function machineCredential({ client, privateKey, say }: Ingredients, organization: number): Promise<number> {
  const type = await client.find('/credential_types/', { namespace: 'ssh' })
  const fields = { inputs: { username: 'root', ssh_key_data: privateKey } }
  const by = { name: 'Demo hosts', organization, credential_type: type.id }
  const { object } = await client.ensure('/credentials/', by, fields)
  say(`machine credential ${object.id}, its ssh key sealed at rest`)
  return object.id
}

/** The project with the repository's newest commit and the roles that its requirements name. */
async function updatedProject({ client, repository, say }: Ingredients, organization: number): Promise<number> {
  const fields = { scm_type: 'git', scm_url: repository, scm_branch: 'main' }
  const { object, made } = await client.ensure('/projects/', { name: 'Site', organization }, fields)
  const path = `/projects/${object.id}/`
  // A new project is updated by itself, and so is one that was edited; otherwise we ask.
  const latest = async () => (await client.list(`${path}project_updates/`, { order_by: '-id', page_size: 1 }))[0]
  if (!made) await client.post(`${path}update/`)
  const update = await until({ what: 'the project update', seconds: 300, everyMs: 100 }, async () => {
    const job = await latest()
    return job?.finished ? job : undefined
  })
  if (update.status !== 'successful') {
    const output = await client.text(`/project_updates/${update.id}/stdout/?format=txt`)
    throw new CommandError(`project update ${update.id} is ${update.status}: ${update.job_explanation}\n${output}`)
  }
  const { scm_revision: revision } = await client.get(path)
  say(
    `project ${object.id} at ${String(revision).slice(0, 10)}, with the role of requirements.yml (update ${update.id})`,
  )
  return object.id
}

async function makeInventory({ client, hosts, say }: Ingredients, organization: number): Promise<number> {
  const { vars, children } = readInventory()
  const by = { name: 'Site', organization }
  const inventory = (await client.ensure('/inventories/', by, { variables: stringify(vars) })).object.id
  for (const [name, { vars: groupVars, hosts: members }] of Object.entries(children)) {
    const group = (await client.ensure('/groups/', { name, inventory }, { variables: stringify(groupVars) })).object.id
    for (const member of Object.keys(members)) {
      const address = hosts.find((host) => host.name === member)?.address
      const variables = stringify({ ansible_host: address })
      const host = (await client.ensure('/hosts/', { name: member, inventory }, { variables })).object.id
      await client.attach(`/groups/${group}/hosts/`, host)
    }
  }
  say(`inventory ${inventory}: ${hosts.map(({ name, address }) => `${name} (${address})`).join(', ')}`)
  return inventory
}
