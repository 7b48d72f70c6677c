/** Everything a bench measures, running: cluster, Temporal and PostgreSQL of a stack, and on them an API and a worker of our own. */
import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { portIsFree } from '../dev/numbers.ts'
import { until } from '../dev/wait.ts'
import type { Say } from './bench.ts'
import { ApiClient } from './client.ts'
import { BenchCluster } from './cluster.ts'
import { ownDatabase, ownTemporalNamespace, startParts, Undo } from './parts.ts'
import { longPlaybook, stampedPlaybook, tinyPlaybook } from './playbooks.ts'
import { MayflyProcess } from './processes.ts'

/** Requests of every pod of a bench, raw or ours: the defaults of AWX. */
export const podResources = { requests: { cpu: '250m', memory: '100Mi' } }

/** Playbooks of the stand's project, by file name. */
const playbooks = { 'tiny.yml': tinyPlaybook, 'long.yml': longPlaybook, 'stamped.yml': stampedPlaybook }

/** What of a container group may differ: its limit, and what its pods have besides the default. */
export interface GroupFields {
  max_concurrent_jobs?: number
  pod?: object
  container?: object
}

/** What is running. */
export interface Stand {
  client: ApiClient
  cluster: BenchCluster
  image: string
  databaseUrl: string
  /** User name of our calls in the API server's audit log. */
  username: string
  /** Absent where the cluster is not one of ours. */
  auditLogPath: string | undefined
  api: MayflyProcess
  worker: MayflyProcess
  organizationId: number
  groupId: number
  /** Makes a job template for a playbook of the project; `groupId` is that of the stand unless given. */
  template(playbook: keyof typeof playbooks, groupId?: number): Promise<number>
  /** Makes a container group on the stand's cluster. */
  group(name: string, fields: GroupFields): Promise<number>
  stop(): Promise<void>
}

/**
 * Starts a stack (or uses the running one that MAYFLY_BENCH_STACK names), and on it a namespace, a database, an API and a worker that
 * nobody else uses. `stop` removes all of that, and the stack if it was started here.
 */
export async function startStand(say: Say): Promise<Stand> {
  const undo = new Undo()
  try {
    return { ...(await build(say, undo)), stop: () => undo.all(say) }
  } catch (error) {
    await undo.all(say)
    throw error
  }
}

async function build(say: Say, undo: Undo): Promise<Omit<Stand, 'stop'>> {
  const id = `bench-${randomBytes(3).toString('hex')}`
  const addresses = await startParts(say, undo)
  const folder = mkdtempSync(join(tmpdir(), `mayfly-${id}-`))
  undo.add(async () => rmSync(folder, { recursive: true, force: true }))

  const cluster = new BenchCluster(addresses.kubeconfigPath, addresses.kubeContext, id)
  undo.add(() => cluster.remove())
  const access = await cluster.prepare()
  const databaseUrl = await ownDatabase(addresses.postgresUrl, id, undo)
  await ownTemporalNamespace(addresses.temporalAddress, id, undo)

  const port = await freePort()
  const password = randomBytes(12).toString('base64url')
  const env = {
    PATH: process.env.PATH,
    HOME: process.env.HOME,
    MAYFLY_CACHE: process.env.MAYFLY_CACHE,
    MAYFLY_DATABASE_URL: databaseUrl,
    MAYFLY_DATA: join(folder, 'data'),
    MAYFLY_PROJECTS_ROOT: join(folder, 'projects'),
    MAYFLY_PORT: String(port),
    MAYFLY_ADMIN_PASSWORD: password,
    MAYFLY_EE_IMAGE: addresses.image,
    MAYFLY_LOG_LEVEL: 'warn',
    TEMPORAL_ADDRESS: addresses.temporalAddress,
    TEMPORAL_NAMESPACE: id,
  }
  const client = new ApiClient(`http://127.0.0.1:${port}`, 'admin', password)
  const api = startProcess('api', env, folder, undo)
  await until({ what: 'the API to answer', seconds: 60, giveUp: () => api.mustRun() }, () => client.answers())
  const worker = startProcess('worker', env, folder, undo)
  say(`stand: API on port ${port}, namespace ${id}`)

  mkdirSync(join(folder, 'projects', 'bench'), { recursive: true })
  for (const [name, text] of Object.entries(playbooks)) writeFileSync(join(folder, 'projects', 'bench', name), text)
  const organizationId = await client.idOf('organizations', 'Default')
  const created = async (path: string, body: object): Promise<number> =>
    (await client.post<{ id: number }>(path, body)).id
  const projectId = await created('/projects/', {
    name: 'bench',
    organization: organizationId,
    scm_type: '',
    local_path: 'bench',
  })
  const inventoryId = await created('/inventories/', { name: 'bench', organization: organizationId })
  const local = 'ansible_connection: local'
  await created('/hosts/', { name: 'localhost', inventory: inventoryId, variables: local })
  const credentialId = await created('/credentials/', {
    name: 'bench cluster',
    organization: organizationId,
    credential_type: await client.idOf('credential_types', 'OpenShift or Kubernetes API Bearer Token'),
    inputs: {
      host: access.host,
      bearer_token: access.bearerToken,
      verify_ssl: true,
      ssl_ca_cert: access.caCertificate,
    },
  })
  const group: Stand['group'] = (name, { pod = {}, container = {}, ...fields }) =>
    created('/instance_groups/', {
      name,
      is_container_group: true,
      credential: credentialId,
      pod_spec_override: JSON.stringify({
        metadata: { namespace: id },
        spec: { containers: [{ name: 'worker', resources: podResources, ...container }], ...pod },
      }),
      ...fields,
    })
  const groupId = await group('bench', {})
  let templates = 0
  const template: Stand['template'] = async (playbook, ofGroup = groupId) => {
    const body = { name: `${playbook} ${++templates}`, project: projectId, inventory: inventoryId, playbook }
    const templateId = await created('/job_templates/', { ...body, allow_simultaneous: true })
    await client.post(`/job_templates/${templateId}/instance_groups/`, { id: ofGroup })
    return templateId
  }

  // The first job pays for what is made once: connections, compiled workflow code, the image's page cache.
  const warm = await template('tiny.yml')
  for (let round = 0; round < 2; round++) await client.runJob(warm)
  say('stand: warm')
  const { username } = access
  const { auditLogPath, image } = addresses
  return {
    client,
    cluster,
    image,
    databaseUrl,
    username,
    auditLogPath,
    api,
    worker,
    organizationId,
    groupId,
    template,
    group,
  }
}

function startProcess(command: string, env: NodeJS.ProcessEnv, folder: string, undo: Undo): MayflyProcess {
  const started = new MayflyProcess([command], env, join(folder, `${command}.log`))
  undo.add(() => started.stop())
  return started
}

/** A port below those that the kernel gives to outgoing connections, so that it is still free when the API takes it. */
async function freePort(): Promise<number> {
  let port = 26_000 + (process.pid % 500) * 10
  while (!(await portIsFree(port))) port++
  return port
}
