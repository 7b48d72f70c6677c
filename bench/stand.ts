/** Everything a bench measures, running: cluster, Temporal and PostgreSQL of a stack, and on them an API and a worker of our own. */
import { randomBytes, randomInt } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { portIsFree } from '../dev/numbers.ts'
import { ownDatabase, ownKubernetesNamespace, ownTemporalNamespace, Undo } from '../test/setup/own-places.ts'
import { Part } from '../test/setup/part.ts'
import type { Say } from './bench.ts'
import { ApiClient } from './client.ts'
import { BenchCluster } from './cluster.ts'
import { type BenchStack, startParts, type Temporal } from './parts.ts'
import { longPlaybook, stampedPlaybook, tinyPlaybook } from './playbooks.ts'

/** Requests of every pod of a bench, raw or ours: the defaults of AWX. */
export const podResources = { requests: { cpu: '250m', memory: '100Mi' } }

/** Playbooks of the stand's project, by file name. */
const playbooks = { 'tiny.yml': tinyPlaybook, 'long.yml': longPlaybook, 'stamped.yml': stampedPlaybook }

/** What of a container group may differ: its limit, and what its pods have besides the default. */
export interface GroupFields {
  max_concurrent_jobs?: number
  credential?: number
  pod?: object
  container?: object
}

/** A worker that a bench kills and starts. */
export interface AddedWorker {
  /** Process id while it runs. */
  pid(): number | undefined
  /** Ends it without warning. */
  kill(): Promise<void>
  /** Resolves when it takes work. */
  start(): Promise<void>
}

/** What is running. */
export interface Stand {
  /** What all of it is called: database, namespaces. */
  id: string
  stack: BenchStack
  /** For logs and data; removed by `stop`. */
  folder: string
  client: ApiClient
  cluster: BenchCluster
  image: string
  databaseUrl: string
  /** User name of our calls in the API server's audit log. */
  username: string
  /** Absent where the cluster is not one of ours. */
  auditLogPath: string | undefined
  /** Of the process that runs now; `restart` makes another one. */
  readonly apiPid: number
  readonly workerPid: number
  /** Ends the API or the worker without warning and starts it again; gives its new process id. */
  restart(command: 'api' | 'worker'): Promise<number>
  organizationId: number
  groupId: number
  /** Makes a job template for a playbook of the project; `groupId` is that of the stand unless given. */
  template(playbook: keyof typeof playbooks, groupId?: number): Promise<number>
  /** Makes a container group on the stand's cluster, with the stand's credential unless another one is given. */
  group(name: string, fields: GroupFields): Promise<number>
  /** Makes a credential for the stand's cluster; with a token of its own, or the address of a proxy, it is another connection. */
  credential(name: string, bearerToken: string, at?: { host: string; caCertificate: string }): Promise<number>
  /** Starts a further worker beside the stand's own. */
  addWorker(): Promise<AddedWorker>
  stop(): Promise<void>
}

/**
 * Starts a stack (or uses the running one that MAYFLY_BENCH_STACK names), and on it a namespace, a database, an API and a worker that
 * nobody else uses. `stop` removes all of that, and the stack if it was started here.
 */
export async function startStand(say: Say, temporal?: Temporal): Promise<Stand> {
  const undo = new Undo()
  try {
    return Object.assign(await build(say, undo, temporal), { stop: () => undo.all() })
  } catch (error) {
    await undo.all()
    throw error
  }
}

async function build(say: Say, undo: Undo, temporal: Temporal | undefined): Promise<Omit<Stand, 'stop'>> {
  const stack = await startParts(say, undo, temporal)
  const { id, folder } = ownFolder(undo)
  const [databaseUrl] = await Promise.all([
    ownDatabase(stack, id, undo),
    ownKubernetesNamespace(stack, id, undo),
    ownTemporalNamespace(stack, id, undo),
  ])
  const cluster = new BenchCluster(stack.kubeconfigPath, stack.kubeContext, id)
  const access = await cluster.grant()
  const { client, env } = await installation(stack, folder, {
    MAYFLY_DATABASE_URL: databaseUrl,
    TEMPORAL_NAMESPACE: id,
  })
  const begin = async (part: Part): Promise<number> => {
    part.start()
    await part.ready(() => client.answers())
    return part.pid ?? 0
  }
  const partOf = (command: string) => new Part(command, [command, '--migrate'], env, join(folder, `${command}.log`))
  const parts = { api: partOf('api'), worker: partOf('worker') }
  const added: Part[] = []
  undo.add(async () => {
    await Promise.all([...Object.values(parts), ...added].map((part) => part.end('SIGTERM')))
  })
  await Promise.all([begin(parts.api), begin(parts.worker)])
  const restart: Stand['restart'] = async (command) => {
    await parts[command].end('SIGKILL')
    return await begin(parts[command])
  }
  const addWorker: Stand['addWorker'] = async () => {
    const part = new Part(`worker-${added.length + 2}`, ['worker'], env, join(folder, `worker-${added.length + 2}.log`))
    added.push(part)
    await begin(part)
    return { pid: () => part.pid, kill: () => part.end('SIGKILL'), start: async () => void (await begin(part)) }
  }
  say(`stand: running, everything of it is called ${id}`)

  const { created, organizationId, inventoryId, template: templateIn } = await makeCatalog(client, folder)
  const variables = 'ansible_connection: local'
  // The second one is what the output of simulated pods speaks of.
  for (const name of ['localhost', 'web1']) {
    await created('/hosts/', { name, inventory: inventoryId, variables, enabled: name === 'localhost' })
  }
  const credentialType = await client.idOf('credential_types', 'OpenShift or Kubernetes API Bearer Token')
  const credential: Stand['credential'] = (name, bearerToken, { host, caCertificate } = access) => {
    const inputs = { host, bearer_token: bearerToken, verify_ssl: true, ssl_ca_cert: caCertificate }
    return created('/credentials/', { name, organization: organizationId, credential_type: credentialType, inputs })
  }
  const credentialId = await credential('bench cluster', access.bearerToken)
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
  const template: Stand['template'] = (playbook, ofGroup = groupId) => templateIn(playbook, ofGroup)

  // The first job pays for what is made once: connections, compiled workflow code, the image's page cache.
  const warm = await template('tiny.yml')
  for (let round = 0; round < 2; round++) await client.runJob(warm)
  say('stand: warm')
  const { username } = access
  const { auditLogPath, image } = stack
  return {
    id,
    stack,
    folder,
    restart,
    addWorker,
    client,
    cluster,
    image,
    databaseUrl,
    username,
    auditLogPath,
    get apiPid() {
      return parts.api.pid ?? 0
    },
    get workerPid() {
      return parts.worker.pid ?? 0
    },
    organizationId,
    groupId,
    template,
    group,
    credential,
  }
}

/** What job templates of a bench need. */
interface Catalog {
  organizationId: number
  inventoryId: number
  /** Makes an object; its id. */
  created(path: string, body: object): Promise<number>
  /** Makes a job template for a playbook, in a group. */
  template(playbook: keyof typeof playbooks, groupId: number): Promise<number>
}

/** Makes the project with all playbooks in the projects of `folder`, and an inventory without hosts. */
export async function makeCatalog(client: ApiClient, folder: string): Promise<Catalog> {
  mkdirSync(join(folder, 'projects', 'bench'), { recursive: true })
  for (const [name, text] of Object.entries(playbooks)) writeFileSync(join(folder, 'projects', 'bench', name), text)
  const created: Catalog['created'] = async (path, body) => (await client.post<{ id: number }>(path, body)).id
  const organization = await client.idOf('organizations', 'Default')
  const project = await created('/projects/', { name: 'bench', organization, scm_type: '', local_path: 'bench' })
  const inventory = await created('/inventories/', { name: 'bench', organization })
  let templates = 0
  const template: Catalog['template'] = async (playbook, groupId) => {
    const body = { name: `${playbook} ${++templates}`, project, inventory, playbook, allow_simultaneous: true }
    const id = await created('/job_templates/', body)
    await client.post(`/job_templates/${id}/instance_groups/`, { id: groupId })
    return id
  }
  return { organizationId: organization, inventoryId: inventory, created, template }
}

/** A name that no other installation has, and a folder for its logs and data that goes with `undo`. */
export function ownFolder(undo: Undo): { id: string; folder: string } {
  const id = `bench-${randomBytes(3).toString('hex')}`
  const folder = mkdtempSync(join(tmpdir(), `mayfly-${id}-`))
  undo.add(async () => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }))
  return { id, folder }
}

/** Environment and client of an installation whose data lies in `folder`. */
export async function installation(
  stack: BenchStack,
  folder: string,
  more: Record<string, string>,
): Promise<{ env: NodeJS.ProcessEnv; client: ApiClient }> {
  const port = await freePort()
  const password = randomBytes(12).toString('base64url')
  const { PATH, HOME, LANG, MAYFLY_CACHE } = process.env
  const env = {
    ...{ PATH, HOME, LANG, MAYFLY_CACHE, NODE_ENV: 'production' },
    MAYFLY_STATE: join(folder, 'state'),
    MAYFLY_DATA: join(folder, 'data'),
    MAYFLY_PROJECTS_ROOT: join(folder, 'projects'),
    MAYFLY_SECRET_KEY: randomBytes(32).toString('base64'),
    MAYFLY_PORT: String(port),
    MAYFLY_ADMIN_PASSWORD: password,
    MAYFLY_KUBECONFIG: stack.kubeconfigPath,
    MAYFLY_KUBE_CONTEXT: stack.kubeContext,
    MAYFLY_EE_IMAGE: stack.image,
    TEMPORAL_ADDRESS: stack.temporalAddress,
    ...leavingTraces(process.env),
    ...more,
  }
  return { env, client: new ApiClient(`http://127.0.0.1:${port}`, 'admin', password) }
}

/** For whoever wants to know where the time goes: every process leaves its profile, or a count of its statements, in a folder when it ends. */
function leavingTraces({ MAYFLY_BENCH_PROFILE, MAYFLY_BENCH_STATEMENTS }: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const options = [
    ...(MAYFLY_BENCH_PROFILE ? ['--cpu-prof', `--cpu-prof-dir=${MAYFLY_BENCH_PROFILE}`] : []),
    ...(MAYFLY_BENCH_STATEMENTS ? ['--import', join(import.meta.dirname, 'count-statements.ts')] : []),
  ]
  if (options.length === 0) return {}
  return { NODE_OPTIONS: options.join(' '), MAYFLY_BENCH_STATEMENTS }
}

/** A port below those that the kernel gives to outgoing connections, so that it is still free when the API takes it. */
async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(24_000, 32_000)
    if (await portIsFree(port)) return port
  }
}
