/** The jobs that faults are done to: in a group whose cluster is behind the proxy, with a mark on the node's disk for every play that begins. */
import { chmodSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { startNodes } from '../../bench/kubelet/start.ts'
import { until } from '../../dev/wait.ts'
import { podName } from '../../model/attempt.ts'
import { makeTemplate } from '../setup/catalog.ts'
import { type GitServer, startGitServer } from '../setup/git-server.ts'
import type { Mayfly } from '../setup/mayfly.ts'
import type { Undo } from '../setup/own-places.ts'
import { Scene } from '../setup/scene.ts'
import type { Witness } from '../setup/witness.ts'
import { credentialBehind } from './behind-proxy.ts'
import type { FaultProxy } from './fault-proxy.ts'
import type { PointKind } from './points.ts'

/** How long a job may take to a point, and to its end, on a machine that others load. */
export const patienceSeconds = 240
const image = 'mayfly.local/no-runner:latest'
/** Repository of the project that is updated before jobs of the kind `dependent`. */
const repository = 'content'
const hourMs = 3_600_000
/** Never reached by the matrix: what limits is tested elsewhere. */
const places = 60

/** The shell of a pod leaves its mark, and counts. */
const say = (lines: number) =>
  `echo begun >>/marks/$MAYFLY_JOB_ID || exit 9; n=0; while [ $n -lt ${lines} ]; do n=$((n+1)); echo line $n; sleep 0.04; done`
const commands = { plain: `${say(20)}; echo the end`, cancelled: `${say(5)}; echo and on; exec sleep 600` }
/** What is awaited of a job before it is cancelled. */
const begunToPrint = { simulated: 'TASK [', real: 'and on' }
/** What a cancelled job of a real node has printed by then. */
const saidBeforeCancel = 'line 1\nline 2\nline 3\nline 4\nline 5\nand on\n'
const play = `
- hosts: all
  gather_facts: false
  tasks:
    - shell: echo begun >>/marks/{{ tower_job_id }}
    - debug: {msg: line 1}
    - debug: {msg: the end}
`

/** What the names of all pods of a job begin with. */
export const podPrefix = (job: number): string => podName(job, 1).replace(/1$/, '')

/** Where pods run: on nodes that exist in the API server only and say what real runners said, or in the containers of a real one. */
export type Nodes = 'simulated' | 'real'

/** Jobs of every kind. */
export class Subjects {
  readonly #mayfly: Mayfly
  readonly #witness: Witness
  readonly #git: GitServer
  readonly #marks: string
  readonly #templates = new Map<PointKind, number>()
  /** Output of a job of each kind that nothing was done to. */
  readonly #expected = new Map<PointKind, Promise<string>>()
  readonly #nodes: Nodes
  #group = 0
  #plainSpec: object = {}

  private constructor(mayfly: Mayfly, witness: Witness, git: GitServer, nodes: Nodes) {
    this.#mayfly = mayfly
    this.#witness = witness
    this.#git = git
    this.#nodes = nodes
    this.#marks = join(mayfly.folder, 'marks')
  }

  /** Makes what they need, and lets one of each kind run undisturbed. */
  static async open(mayfly: Mayfly, witness: Witness, proxy: FaultProxy, nodes: Nodes, undo: Undo): Promise<Subjects> {
    const git = await startGitServer(join(mayfly.folder, 'repositories'))
    undo.add(() => git.stop())
    const subjects = new Subjects(mayfly, witness, git, nodes)
    mkdirSync(subjects.#marks)
    // Pods write here, as whoever their image says.
    for (const folder of [mayfly.folder, subjects.#marks]) chmodSync(folder, 0o777)
    await subjects.#furnish(proxy, undo)
    return subjects
  }

  /** Groups behind the proxy, and a template for every kind of point. */
  async #furnish(proxy: FaultProxy, undo: Undo): Promise<void> {
    const mayfly = this.#mayfly
    const scene = await Scene.open(mayfly, { play })
    const credential = await credentialBehind(proxy, mayfly, scene.organization)
    const groupOf = (spec: object) => {
      const override = { metadata: { namespace: mayfly.kubernetesNamespace }, spec }
      const fields = { credential, max_concurrent_jobs: places, pod_spec_override: JSON.stringify(override) }
      return scene.group(fields)
    }
    if (this.#nodes === 'simulated') {
      const [plain, endless] = await Promise.all([
        this.#simulate('plain', 500, undo),
        this.#simulate('endless', hourMs, undo),
      ])
      this.#plainSpec = plain
      this.#group = await groupOf(plain)
      this.#templates.set('plain', await scene.template('play', { group: this.#group }))
      this.#templates.set('cancelled', await scene.template('play', { group: await groupOf(endless) }))
    } else {
      this.#group = await groupOf(this.markedSpec)
      const environment = await scene.environment(image, 'missing')
      for (const kind of ['plain', 'cancelled'] as const) {
        const container = { command: ['sh', '-c', commands[kind]] }
        const fields = { name: kind, execution_environment: environment, container, allow_simultaneous: true }
        const { id } = await mayfly.post('/job_templates/', fields)
        await mayfly.post(`/job_templates/${id}/instance_groups/`, { id: this.#group })
        this.#templates.set(kind, id)
      }
    }
    this.#templates.set('dependent', await this.#dependent())
    for (const kind of this.#templates.keys()) {
      const output = this.#undisturbed(kind, await this.launch(kind))
      output.catch(() => {})
      this.#expected.set(kind, output)
    }
    // The update of its project takes a number that the first job of a point might expect.
    await this.#expected.get('dependent')
  }

  /** Starts a node whose plays last so long; what a pod's spec needs to come there. */
  async #simulate(name: string, runMs: number, undo: Undo): Promise<object> {
    const { stack, id, folder } = this.#mayfly
    const wishes = { plan: { startMs: 50, reportMs: 100, runMs }, marks: this.#marks }
    const nodes = await startNodes(stack, `${id}-${name}`, join(folder, `${name}-node.log`), wishes)
    undo.add(() => nodes.stop())
    return nodes.podSpec
  }

  async #undisturbed(kind: PointKind, job: number): Promise<string> {
    await this.accompany(kind, job)
    await this.#mayfly.ended(`/jobs/${job}/`, patienceSeconds)
    return await this.#witness.output(job)
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

  /** What comes below `spec` of the override of a group whose pods go to the simulated node of plain jobs. */
  get plainSpec(): object {
    return this.#plainSpec
  }

  /** What comes there for pods of the real node whose plays write `/marks/JOB` when they begin. */
  get markedSpec(): object {
    return {
      containers: [{ name: 'worker', volumeMounts: [{ name: 'marks', mountPath: '/marks' }] }],
      volumes: [{ name: 'marks', hostPath: { path: this.#marks } }],
    }
  }

  /** Adds a kind. Its jobs print what `like` does, or else what one prints that is launched now. */
  async add(kind: PointKind, template: number, like?: PointKind): Promise<void> {
    this.#templates.set(kind, template)
    const output = (like && this.#expected.get(like)) ?? this.#undisturbed(kind, await this.launch(kind))
    output.catch(() => {})
    this.#expected.set(kind, output)
  }

  /** Launches one; its number. */
  async launch(kind: PointKind): Promise<number> {
    const path = `/job_templates/${this.#templates.get(kind)}/launch/`
    return (await this.#mayfly.post<{ job: number }>(path)).job
  }

  /** Does what a user does to a job of the kind: cancels it when it has begun, however often that takes. */
  async accompany(kind: PointKind, job: number): Promise<void> {
    if (kind !== 'cancelled') return
    const wait = { what: `job ${job} to print`, seconds: patienceSeconds, everyMs: 200 }
    await until(wait, async () => (await this.#witness.output(job).catch(() => '')).includes(begunToPrint[this.#nodes]))
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
    const own = (file: string) => file === String(job) || file.startsWith(podPrefix(job))
    const lines = (file: string) => readFileSync(join(this.#marks, file), 'utf8').split('\n').length - 1
    return readdirSync(this.#marks)
      .filter(own)
      .reduce((sum, file) => sum + lines(file), 0)
  }

  /** What is wrong with the output of a job; '' when nothing is. */
  async damageOf(kind: PointKind, job: number): Promise<string> {
    const output = await this.#witness.output(job)
    // Of a shell that is not wanted any more its own last word comes or does not.
    const ofShell = kind === 'cancelled' && this.#nodes === 'real'
    const told = ofShell ? output.replace(/Terminated\n$/, '') : output
    const expected = ofShell ? saidBeforeCancel : await this.#expected.get(kind)
    if (told !== expected) return `its output is another: ${JSON.stringify(output.slice(-300))}`
    const [events] = await this.#witness.query<{ stored: number; last: number }>(
      `SELECT count(*)::int AS stored,
         (SELECT coalesce(events_emitted, (SELECT max(counter) FROM job_events WHERE job_id = $1)) FROM unified_jobs WHERE id = $1) AS last
       FROM job_events WHERE job_id = $1`,
      job,
    )
    return events?.stored === events?.last ? '' : `of ${events?.last} events ${events?.stored} are stored`
  }

  /** In a group of one place two jobs run, one after the other: no place is lost to the gates. */
  async expectAllPlaces(): Promise<void> {
    const path = `/instance_groups/${this.#group}/`
    await this.#mayfly.patch(path, { max_concurrent_jobs: 1 })
    const jobs = [await this.launch('plain'), await this.launch('plain')]
    for (const job of jobs) {
      const { status, job_explanation } = await this.#mayfly.ended(`/jobs/${job}/`, patienceSeconds)
      if (status !== 'successful') throw new Error(`job ${job} ended as ${status}: ${job_explanation}`)
    }
    await this.#mayfly.patch(path, { max_concurrent_jobs: places })
    await this.#witness.expectNothingLeft()
  }
}
