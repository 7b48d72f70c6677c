import { join } from 'node:path'
import type { PodAccess, SpooledPod } from '../../kubernetes/pod-talk.ts'
import { readSpool } from '../../kubernetes/spool.ts'
import type { SpoolSession } from '../../kubernetes/spool-session.ts'
import type { EventRow } from '../../model/event.ts'
import type { ArtifactsZip } from '../../runner/artifacts-zip.ts'
import { toEventRow } from '../../runner/event.ts'
import { redactStarting, type StartingRecord } from '../../runner/redact.ts'
import { type CounterGapError, type RunnerStatus, SpoolReader, type SpoolRecord } from '../../runner/stream.ts'
import type { Store } from '../../store/database.ts'
import { type PackedEvents, packEvents } from '../../store/event-rows.ts'
import { appendEvents } from '../../store/events.ts'
import { ArrivingZip } from './arriving-zip.ts'
import { Batcher } from './batcher.ts'
import type { PreparedRun } from './run-parts.ts'

/** What the runner said by the end of its output. */
export interface Collected {
  /** The last status line; null when the output ended before one. */
  status: RunnerStatus | null
  /** True when the eof record was seen: the output is whole. */
  complete: boolean
  /** Bytes of the spool read, whole records. */
  offset: number
  /** Lines that are none of the runner's: what the image or Python printed. */
  noise: string[]
  damage: CounterGapError | Error | null
  /** The artifacts zip; null when there was none. Whoever takes it removes its file, where it has one. */
  artifacts: ArtifactsZip | null
}

/** Which output is read, for whom, and from where on: what is stored already is not read again. */
export interface CollectInput {
  jobId: number
  attemptId: number
  runId: string
  cluster: PodAccess
  pod: SpooledPod
  /** The connection that delivered the payload, when it was this worker that did. */
  session: SpoolSession | null
  offset: number
  lastCounter: number
  /** Host ids by name, for events. */
  hostIds: ReadonlyMap<string, number>
  secrets: string[]
  /** Reads what is not ansible-runner's. */
  reader?: PreparedRun['reader']
  signal: AbortSignal
  /** Called once the runner has announced itself, with what it runs. */
  onStarting: (starting: StartingRecord) => Promise<void>
  /** Called after each stored batch, with the offset reached. */
  onStored: (offset: number) => void
}

const keptNoiseLines = 200

/** Reads the spool from the stored offset to its end and stores every event with the offset it reached, in one transaction each. */
export async function collectOutput(
  { store, settings }: { store: Store; settings: { dataFolder: string } },
  input: CollectInput,
): Promise<Collected> {
  const { jobId, attemptId, runId } = input
  const from = { offset: input.offset, lastCounter: input.lastCounter }
  const reader = input.reader?.(from) ?? new SpoolReader(from)
  const collected: Collected = {
    status: null,
    complete: false,
    offset: input.offset,
    noise: [],
    damage: null,
    artifacts: null,
  }
  let stored = input.offset
  /** Where a reader that comes after a crash would begin: never behind the final status, which it must still see. */
  let resumable = input.offset
  let handedOver = input.offset

  // Packed as they are read: what waits for the store is then a few large buffers instead of a hundred thousand objects.
  // The runner may be silent for hours: what cannot be stored ends the reading at once, and is read again by whoever comes next.
  const unstorable = new AbortController()
  const signal = AbortSignal.any([input.signal, unstorable.signal])
  const batcher = new Batcher<PackedEvents>(
    async ({ items, end }) => {
      await appendEvents(store, { attemptId, runId, jobId, fromOffset: stored, toOffset: end, events: items })
      stored = end
      input.onStored(end)
    },
    { onFailure: (error) => unstorable.abort(error) },
  )
  const zip = new ArrivingZip(join(settings.dataFolder, 'artifacts', `${jobId}-${attemptId}.zip`))

  const take = async (records: SpoolRecord[]): Promise<void> => {
    const rows: EventRow[] = []
    for (const record of records) {
      switch (record.kind) {
        case 'event': {
          const row = toEventRow(record.event)
          row.hostId = input.hostIds.get(row.hostName) ?? null
          rows.push(row)
          break
        }
        case 'status':
          collected.status = record.status
          if (record.status.status === 'starting') await input.onStarting(redactStarting(record.status, input.secrets))
          break
        case 'artifacts-begin':
          await zip.begin()
          break
        case 'artifacts-data':
          await zip.append(record.data)
          break
        case 'artifacts-end':
          collected.artifacts = await zip.end()
          break
        case 'eof':
          collected.complete = true
          break
        case 'noise':
          if (collected.noise.length < keptNoiseLines) collected.noise.push(record.text)
          break
        case 'damage':
          collected.damage ??= record.error
          break
        case 'keepalive':
          break
      }
      collected.offset = record.end
      if (!isFinalStatus(collected.status)) resumable = record.end
    }
    if (resumable === handedOver && rows.length === 0) return
    handedOver = resumable
    const packed = packEvents(jobId, rows)
    await batcher.add({ items: rows.length > 0 ? [packed] : [], end: resumable, bytes: packed.rows.length })
  }

  try {
    for await (const chunk of readSpool(input.cluster, input.pod, input.offset, signal, input.session)) {
      await take(reader.push(chunk))
      // The output is whole; waiting for the reader in the pod to end as well would cost 0.3 s.
      if (collected.complete) break
    }
    if (!collected.complete) await take(reader.finish())
    await batcher.flush()
    return collected
  } catch (error) {
    // What was read is kept, whatever ended the reading; the reading's own error is the one that matters.
    await batcher.flush().catch(() => {})
    await zip.discard()
    throw error
  }
}

/** After a final status nothing follows but the artifacts and the eof record, which are read again until the verdict is stored. */
function isFinalStatus(status: RunnerStatus | null): boolean {
  return status !== null && status.status !== 'starting' && status.status !== 'running'
}
