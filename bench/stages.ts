/** What each statement of a job costs, apart from all else: many jobs take one stage after the other, on a PostgreSQL of their own and without a cluster. */
import { endAttempt, readReachable, recordPlace, releaseAttempt } from '../store/attempts.ts'
import { bootstrap } from '../store/bootstrap.ts'
import { type AttemptRow, claimAttempt } from '../store/claims.ts'
import { openDatabase, type Store } from '../store/database.ts'
import { packEvents } from '../store/event-rows.ts'
import { appendEvents } from '../store/events.ts'
import { readGroup } from '../store/groups.ts'
import { readInventory } from '../store/inventory.ts'
import { inventoryUpdatesBefore, sourcesUpdatedOnLaunch } from '../store/inventory-updates.ts'
import { describeRun, transitionLocked } from '../store/job-status.ts'
import { migrate } from '../store/migrate.ts'
import { propagateEventFlags, storeHostSummaries } from '../store/outcome.ts'
import { takeNewJob } from '../store/ownership.ts'
import { readPlayRecord } from '../store/play-record.ts'
import { freezeRun, readStartLine } from '../store/prepare.ts'
import { type RunDocument, readJobForRun } from '../store/run-document.ts'
import { jobTemplates, projects } from '../store/schema/templates.ts'
import { takeStep } from '../store/step.ts'
import { makeEvent, makeGroup, makeInventory, makeJob } from '../store/testing-data.ts'
import { startServer } from '../store/testing-server.ts'
import { Undo } from '../test/setup/own-places.ts'
import { type Bench, info, type Measurement } from './bench.ts'
import { scheduledMilliseconds } from './processes.ts'

/** Ordinary connections of a worker that is not busy. */
const atOnce = 4

/** CPU of this process and of PostgreSQL for each stage of a job, so that the cost of a statement shows also on a machine that is not free. */
export const stages: Bench = {
  name: 'stages',
  about: 'what each statement of a job costs the worker and PostgreSQL, without a cluster (--jobs N)',
  takes: 'about 30 s',
  run: ({ size }) => Undo.after(async (undo) => await measure(undo, size('jobs', 400))),
}

async function measure(undo: Undo, count: number): Promise<Measurement[]> {
  const server = await startServer()
  undo.add(() => server.stop())
  const store = await openDatabase(server.url('postgres'), { poolMax: atOnce })
  undo.add(() => store.close())
  await migrate(store)
  await bootstrap(store, { adminPassword: 'password', defaultImage: 'ee:1' })
  const catalog = await makeCatalog(store)
  const jobs = await Promise.all(Array.from({ length: count }, () => makeBenchJob(store, catalog)))
  const measured: Measurement[] = []
  const all = { worker: 0, postgres: 0 }
  for (const [name, stage] of Object.entries(stagesOf(store, catalog))) {
    const before = await used(store)
    for (let first = 0; first < jobs.length; first += atOnce)
      await Promise.all(jobs.slice(first, first + atOnce).map(stage))
    const after = await used(store)
    for (const part of ['worker', 'postgres'] as const) {
      const each = (after[part] - before[part]) / count
      all[part] += each
      measured.push(info(`stages.${name}.${part}`, each, 'ms of CPU a job'))
    }
  }
  return [
    info('stages.worker', all.worker, 'ms of CPU a job'),
    info('stages.postgres', all.postgres, 'ms of CPU a job'),
    ...measured,
  ]
}

interface Catalog {
  groupId: number
  inventoryId: number
  projectId: number
  templateId: number
  hostId: number
}

async function makeCatalog({ db }: Store): Promise<Catalog> {
  const [groupId, inventoryId] = await Promise.all([makeGroup(db), makeInventory(db, 2)])
  const organizationId = 1
  const [project] = await db.insert(projects).values({ name: 'bench', organizationId, localPath: 'bench' }).returning()
  const [template] = await db
    .insert(jobTemplates)
    .values({ name: 'bench', organizationId, projectId: project?.id, inventoryId, playbook: 'site.yml' })
    .returning()
  const [host] = (await readInventory(db, inventoryId))?.hosts ?? []
  return { groupId, inventoryId, projectId: project?.id ?? 0, templateId: template?.id ?? 0, hostId: host?.id ?? 0 }
}

/** A job on its way through the stages, each of which needs what the ones before it found. */
class BenchJob {
  readonly jobId: number
  readonly runId: string
  #document: RunDocument | undefined
  #attempt: AttemptRow | undefined

  constructor(jobId: number) {
    this.jobId = jobId
    this.runId = `run-${jobId}`
  }

  get document(): RunDocument {
    if (!this.#document) throw new Error(`job ${this.jobId} was not read`)
    return this.#document
  }

  get attempt(): AttemptRow {
    if (!this.#attempt) throw new Error(`job ${this.jobId} has no place`)
    return this.#attempt
  }

  get owned(): { attemptId: number; runId: string } {
    return { attemptId: this.attempt.id, runId: this.runId }
  }

  async read({ db }: Store): Promise<void> {
    this.#document = await readJobForRun(db, this.jobId)
  }

  async claim({ db }: Store, groupId: number): Promise<void> {
    const { jobId, runId } = this
    const claim = await claimAttempt(db, { jobId, groupId, workflowId: `job-${jobId}`, runId })
    if ('attempt' in claim) this.#attempt = claim.attempt
  }
}

async function makeBenchJob(
  { db }: Store,
  { groupId, inventoryId, projectId, templateId }: Catalog,
): Promise<BenchJob> {
  const { id } = await makeJob(db, {
    ...{ inventoryId, projectId, jobTemplateId: templateId, unifiedJobTemplateId: templateId, organizationId: 1 },
    ...{ eligibleGroups: [groupId], allowSimultaneous: true, playbook: 'site.yml' },
  })
  return new BenchJob(id)
}

const place = { clusterKey: 'bench', credentialId: null, namespace: 'bench' }
const counts = { dark: 0, failures: 0, ignored: 0, ok: 4, changed: 1, processed: 1, rescued: 0, skipped: 0 }
const firstEvents = [
  makeEvent(1, { event: 'playbook_on_start', uuid: 'playbook' }),
  makeEvent(2, { event: 'playbook_on_play_start', uuid: 'play', parentUuid: 'playbook' }),
  makeEvent(3, { event: 'playbook_on_task_start', uuid: 'task', parentUuid: 'play' }),
]
const lastEvents = [
  makeEvent(4, { event: 'runner_on_ok', uuid: 'result', parentUuid: 'task', changed: true }),
  makeEvent(5, { event: 'playbook_on_stats', uuid: 'stats', parentUuid: 'playbook' }),
]

/** What the activities of an ordinary job ask of the store, in their order; its document is read by each of three. */
function stagesOf(
  store: Store,
  { groupId, inventoryId, hostId }: Catalog,
): Record<string, (job: BenchJob) => Promise<unknown>> {
  const { db } = store
  const append = (job: BenchJob, fromOffset: number, events: typeof firstEvents) => {
    const { jobId, runId } = job
    const batch = { jobId, runId, attemptId: job.attempt.id, fromOffset, toOffset: fromOffset + 1 }
    return appendEvents(store, { ...batch, events: [packEvents(jobId, events)] })
  }
  return {
    owner: ({ jobId, runId }) => takeNewJob(db, jobId, runId),
    'document.first': (job) => job.read(store),
    sources: () => sourcesUpdatedOnLaunch(db, inventoryId, 'own'),
    updates: ({ jobId }) => inventoryUpdatesBefore(db, inventoryId, jobId),
    line: ({ jobId }) => readStartLine(db, jobId),
    frozen: ({ jobId }) =>
      freezeRun(db, jobId, { executionEnvironmentId: 1, scmRevision: '', controllerNode: 'bench' }),
    'document.second': (job) => job.read(store),
    group: () => readGroup(db, groupId),
    claim: (job) => job.claim(store, groupId),
    place: ({ jobId, owned }) => recordPlace(db, owned, { ...place, podName: `pod-${jobId}` }),
    created: ({ jobId, owned, document }) => {
      const created = { ...place, podName: `pod-${jobId}`, podUid: `uid-${jobId}` }
      return takeStep(db, owned, document.job, { name: 'created', place: created, instanceGroupId: groupId })
    },
    'document.third': (job) => job.read(store),
    attempt: ({ attempt }) => readReachable(db, attempt.id),
    inventory: () => readInventory(db, inventoryId),
    delivered: ({ owned, document }) => takeStep(db, owned, document.job, { name: 'delivered' }),
    described: ({ jobId, runId }) => describeRun(db, jobId, runId, { jobArgs: '[]', jobCwd: '/runner', jobEnv: {} }),
    'events.first': (job) => append(job, 0, firstEvents),
    'events.last': (job) => append(job, 1, lastEvents),
    record: ({ jobId }) => readPlayRecord(db, jobId),
    verdict: ({ jobId, owned }) =>
      db.transaction(async (tx) => {
        const ended = await endAttempt(tx, owned, null)
        await storeHostSummaries(tx, jobId, [{ ...counts, hostId, hostName: 'host-0' }])
        await propagateEventFlags(tx, jobId)
        if (ended) await transitionLocked(tx, ended.job, 'successful', { eventsEmitted: 5, playCount: 1, taskCount: 1 })
      }),
    released: ({ owned }) => releaseAttempt(db, owned),
  }
}

/** Milliseconds of CPU so far, of this process and of what serves it. */
async function used({ db }: Store): Promise<{ worker: number; postgres: number }> {
  const { rows } = await db.execute<{ pid: number }>(
    "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'client backend'",
  )
  const { user, system } = process.cpuUsage()
  return {
    worker: (user + system) / 1000,
    postgres: rows.reduce((sum, { pid }) => sum + scheduledMilliseconds(pid), 0),
  }
}
