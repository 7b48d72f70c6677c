/** Objects that most end-to-end tests need, made through the API as a user would. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Mayfly } from './mayfly.ts'

/** Variables of a host on which Ansible works without leaving the pod. */
export const localHost = 'ansible_connection: local\nansible_python_interpreter: "{{ ansible_playbook_python }}"'

/** What a play is made of, by ids. */
export interface Catalog {
  organization: number
  inventory: number
  project: number
  /** Where the files of its project are. */
  projectFolder: string
  group: number
}

/** What a catalog holds. */
export interface CatalogOptions {
  /** Files of the project by path; the playbooks among them. */
  files: Record<string, string>
  /** Names of the hosts. */
  hosts?: string[]
  /** Fields of the container group beside its name. */
  group?: Record<string, unknown>
}

/** A namespace for the pods of a group, as its override. */
export function inNamespace(mayfly: Mayfly): string {
  return JSON.stringify({ metadata: { namespace: mayfly.kubernetesNamespace } })
}

let made = 0

/** Makes an organization with a manual project, an inventory of local hosts and a container group. */
export async function makeCatalog(mayfly: Mayfly, options: CatalogOptions): Promise<Catalog> {
  const name = `catalog-${++made}`
  const projectFolder = join(mayfly.projectsRoot, name)
  for (const [path, text] of Object.entries(options.files)) {
    const file = join(projectFolder, path)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text)
  }
  const { id: organization } = await mayfly.post('/organizations/', { name })
  const { id: project } = await mayfly.post('/projects/', { name, organization, scm_type: '', local_path: name })
  const { id: inventory } = await mayfly.post('/inventories/', { name, organization })
  for (const host of options.hosts ?? ['localhost']) {
    await mayfly.post('/hosts/', { name: host, inventory, variables: localHost })
  }
  const { id: group } = await mayfly.post('/instance_groups/', {
    name,
    is_container_group: true,
    pod_spec_override: inNamespace(mayfly),
    ...options.group,
  })
  return { organization, inventory, project, projectFolder, group }
}

/** Makes a job template that runs a playbook of the catalog in its group. */
export async function makeTemplate(
  mayfly: Mayfly,
  catalog: Pick<Catalog, 'project' | 'inventory' | 'group'>,
  playbook: string,
  fields: Record<string, unknown> = {},
): Promise<number> {
  const { id } = await mayfly.post('/job_templates/', {
    name: `${playbook} ${++made}`,
    job_type: 'run',
    project: catalog.project,
    inventory: catalog.inventory,
    playbook,
    ...fields,
  })
  await mayfly.post(`/job_templates/${id}/instance_groups/`, { id: catalog.group })
  return id
}

/** What a credential of the type `kubernetes_bearer_token` holds. */
export interface ClusterInputs {
  host: string
  bearer_token: string
  verify_ssl: boolean
  ssl_ca_cert?: string
}

/** Makes a credential of a cluster; its id. */
export async function makeClusterCredential(
  mayfly: Mayfly,
  organization: number,
  inputs: ClusterInputs,
): Promise<number> {
  const types = await mayfly.get<{ results: { id: number }[] }>('/credential_types/?namespace=kubernetes_bearer_token')
  const body = { name: `cluster ${++made}`, organization, credential_type: types.results[0]?.id, inputs }
  return (await mayfly.post('/credentials/', body)).id
}

/** Launches a template; the id of its job. */
export async function launch(mayfly: Mayfly, template: number, prompts: Record<string, unknown> = {}): Promise<number> {
  const { job } = await mayfly.post<{ job: number }>(`/job_templates/${template}/launch/`, prompts)
  return job
}
