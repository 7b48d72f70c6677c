/** What benches over simulated nodes share: the nodes and a group on them, launches and cancels by the thousand. */
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { sql } from 'drizzle-orm'
import pg from 'pg'
import { eachConcurrently } from '../model/concurrently.ts'
import { lineDepth, lineKey } from '../store/line-key.ts'
import { sqlText } from '../store/prepared.ts'
import { Undo } from '../test/setup/own-places.ts'
import type { SimulatedNodes, SimulationWishes } from './kubelet/start.ts'
import { startNodes } from './kubelet/start.ts'
import type { Stand } from './stand.ts'

/** Requests in flight while many jobs are launched or cancelled. */
const clients = 16

/** A group whose pods run on simulated nodes. */
export interface Simulation {
  nodes: SimulatedNodes
  groupId: number
  /** A job template of the group. */
  templateId: number
}

/** What of nodes and group may differ; `limit` is the group's max_concurrent_jobs, by default none. */
export type Wishes = SimulationWishes & { limit?: number }

/** Starts nodes, makes a group on them and opens the store, for as long as `use` works. */
export async function withSimulation<Result>(
  stand: Stand,
  name: string,
  { limit = 0, ...wishes }: Wishes,
  use: (parts: Simulation & { store: StoreView }) => Promise<Result>,
): Promise<Result> {
  return await Undo.after(async (undo) => {
    const store = await StoreView.open(stand)
    undo.add(() => store.close())
    const nodes = await startNodes(stand.stack, `${stand.id}-${name}`, join(stand.folder, `${name}-nodes.log`), wishes)
    // A pod that is deleted by force is gone for the API server at once; the nodes hear of it a moment later.
    undo.add(() => nodes.stop())
    const groupId = await stand.group(name, { max_concurrent_jobs: limit, pod: nodes.podSpec })
    const templateId = await stand.template('tiny.yml', groupId)
    return await use({ nodes, groupId, templateId, store })
  })
}

/** Launches so many jobs as fast as the API takes them; gives their ids and how many it took a second. */
export async function launchMany(
  stand: Pick<Stand, 'client'>,
  templateId: number,
  count: number,
  prompts: object = {},
): Promise<{ ids: number[]; perSecond: number }> {
  const begin = performance.now()
  const ids = await inLines(count, () => stand.client.launch(templateId, prompts))
  return { ids, perSecond: count / ((performance.now() - begin) / 1000) }
}

/** Cancels jobs over the API; one that has ended cannot be cancelled, which is as good. */
export async function cancelMany({ client }: Pick<Stand, 'client'>, ids: readonly number[]): Promise<void> {
  await inLines(ids.length, (index) => client.post(`/jobs/${ids[index]}/cancel/`).catch(() => undefined))
}

async function inLines<T>(count: number, act: (index: number) => Promise<T>): Promise<T[]> {
  const results: T[] = new Array(count)
  await eachConcurrently(results.keys(), clients, async (index) => {
    results[index] = await act(index)
  })
  return results
}

/** The store as a bench looks at it: counting over the API would cost more than what is measured. */
export class StoreView {
  readonly #database: pg.Client

  private constructor(database: pg.Client) {
    this.#database = database
  }

  static async open({ databaseUrl }: Pick<Stand, 'databaseUrl'>): Promise<StoreView> {
    const database = new pg.Client(databaseUrl)
    // A bench that is interrupted loses its database under it; that must not keep the rest from being taken down.
    database.on('error', () => {})
    await database.connect()
    return new StoreView(database)
  }

  /** Number of jobs by status. */
  async statuses(): Promise<Record<string, number>> {
    const { rows } = await this.#database.query('SELECT status, count(*)::int FROM unified_jobs GROUP BY status')
    return Object.fromEntries(rows.map(({ status, count }) => [status, count]))
  }

  /** A single number. */
  async number(query: string, values: unknown[] = []): Promise<number> {
    const { rows } = await this.#database.query(query, values)
    return Number(Object.values(rows[0] ?? {})[0] ?? Number.NaN)
  }

  async rows<Row extends object>(query: string, values: unknown[] = []): Promise<Row[]> {
    return (await this.#database.query(query, values)).rows
  }

  /** Messages that Temporal has not been told yet. */
  outbox(): Promise<number> {
    return this.number('SELECT count(*) FROM outbox')
  }

  /** Waits until whoever was launched waits for a place: in Temporal, or, where that line is long enough, in the outbox. Throws after `seconds` without any progress. */
  async inLine(seconds = 60): Promise<void> {
    let best = Number.POSITIVE_INFINITY
    let since = performance.now()
    for (;;) {
      const { rows } = await this.#database.query<{ resting: number; coming: number; standing: number }>(`SELECT
        (SELECT count(*)::int FROM outbox WHERE line <> '' AND tries = 0) AS resting,
        (SELECT count(*)::int FROM outbox WHERE line = '' OR tries > 0) AS coming,
        (SELECT count(*)::int FROM unified_jobs WHERE status = 'pending' AND waiting_since IS NOT NULL) AS standing`)
      const [{ resting, coming, standing } = { resting: 0, coming: 0, standing: 0 }] = rows
      // While places are given, a few are always on their way.
      if (resting > 0 ? standing >= 0.9 * lineDepth : coming === 0) return
      const left = resting + coming - standing
      if (left < best) [best, since] = [left, performance.now()]
      if (performance.now() - since > seconds * 1000)
        throw new Error(`${resting + coming} starts are not sent, ${standing} wait`)
      await pause(100)
    }
  }

  /** Makes so many more jobs like this one that rest, as launches would, by a statement: what they cost and how they wait does not depend on how they came. */
  async restMore(jobId: number, count: number): Promise<number[]> {
    const { rows } = await this.#database.query<{
      names: string
    }>(`SELECT string_agg(quote_ident(column_name), ', ') AS names
      FROM information_schema.columns WHERE table_name = 'unified_jobs' AND column_name NOT IN
        ('id', 'status', 'created', 'run_id', 'waiting_since', 'waiting_reason', 'started', 'attempt_count')`)
    const names = rows[0]?.names ?? ''
    const made = await this.#database.query<{ subject_id: number }>(
      `WITH job AS (INSERT INTO unified_jobs (${names}, status)
          SELECT ${names}, 'pending' FROM unified_jobs, generate_series(1, $2) WHERE id = $1 RETURNING *)
        INSERT INTO outbox (kind, subject_id, urgency, organization_id, line)
          SELECT 'start', id, priority, coalesce(organization_id, 0), ${sqlText(lineKey(sql`job`)).sql} FROM job RETURNING subject_id`,
      [jobId, count],
    )
    await this.#database.query('ANALYZE unified_jobs, outbox')
    return made.rows.map(({ subject_id }) => subject_id)
  }

  /** Ends jobs that rest by a statement, of which it does not matter how long their cancel takes. */
  async endResting(jobIds: readonly number[]): Promise<void> {
    await this.#database.query(
      `WITH start AS (DELETE FROM outbox WHERE subject_id = ANY($1) RETURNING subject_id)
        UPDATE unified_jobs SET status = 'canceled', finished = now() FROM start WHERE id = subject_id`,
      [jobIds],
    )
  }

  /** Waits until no job is on its way and no attempt holds a place. Throws after `seconds` without any progress. */
  async idle(seconds = 60): Promise<void> {
    let best = Number.POSITIVE_INFINITY
    let since = performance.now()
    for (;;) {
      const left = await this.number(
        `SELECT (SELECT count(*) FROM unified_jobs WHERE finished IS NULL)
              + (SELECT count(*) FROM attempts WHERE released_at IS NULL) + (SELECT count(*) FROM outbox)`,
      )
      if (left === 0) return
      if (left < best) {
        best = left
        since = performance.now()
      }
      if (performance.now() - since > seconds * 1000)
        throw new Error(`${left} jobs, places and messages stay: ${JSON.stringify(await this.statuses())}`)
      await pause(200)
    }
  }

  async close(): Promise<void> {
    await this.#database.end()
  }
}
