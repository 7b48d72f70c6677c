/** What tests launch: plays, groups, templates and jobs of a Mayfly of their own, made over HTTP. */
import { until, type Wait } from '../../dev/wait.ts'
import {
  type Catalog,
  type ClusterInputs,
  launch,
  makeCatalog,
  makeClusterCredential,
  makeTemplate,
} from './catalog.ts'
import type { Mayfly } from './mayfly.ts'

/** The fields of a job that tests look at. */
export interface JobOnWire {
  id: number
  status: string
  failed: boolean
  started: string | null
  finished: string | null
  elapsed: number
  job_explanation: string
  result_traceback: string
  execution_node: string
  instance_group: number | null
  event_processing_finished: boolean
}

/** A container group as the API takes it. */
export interface GroupFields {
  pod_spec_override?: string
  credential?: number
  max_concurrent_jobs?: number
}

/** Where and with which image a template runs; absent: the installation's defaults. */
export interface TemplateFields {
  group?: number
  environment?: number
}

let made = 0
/** A name that no other object of the test run has. */
const fresh = (what: string) => `${what} ${++made}`

/** Groups, templates and jobs for one test file. */
export class Scene {
  readonly mayfly: Mayfly
  readonly #catalog: Catalog

  private constructor(mayfly: Mayfly, catalog: Catalog) {
    this.mayfly = mayfly
    this.#catalog = catalog
  }

  /** A manual project of these playbooks (text by name without ending), and an inventory of one host that is the pod itself. */
  static async open(mayfly: Mayfly, playbooks: Record<string, string>): Promise<Scene> {
    const files = Object.fromEntries(Object.entries(playbooks).map(([name, text]) => [`${name}.yml`, text]))
    return new Scene(mayfly, await makeCatalog(mayfly, { files }))
  }

  /** Owns what it makes. */
  get organization(): number {
    return this.#catalog.organization
  }

  async group(fields: GroupFields): Promise<number> {
    const body = { name: fresh('group'), is_container_group: true, ...fields }
    return (await this.mayfly.post('/instance_groups/', body)).id
  }

  /** A credential of a cluster; its id. */
  clusterCredential(inputs: ClusterInputs): Promise<number> {
    return makeClusterCredential(this.mayfly, this.organization, inputs)
  }

  async environment(image: string, pull = ''): Promise<number> {
    return (await this.mayfly.post('/execution_environments/', { name: fresh('image'), image, pull })).id
  }

  /** A template that runs a playbook, whose jobs do not wait for each other. */
  async template(playbook: string, { group = this.#catalog.group, environment }: TemplateFields = {}): Promise<number> {
    const fields = {
      allow_simultaneous: true,
      ...(environment === undefined ? {} : { execution_environment: environment }),
    }
    return makeTemplate(this.mayfly, { ...this.#catalog, group }, `${playbook}.yml`, fields)
  }

  /** Launches a template; gives the job's id. */
  launch(template: number): Promise<number> {
    return launch(this.mayfly, template)
  }

  /** A template of its own, launched. */
  async run(playbook: string, fields: TemplateFields = {}): Promise<number> {
    return this.launch(await this.template(playbook, fields))
  }

  job(id: number): Promise<JobOnWire> {
    return this.mayfly.get<JobOnWire>(`/jobs/${id}/`)
  }

  /** Resolves with the job as soon as the condition holds. */
  jobWhen(id: number, what: string, holds: (job: JobOnWire) => boolean, seconds = 300): Promise<JobOnWire> {
    return this.#when({ what: `job ${id} ${what}`, seconds, pause: this.mayfly.newsOf(id) }, id, holds)
  }

  async #when(wait: Wait, id: number, holds: (job: JobOnWire) => boolean): Promise<JobOnWire> {
    let latest: JobOnWire | undefined
    const giveUp = () => {
      if (latest?.finished && !holds(latest)) throw new Error(`job ${id} ended: ${JSON.stringify(latest)}`)
    }
    return await until({ ...wait, giveUp }, async () => {
      latest = await this.job(id)
      return holds(latest) ? latest : undefined
    })
  }

  ended(id: number, seconds = 300): Promise<JobOnWire> {
    const wait = { what: `job ${id} to end`, seconds, pause: this.mayfly.endOf(id) }
    return this.#when(wait, id, (job) => job.finished !== null)
  }

  /** The output as plain text. */
  async stdout(id: number): Promise<string> {
    return (await this.mayfly.api('GET', `/jobs/${id}/stdout/?format=txt`)).text
  }

  /** Resolves when the output holds the text. */
  async printed(id: number, text: string, seconds = 300): Promise<void> {
    await until({ what: `job ${id} to print ${text}`, seconds, pause: this.mayfly.newsOf(id) }, async () =>
      (await this.stdout(id)).includes(text),
    )
  }

  /** Asks for the job to be cancelled; gives the status code of the answer. */
  async cancel(id: number): Promise<number> {
    return (await this.mayfly.api('POST', `/jobs/${id}/cancel/`, {})).status
  }
}
