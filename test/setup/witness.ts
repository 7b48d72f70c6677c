/** A play whose output is the same at every run, and what must be true of each of its jobs, whatever was killed meanwhile. */
import pg from 'pg'
import { expect } from 'vitest'
import { until } from '../../dev/wait.ts'
import { openCluster } from '../../kubernetes/cluster.ts'
import type { Pod } from '../../kubernetes/objects.ts'
import { type Watch, watchObjects } from '../../kubernetes/watch.ts'
import { podLabels } from '../../model/attempt.ts'
import type { Mayfly } from './mayfly.ts'
import { stackTarget } from './own-places.ts'

/** About four seconds, with something printed all the time. A module would cost a process and half a second of CPU for each step, a lookup does not. */
export const steadyPlay = `
- hosts: all
  gather_facts: false
  tasks:
${Array.from({ length: 12 }, (_, index) => `    - name: step ${index + 1}\n      ansible.builtin.debug: { msg: "{{ lookup('pipe', 'sleep 0.25; echo line ${index + 1}') }}" }\n`).join('')}
    - name: the end
      ansible.builtin.debug: { msg: "all twelve" }
`

/** Where a job stands, as the store has it: its status, and the phase of its newest attempt. */
export type Standing = `${string}/${string}`

/** Watches the pods of a Mayfly from outside and looks into its database. */
export class Witness {
  readonly #mayfly: Mayfly
  readonly #watch: Watch<Pod>
  /** Uids of all pods that were ever seen, by job id. */
  readonly #pods = new Map<string, Set<string>>()

  constructor(mayfly: Mayfly) {
    this.#mayfly = mayfly
    const cluster = openCluster(stackTarget(mayfly.stack))
    this.#watch = watchObjects<Pod>(cluster, {
      resource: 'pods',
      namespace: mayfly.kubernetesNamespace,
      onEvent: (event) => {
        if (!('object' in event)) return
        const job = event.object.metadata.labels?.[podLabels.job] ?? 'none'
        this.#pods.set(job, (this.#pods.get(job) ?? new Set()).add(event.object.metadata.uid))
      },
      // However long the API server was away: no pod comes and goes before it is seen.
      timing: { lastBackOffMs: 500 },
    })
  }

  async stop(): Promise<void> {
    await this.#watch.stop()
  }

  /** Pods that exist now. */
  get pods(): Pod[] {
    return [...this.#watch.objects.values()]
  }

  /** How many different pods the job has had. */
  podsOf(job: number): number {
    return this.#pods.get(String(job))?.size ?? 0
  }

  async query<Row extends pg.QueryResultRow>(statement: string, ...values: unknown[]): Promise<Row[]> {
    const client = new pg.Client(this.#mayfly.databaseUrl)
    await client.connect()
    try {
      return (await client.query<Row>(statement, values)).rows
    } finally {
      await client.end()
    }
  }

  /** Where the jobs stand, by id. */
  async standings(jobs: number[]): Promise<Map<number, Standing>> {
    const rows = await this.query<{ id: number; standing: Standing }>(
      `SELECT j.id, j.status || '/' || coalesce(
         (SELECT CASE WHEN a.phase = 'delivered' AND a.first_event_at IS NOT NULL THEN 'reading' ELSE a.phase END
          FROM attempts a WHERE a.job_id = j.id ORDER BY a.number DESC LIMIT 1), 'none') AS standing
       FROM unified_jobs j WHERE j.id = ANY($1)`,
      jobs,
    )
    return new Map(rows.map(({ id, standing }) => [id, standing]))
  }

  /** Launches until the output of a job is seen being read, and resolves with all that were launched; it is the last. A machine may be too slow to see the first. */
  async launchedUntilRead(launch: () => Promise<number>): Promise<{ job: number; launched: number[] }> {
    const launched: number[] = []
    for (;;) {
      const job = await launch()
      launched.push(job)
      const wait = { what: `job ${job} to be read, or to end`, seconds: 180, everyMs: 20 }
      const standing = await until(wait, async () => {
        const now = (await this.standings([job])).get(job)
        return now === 'running/reading' || now?.startsWith('successful') ? now : undefined
      })
      if (standing === 'running/reading') return { job, launched }
    }
  }

  /** The whole output as it is downloaded. */
  async output(job: number): Promise<string> {
    const { text } = await this.#mayfly.api('GET', `/jobs/${job}/stdout/?format=ansi_download`)
    return text
  }

  /** Everything that must hold for a job of the steady play when it has ended. */
  async expectUntouched(job: number, expectedOutput: string): Promise<void> {
    const ended = await this.#mayfly.ended(`/jobs/${job}/`)
    expect(ended, `job ${job}`).toMatchObject({ status: 'successful', job_explanation: '' })
    expect(await this.output(job), `output of job ${job}`).toBe(expectedOutput)
    const [counted] = await this.query<{ events: number; last: number; emitted: number; delivered: number }>(
      `SELECT count(*)::int AS events, max(counter)::int AS last,
         (SELECT events_emitted FROM unified_jobs WHERE id = $1) AS emitted,
         (SELECT count(*)::int FROM attempts WHERE job_id = $1 AND delivered_at IS NOT NULL) AS delivered
       FROM job_events WHERE job_id = $1`,
      job,
    )
    expect(counted, `events of job ${job}`).toEqual({
      events: counted?.last,
      last: counted?.last,
      emitted: counted?.last,
      delivered: 1,
    })
    expect(this.podsOf(job), `pods of job ${job}`).toBe(1)
  }

  /** Resolves when no pod and no live attempt is left; fails after a while. */
  async expectNothingLeft(): Promise<void> {
    await expect.poll(() => this.pods.map((pod) => pod.metadata.name), { interval: 200 }).toEqual([])
    await expect
      .poll(() => this.query('SELECT id, job_id, phase FROM attempts WHERE released_at IS NULL'), {
        interval: 500,
      })
      .toEqual([])
  }
}
