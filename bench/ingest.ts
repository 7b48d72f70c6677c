/** How fast output is stored, and what that costs the worker. */
import { createReadStream, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { sql } from 'drizzle-orm'
import { Batcher } from '../activities/play/batcher.ts'
import { toEventRow } from '../runner/event.ts'
import { SpoolReader } from '../runner/stream.ts'
import { openDatabase, type Store } from '../store/database.ts'
import { type PackedEvents, packEvents } from '../store/event-rows.ts'
import { appendEvents } from '../store/events.ts'
import { migrate } from '../store/migrate.ts'
import { unifiedJobs } from '../store/schema/jobs.ts'
import { attempts } from '../store/schema/runtime.ts'
import { ownDatabase, Undo } from '../test/setup/own-places.ts'
import { atLeast, atMost, type Bench, info, type Measurement, type Say } from './bench.ts'
import { startPostgres } from './parts.ts'
import { peakMegabytes, residentMegabytes } from './processes.ts'
import { capturedEvents, fastRunner, writeSpool } from './spool.ts'
import type { Stand } from './stand.ts'

const events = 200_000
const runId = 'bench'

/** A job with a live attempt, as far as storing events needs them. */
async function storedAttempt({ db }: Store): Promise<{ jobId: number; attemptId: number }> {
  const [job] = await db.insert(unifiedJobs).values({ type: 'job', name: 'bench' }).returning()
  if (!job) throw new Error('no job row')
  const values = { jobId: job.id, number: 1, workflowId: `job-${job.id}`, runId, phase: 'delivered' as const }
  const [attempt] = await db.insert(attempts).values(values).returning()
  if (!attempt) throw new Error('no attempt row')
  return { jobId: job.id, attemptId: attempt.id }
}

/** Stores a spool from a local file: what the control plane's code and PostgreSQL manage, without a cluster. */
async function storeSpool(store: Store, file: string): Promise<number> {
  const { jobId, attemptId } = await storedAttempt(store)
  const reader = new SpoolReader()
  let fromOffset = 0
  const batcher = new Batcher<PackedEvents>(async ({ items, end }) => {
    await appendEvents(store, { attemptId, runId, jobId, fromOffset, toOffset: end, events: items })
    fromOffset = end
  })
  const begin = performance.now()
  for await (const chunk of createReadStream(file)) {
    const records = reader.push(chunk as Buffer)
    const rows = records.flatMap((record) => (record.kind === 'event' ? [toEventRow(record.event)] : []))
    if (rows.length === 0) continue
    const packed = packEvents(jobId, rows)
    await batcher.add({ items: [packed], end: reader.offset, bytes: packed.rows.length })
  }
  await batcher.flush()
  return (performance.now() - begin) / 1000
}

async function fromFile(say: Say): Promise<Measurement[]> {
  return await Undo.after(async (undo) => {
    const folder = mkdtempSync(join(tmpdir(), 'mayfly-ingest-'))
    undo.add(async () => rmSync(folder, { recursive: true, force: true }))
    const store = await openDatabase(
      await ownDatabase({ postgresUrl: await startPostgres(say, undo) }, `ingest-${process.pid}`, undo),
    )
    undo.add(() => store.close())
    await migrate(store)
    const file = join(folder, 'spool')
    await storeSpool(store, await spoolOf(file, 10_000)) // The first events pay for compiling code and planning queries.
    const bytes = await writeSpool(file, events)
    const seconds = await storeSpool(store, file)
    return [
      atLeast('ingest.file', events / seconds, 'events/s', 20_000),
      info('ingest.file.bytes', bytes / seconds / 1e6, 'MB/s'),
    ]
  })
}

async function spoolOf(file: string, count: number): Promise<string> {
  await writeSpool(file, count)
  return file
}

/** A whole job whose runner says everything at once: pod, exec, worker and PostgreSQL together, and the worker's memory. */
async function fromPod({ client, cluster, databaseUrl, group, template, workerPid }: Stand): Promise<Measurement[]> {
  const lines = capturedEvents().map((event) => JSON.stringify(event))
  await cluster.createConfigMap('fast-runner', { 'ansible-runner': fastRunner(events), events: lines.join('\n') })
  const volumes = [{ name: 'bench', configMap: { name: 'fast-runner', defaultMode: 0o755 } }]
  const volumeMounts = [
    { name: 'bench', mountPath: '/bench' },
    { name: 'bench', mountPath: '/usr/local/bin/ansible-runner', subPath: 'ansible-runner' },
  ]
  const groupId = await group('fast runner', { pod: { volumes }, container: { volumeMounts } })
  const templateId = await template('tiny.yml', groupId)
  const store = await openDatabase(databaseUrl, { poolMax: 1 })
  try {
    const before = residentMegabytes(workerPid)
    const jobId = await client.launch(templateId)
    let over = false
    const done = client.finished(jobId, 300, 500).finally(() => {
      over = true
    })
    // From the first stored event on: starting the pod is another bench's business.
    const samples: { at: number; stored: number }[] = []
    while (!over) {
      const answer = await store.db.execute<{ stored: number }>(
        sql`SELECT events_stored AS stored FROM unified_jobs WHERE id = ${jobId}`,
      )
      const stored = Number(answer.rows[0]?.stored)
      if (stored > 0) samples.push({ at: performance.now(), stored })
      await pause(50)
    }
    const job = await done
    const [first] = samples
    const last = samples.find(({ stored }) => stored >= events)
    if (!first || !last) throw new Error(`job ${jobId} is ${job.status}, ${samples.at(-1)?.stored ?? 0} events stored`)
    return [
      atLeast('ingest.job', ((last.stored - first.stored) / (last.at - first.at)) * 1000, 'events/s', 20_000),
      atMost('ingest.worker.peak', peakMegabytes(workerPid), 'MB', 300),
      info('ingest.worker.before', before, 'MB'),
    ]
  } finally {
    await store.close()
  }
}

/** Events a second from one spool into PostgreSQL. */
export const ingest: Bench = {
  name: 'ingest',
  about: `${events.toLocaleString('en')} events of one job into PostgreSQL: from a file, and from a pod; the worker's memory`,
  takes: 'about 2 min',
  async run({ say, stand }) {
    const file = await fromFile(say)
    say(`ingest: from a file ${Math.round(file[0]?.value ?? 0)} events/s`)
    return [...file, ...(await fromPod(await stand()))]
  },
}
