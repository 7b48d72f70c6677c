/** The jobs that faults are done to: in a group whose cluster is behind the proxy, with a mark on the node's disk for every play that begins. */
import { chmodSync, existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { RbacAuthorizationV1Api } from '@kubernetes/client-node'
import { until } from '../../dev/wait.ts'
import { makeTemplate } from '../setup/catalog.ts'
import { type GitServer, startGitServer } from '../setup/git-server.ts'
import type { Mayfly } from '../setup/mayfly.ts'
import { clusterAdmin, type Undo } from '../setup/own-places.ts'
import { adminConfig } from '../setup/pods.ts'
import { Scene } from '../setup/scene.ts'
import type { Witness } from '../setup/witness.ts'
import type { FaultProxy } from './fault-proxy.ts'
import type { PointKind } from './points.ts'

/** How long a job may take to a point, and to its end, on a machine that others load. */
export const patienceSeconds = 300
const image = 'mayfly.local/no-runner:latest'
/** Repository of the project that is updated before jobs of the kind `dependent`. */
const repository = 'content'
/** Never reached by the matrix: what limits is tested elsewhere. */
const places = 60

/** The shell of a pod leaves its mark, and counts. */
const say = (lines: number) =>
  `echo begun >>/marks/$MAYFLY_JOB_ID || exit 9; n=0; while [ $n -lt ${lines} ]; do n=$((n+1)); echo line $n; sleep 0.04; done`
const commands = { command: `${say(20)}; echo the end`, cancelled: `${say(5)}; echo and on; exec sleep 600` }
/** What a job that is cancelled has printed by then. */
const saidBeforeCancel = 'line 1\nline 2\nline 3\nline 4\nline 5\nand on\n'
const play = `
- hosts: all
  gather_facts: false
  tasks:
    - shell: echo begun >>/marks/{{ tower_job_id }}
    - debug: {msg: line 1}
    - debug: {msg: the end}
`

/** Jobs of every kind. */
export class Subjects {
  readonly #mayfly: Mayfly
  readonly #witness: Witness
  readonly #git: GitServer
  readonly #marks: string
  readonly #templates = new Map<PointKind, number>()
  readonly #expected = new Map<PointKind, string>()
  #group = 0

  private constructor(mayfly: Mayfly, witness: Witness, git: GitServer) {
    this.#mayfly = mayfly
    this.#witness = witness
    this.#git = git
    this.#marks = join(mayfly.folder, 'marks')
  }

  /** Makes what they need, and runs each kind once undisturbed. */
  static async open(mayfly: Mayfly, witness: Witness, proxy: FaultProxy, undo: Undo): Promise<Subjects> {
    const repositories = join(mayfly.folder, 'repositories')
    mkdirSync(repositories)
    const git = await startGitServer(repositories)
    undo.add(() => git.stop())
    const subjects = new Subjects(mayfly, witness, git)
    mkdirSync(subjects.#marks)
    // Pods write here, as whoever their image says.
    for (const folder of [mayfly.folder, subjects.#marks]) chmodSync(folder, 0o777)
    await subjects.#furnish(proxy)
    return subjects
  }

  /** A group behind the proxy, and a template for every kind of point, each run once undisturbed. */
  async #furnish(proxy: FaultProxy): Promise<void> {
    const mayfly = this.#mayfly
    const scene = await Scene.open(mayfly, { unused: '- hosts: all\n' })
    const inputs = {
      host: proxy.url,
      bearer_token: await this.#token(),
      verify_ssl: true,
      ssl_ca_cert: proxy.ca,
    }
    const spec = {
      containers: [{ name: 'worker', volumeMounts: [{ name: 'marks', mountPath: '/marks' }] }],
      volumes: [{ name: 'marks', hostPath: { path: this.#marks } }],
    }
    const override = { metadata: { namespace: mayfly.kubernetesNamespace }, spec }
    this.#group = await scene.group({
      ...{ credential: await scene.clusterCredential(inputs), max_concurrent_jobs: places },
      pod_spec_override: JSON.stringify(override),
    })
    const environment = await scene.environment(image, 'missing')
    for (const kind of ['command', 'cancelled'] as const) {
      const container = { command: ['sh', '-c', commands[kind]] }
      const fields = { name: kind, execution_environment: environment, container, allow_simultaneous: true }
      const { id } = await mayfly.post('/job_templates/', fields)
      await mayfly.post(`/job_templates/${id}/instance_groups/`, { id: this.#group })
      this.#templates.set(kind, id)
    }
    this.#templates.set('dependent', await this.#dependent())
    for (const kind of this.#templates.keys()) {
      const job = await this.launch(kind)
      await this.accompany(kind, job)
      await mayfly.ended(`/jobs/${job}/`, patienceSeconds)
      this.#expected.set(kind, await this.#witness.output(job))
    }
  }

  /** A template whose project is updated before each of its jobs. */
  async #dependent(): Promise<number> {
    const mayfly = this.#mayfly
    this.#git.repository(repository, { 'site.yml': play })
    const { results } = await mayfly.get<{ results: { id: number }[] }>('/organizations/?order_by=-id')
    const organization = results[0]?.id ?? 0
    const project = {
      name: repository,
      organization,
      scm_type: 'git',
      scm_url: `${this.#git.origin}/public/${repository}`,
    }
    const { id } = await mayfly.post('/projects/', { ...project, scm_update_on_launch: true })
    const updates = await mayfly.get<{ results: { id: number }[] }>(`/projects/${id}/project_updates/`)
    await mayfly.ended(`/project_updates/${updates.results[0]?.id}/`)
    const inventories = await mayfly.get<{ results: { id: number }[] }>('/inventories/')
    const catalog = { organization, project: id, inventory: inventories.results[0]?.id ?? 0, group: this.#group }
    return await makeTemplate(mayfly, catalog, 'site.yml', { allow_simultaneous: true })
  }

  /** Token of a service account that may do everything in the namespace. */
  async #token(): Promise<string> {
    const { stack, kubernetesNamespace: namespace } = this.#mayfly
    const core = clusterAdmin(stack)
    const metadata = { name: 'mayfly' }
    await core.createNamespacedServiceAccount({ namespace, body: { metadata } })
    await adminConfig(stack)
      .makeApiClient(RbacAuthorizationV1Api)
      .createNamespacedRoleBinding({
        namespace,
        body: {
          metadata,
          roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
          subjects: [{ kind: 'ServiceAccount', name: 'mayfly', namespace }],
        },
      })
    const body = { spec: { audiences: [], expirationSeconds: 7_200 } }
    const answer = await core.createNamespacedServiceAccountToken({ name: 'mayfly', namespace, body })
    return answer.status?.token ?? ''
  }

  /** Launches one; its number. */
  async launch(kind: PointKind): Promise<number> {
    const path = `/job_templates/${this.#templates.get(kind)}/launch/`
    return (await this.#mayfly.post<{ job: number }>(path)).job
  }

  /** Does what a user does to a job of the kind: cancels it when it has begun, however often that takes. */
  async accompany(kind: PointKind, job: number): Promise<void> {
    if (kind !== 'cancelled') return
    const wait = { what: `job ${job} to print`, seconds: patienceSeconds, everyMs: 50 }
    await until(wait, async () => (await this.#witness.output(job).catch(() => '')).includes('and on'))
    await until({ ...wait, what: `job ${job} to be cancelled` }, async () => {
      const answer = await this.#mayfly.api('POST', `/jobs/${job}/cancel/`, {}).catch(() => undefined)
      return answer !== undefined && answer.status < 500
    })
  }

  /** Lets the update of a project wait until the function that it gives is called. */
  holdUpdates(): () => void {
    return this.#git.hold(repository)
  }

  /** How often the play of a job was begun. */
  begun(job: number): number {
    const mark = join(this.#marks, String(job))
    return existsSync(mark) ? readFileSync(mark, 'utf8').split('\n').length - 1 : 0
  }

  /** What is wrong with the output of a job; '' when nothing is. */
  async damageOf(kind: PointKind, job: number): Promise<string> {
    const output = await this.#witness.output(job)
    // Of a job that is not wanted any more the shell's own last word comes or does not.
    const told = kind === 'cancelled' ? output.replace(/Terminated\n$/, '') : output
    const expected = kind === 'cancelled' ? saidBeforeCancel : this.#expected.get(kind)
    return told === expected ? '' : `its output is another: ${JSON.stringify(output.slice(-300))}`
  }

  /** In a group of one place two jobs run, one after the other: no place is lost to the gates. */
  async expectAllPlaces(): Promise<void> {
    const path = `/instance_groups/${this.#group}/`
    await this.#mayfly.patch(path, { max_concurrent_jobs: 1 })
    const jobs = [await this.launch('command'), await this.launch('command')]
    for (const job of jobs) {
      const { status, job_explanation } = await this.#mayfly.ended(`/jobs/${job}/`, patienceSeconds)
      if (status !== 'successful') throw new Error(`job ${job} ended as ${status}: ${job_explanation}`)
    }
    await this.#mayfly.patch(path, { max_concurrent_jobs: places })
    await this.#witness.expectNothingLeft()
  }
}
