import { and, asc, eq, gt, lt, sql } from 'drizzle-orm'
import { channels } from '../../store/channel.ts'
import type { Store } from '../../store/database.ts'
import { jobEvents, unifiedJobs } from '../../store/schema/jobs.ts'
import { bodyStream } from '../body-stream.ts'
import { BadRequestError } from '../errors.ts'
import type { Action } from '../resource.ts'
import { eventsAreStored, type JobRow } from './fields.ts'

/** Events read at once. */
const batch = 500
/** A batch ends after the event that passes this size, so it holds at most this and one event. */
const batchBytes = 2 * 1024 * 1024
/** Keeps proxies from closing a quiet stream, and looks again should a notification have been lost. */
const heartbeatMilliseconds = 10_000

/**
 * `…/events/stream/?after=<counter>`: the job's events as server-sent events, first those stored, then each as soon as it is stored, until the
 * job has ended and all was sent; then `end` with the status. `restart`: the job begins anew, as by a further attempt; what was sent is void, and
 * counters begin again. `Last-Event-ID` continues where a connection broke. Data of an event:
 * counter, event, stdout, start_line, end_line, host_name, task, failed, changed.
 */
export const eventStreamAction: Action<JobRow> = {
  async GET({ object, query, context }) {
    const { headers, signal } = context.request
    const after = readAfter(query.get('after') ?? headers.get('last-event-id') ?? '0')
    const hungUp = new AbortController()
    const frames = followEvents(context.deps.store, object.id, after, AbortSignal.any([signal, hungUp.signal]))
    return new Response(await bodyStream(encoded(frames), context, () => hungUp.abort()), {
      headers: {
        'Content-Type': 'text/event-stream; charset=utf-8',
        'Cache-Control': 'no-store',
        // nginx would otherwise hold lines back.
        'X-Accel-Buffering': 'no',
      },
    })
  },
  ownFormats: true,
  link: false,
  title: 'Job Event Stream',
}

async function* encoded(frames: AsyncIterable<string>): AsyncGenerator<Uint8Array, void, undefined> {
  const encoder = new TextEncoder()
  for await (const frame of frames) yield encoder.encode(frame)
}

function readAfter(text: string): number {
  if (!/^\d+$/.test(text)) throw new BadRequestError('after must be the counter of an event.')
  return Number(text)
}

/** Frames of the stream. Ends early, without `end`, when the signal aborts or the job is deleted. */
export async function* followEvents(
  store: Store,
  jobId: number,
  after: number,
  signal: AbortSignal,
): AsyncGenerator<string, void, undefined> {
  const changes = new Changes(signal)
  const stops: (() => Promise<void>)[] = []
  try {
    // Listening begins before the first look, so that nothing stored in between is missed.
    for (const channel of [channels.events, channels.jobs]) {
      stops.push(
        await store.listen(channel, (payload) => {
          if (payload === null || payload === String(jobId)) changes.notice()
        }),
      )
    }
    let last = after
    let beginning: string | undefined
    yield ': stream begins\n\n'
    while (!signal.aborted) {
      // The status is read before the events: a job that had ended then has all its events stored now.
      const [job] = await store.db.select().from(unifiedJobs).where(eq(unifiedJobs.id, jobId))
      if (!job) return
      const latest = beginningOf(job)
      if (beginning !== undefined && latest !== beginning) {
        last = 0
        yield `event: restart\ndata: ${JSON.stringify({ explanation: job.retries.told ?? '' })}\n\n`
      }
      beginning = latest
      const events = await readEvents(store, jobId, last)
      if (events.length > 0) {
        last = events.at(-1)?.counter ?? last
        yield events.map(frame).join('')
      } else if (eventsAreStored(job)) {
        yield `event: end\ndata: ${JSON.stringify({ status: job.status, job_explanation: job.jobExplanation })}\n\n`
        return
      } else if (!(await changes.wait(heartbeatMilliseconds))) yield ': still here\n\n'
    }
  } finally {
    for (const stop of stops) await stop()
  }
}

/** Changes when the job begins anew: by another attempt, or by a Reset, which is another run. */
function beginningOf({ runId, retries }: Pick<JobRow, 'runId' | 'retries'>): string | undefined {
  // Nothing was begun before.
  return runId === null ? undefined : `${runId} ${retries.told ?? ''}`
}

/** The next events: so many, or fewer that are long. */
async function readEvents(store: Store, jobId: number, after: number) {
  const next = store.db
    .select({
      counter: jobEvents.counter,
      event: jobEvents.event,
      stdout: jobEvents.stdout,
      start_line: jobEvents.startLine,
      end_line: jobEvents.endLine,
      host_name: jobEvents.hostName,
      task: jobEvents.task,
      failed: jobEvents.failed,
      changed: jobEvents.changed,
      // Lengths are known without the texts, so that those which are left out are not read.
      before:
        sql<number>`sum(octet_length(${jobEvents.stdout})) OVER (ORDER BY ${jobEvents.counter}) - octet_length(${jobEvents.stdout})`.as(
          'before',
        ),
    })
    .from(jobEvents)
    .where(and(eq(jobEvents.jobId, jobId), gt(jobEvents.counter, after)))
    .orderBy(asc(jobEvents.counter))
    .limit(batch)
    .as('next')
  const found = await store.db.select().from(next).where(lt(next.before, batchBytes)).orderBy(asc(next.counter))
  return found.map(({ before: _passed, ...event }) => event)
}

const frame = (event: { counter: number }) =>
  `id: ${event.counter}\nevent: job_event\ndata: ${JSON.stringify(event)}\n\n`

/** Remembers that something changed until somebody waits for it: a notification between two waits is not lost. */
class Changes {
  #noticed = false
  #wake: (() => void) | undefined

  constructor(signal: AbortSignal) {
    signal.addEventListener('abort', () => this.notice(), { once: true })
  }

  notice(): void {
    this.#noticed = true
    this.#wake?.()
  }

  /** True when something changed, false when the time ran out. */
  async wait(milliseconds: number): Promise<boolean> {
    if (!this.#noticed) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, milliseconds)
        this.#wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
    const noticed = this.#noticed
    this.#noticed = false
    this.#wake = undefined
    return noticed
  }
}
