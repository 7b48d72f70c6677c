/** Holds Mayfly exactly where it is about to write something down: a trigger waits for a lock that the test has. */
import pg from 'pg'
import { until } from '../../dev/wait.ts'

/** A write to hold at: an operation on a table, and what is true of the row. The job's number is in `column`. */
export interface Write {
  operation: 'INSERT' | 'UPDATE' | 'DELETE'
  table: 'attempts' | 'unified_jobs' | 'outbox' | 'job_events'
  /** Over NEW and OLD, as PostgreSQL has them for the operation. */
  when: string
  column: 'job_id' | 'id' | 'subject_id'
}

/** First half of the advisory locks' key; the second is the job. */
const lockSpace = 7701

/** For so many ms what was read once is good for everybody who asks. */
const freshMs = 50

/** Where a job stands. */
export interface Standing {
  ended: boolean
  /** Attempts that have not given their place back. */
  places: number
}

/** Writes of one Mayfly that are held for single jobs. */
export class StoreHolds {
  readonly #url: string
  readonly #writes: Record<string, Write>
  readonly #pool: pg.Pool
  #session: pg.Client | undefined
  #turn: Promise<void> = Promise.resolve()
  /** Jobs that are held now, and where all jobs stand. */
  readonly #held = shared(freshMs, () => this.#readHeld())
  readonly #standings = shared(freshMs, () => this.#readStandings())

  private constructor(url: string, writes: Record<string, Write>) {
    this.#url = url
    this.#writes = writes
    this.#pool = new pg.Pool({ connectionString: url, max: 3 })
    // A server that is killed takes idle connections with it.
    this.#pool.on('error', () => {})
  }

  /** Lays down a trigger for every write; none holds anything yet. */
  static async open(url: string, writes: Record<string, Write>): Promise<StoreHolds> {
    const holds = new StoreHolds(url, writes)
    await holds.query(`CREATE TABLE fault_holds (job integer, point text)`)
    await holds.query(`CREATE TABLE fault_statuses (job integer, status text)`)
    await holds.query(`
      CREATE FUNCTION fault_hold() RETURNS trigger LANGUAGE plpgsql AS $$
      DECLARE number integer := (to_jsonb(coalesce(NEW, OLD)) ->> TG_ARGV[1])::integer;
      BEGIN
        IF EXISTS (SELECT FROM fault_holds WHERE job = number AND point = TG_ARGV[0]) THEN
          PERFORM pg_advisory_xact_lock_shared(${lockSpace}, number);
        END IF;
        RETURN coalesce(NEW, OLD);
      END $$`)
    for (const [index, [point, { operation, table, when, column }]] of Object.entries(holds.#writes).entries()) {
      const call = `fault_hold(${pg.escapeLiteral(point)}, '${column}')`
      await holds.query(
        `CREATE TRIGGER fault_${index} BEFORE ${operation} ON ${table} FOR EACH ROW WHEN (${when}) EXECUTE FUNCTION ${call}`,
      )
    }
    await holds.query(`
      CREATE FUNCTION fault_status() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN INSERT INTO fault_statuses VALUES (NEW.id, NEW.status); RETURN NEW; END $$`)
    await holds.query(`
      CREATE TRIGGER fault_status AFTER UPDATE ON unified_jobs FOR EACH ROW WHEN (NEW.status <> OLD.status)
      EXECUTE FUNCTION fault_status()`)
    return holds
  }

  async close(): Promise<void> {
    await this.#session?.end().catch(() => {})
    this.#session = undefined
    await this.#pool.end()
  }

  /** Holds the job when it comes to the point. To be called before the job can be there. */
  async arm(job: number, point: string): Promise<void> {
    await this.query('INSERT INTO fault_holds VALUES ($1, $2)', job, point)
    await this.#lock('SELECT pg_advisory_lock($1, $2)', job)
  }

  /** Resolves when Mayfly is held at the point. */
  async reached(job: number, seconds: number): Promise<void> {
    const wait = { what: `job ${job} to be held in the store`, seconds, everyMs: freshMs }
    await until(wait, async () => (await this.#held()).has(job))
  }

  /** Where a job stands; undefined while the database cannot be asked. */
  async standing(job: number): Promise<Standing | undefined> {
    return (await this.#standings().catch(() => undefined))?.get(job)
  }

  async #readHeld(): Promise<Set<number>> {
    const waits = `SELECT objid::int AS job FROM pg_locks
      WHERE locktype = 'advisory' AND NOT granted AND classid = ${lockSpace}
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`
    return new Set((await this.query<{ job: number }>(waits)).map(({ job }) => job))
  }

  async #readStandings(): Promise<Map<number, Standing>> {
    const rows = await this.query<Standing & { id: number }>(
      `SELECT id, finished IS NOT NULL AS ended,
         (SELECT count(*)::int FROM attempts WHERE job_id = job.id AND released_at IS NULL) AS places FROM unified_jobs job`,
    )
    return new Map(rows.map(({ id, ...standing }) => [id, standing]))
  }

  /**
   * Lets the write go on. `lost`: the statement is ended first, as when the machine of a dead process is gone; else it takes effect even though
   * who sent it may be dead.
   */
  async release(job: number, lost: boolean): Promise<void> {
    await this.query('DELETE FROM fault_holds WHERE job = $1', job)
    if (lost) {
      const waits = `SELECT pg_terminate_backend(pid) FROM pg_locks
        WHERE locktype = 'advisory' AND NOT granted AND classid = ${lockSpace} AND objid = $1
          AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`
      await this.query(waits, job)
    }
    // A server that was started again has forgotten the lock, and with it the hold.
    await this.#lock('SELECT pg_advisory_unlock($1, $2)', job)
  }

  /** Statuses that the job has come to, in their order. */
  async statuses(job: number): Promise<string[]> {
    const rows = await this.query<{ status: string }>('SELECT status FROM fault_statuses WHERE job = $1', job)
    return rows.map(({ status }) => status)
  }

  /** The number that the next job will have; right while nobody else makes one. */
  async nextJob(): Promise<number> {
    const [next] = await this.query<{ id: string }>(
      `SELECT last_value + CASE WHEN is_called THEN 1 ELSE 0 END AS id FROM unified_jobs_id_seq`,
    )
    return Number(next?.id)
  }

  /** A query of the test's own. */
  async query<Row extends pg.QueryResultRow>(statement: string, ...values: unknown[]): Promise<Row[]> {
    return (await this.#pool.query<Row>(statement, values)).rows
  }

  /** A session does one thing at a time. */
  async #lock(statement: string, job: number): Promise<void> {
    const mine = this.#turn.then(async () => void (await (await this.#locks()).query(statement, [lockSpace, job])))
    this.#turn = mine.catch(() => {})
    await mine
  }

  /** The session that has the locks. */
  async #locks(): Promise<pg.Client> {
    if (this.#session) return this.#session
    const session = new pg.Client(this.#url)
    session.on('error', () => {
      this.#session = undefined
    })
    await session.connect()
    this.#session = session
    return session
  }
}

/** What `read` gives, read again only when the last time is longer ago. */
function shared<Value>(freshForMs: number, read: () => Promise<Value>): () => Promise<Value> {
  let last: { at: number; value: Promise<Value> } | undefined
  return () => {
    if (!last || performance.now() - last.at > freshForMs) last = { at: performance.now(), value: read() }
    return last.value
  }
}
