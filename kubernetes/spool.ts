import type { ExecSession } from './exec.ts'
import { ContainerNotRunningError, ExecLostError } from './exec-errors.ts'
import { pause } from './pause.ts'
import { PodEndedError, SpoolIncompleteError } from './pod-errors.ts'
import { type PodAccess, PodTalk, type SpooledPod } from './pod-talk.ts'
import { acknowledgeScript, endMark, outputScript, proofAnswer, readerScript, signalScript } from './scripts.ts'
import { announcedEnd, type PayloadSource, SpoolSession } from './spool-session.ts'

/** No pod is ready sooner after its creation; the first try, at once, is for pods that were created long ago. */
const earliestStartMs = 250
/** A pod with its image at hand is ready within half a second: every wait here is a wait of its user. */
const eagerTryMs = 75
const eagerForMs = 2_000
/** Later the image is probably being pulled. */
const patientTryMs = 1_000

/** How long a connection may be silent although it is there, in milliseconds. */
export interface SpoolPatience {
  /** A delivery in which nothing moves is tried again. */
  deliveryMs: number
  /** Output that does not come is compared with what the pod has; then after twice as long, and so on. */
  outputMs: number
  /** What the pod has must have come by then. */
  arrivalMs: number
}

const usualPatience: SpoolPatience = { deliveryMs: 60_000, outputMs: 15_000, arrivalMs: 5_000 }
/** The longest time between two looks at what the pod has. */
const longestSilenceMs = 300_000
/** A script that only looks, or tells, is through long before. */
const scriptLimitMs = 60_000

/**
 * Brings the payload into the pod, trying from the pod's creation on until its container runs, and answers with the connection that did it. Idempotent:
 * null where a payload was committed before, or a cancellation bars it. Throws PodEndedError when the pod is gone, replaced or terminal,
 * PodNotStartingError when it cannot start, the signal's reason when aborted. A pod that waits for a node is waited for: the caller sets the limit.
 */
export async function deliverPayload(
  cluster: PodAccess,
  pod: SpooledPod,
  payload: PayloadSource,
  size: number,
  signal: AbortSignal,
  { deliveryMs }: SpoolPatience = usualPatience,
): Promise<SpoolSession | null> {
  const talk = new PodTalk(cluster, pod, signal)
  const begun = performance.now()
  for (;;) {
    try {
      const answer = await SpoolSession.deliver(talk, payload, size, signal, deliveryMs)
      if (answer) return answer === 'already-started' ? null : answer
    } catch (error) {
      await talk.survive(error)
    }
    const waited = performance.now() - begun
    const untilEarliest = earliestStartMs - waited
    await pause(untilEarliest > 0 ? untilEarliest : waited < eagerForMs ? eagerTryMs : patientTryMs, signal)
  }
}

const firstBackOffMs = 100
const lastBackOffMs = 5_000

/**
 * The runner's output from a byte offset to its end, reconnecting as often as needed, each time at the byte after the last one handed out. What is to be
 * read from the beginning comes over the connection that delivered the payload, as long as it is there. One that is there and brings nothing, although the
 * pod has more, is taken for lost.
 * Ends only when the runner has ended and every byte was handed out. Throws PodEndedError when the pod is gone, replaced or terminal before
 * that. Whoever sees the runner's `eof` record need not wait for the end: leave the loop and acknowledge, which proves the size as well.
 */
export async function* readSpool(
  cluster: PodAccess,
  pod: SpooledPod,
  fromOffset: number,
  signal: AbortSignal,
  session: SpoolSession | null = null,
  patience: SpoolPatience = usualPatience,
): AsyncGenerator<Buffer> {
  const talk = new PodTalk(cluster, pod, signal)
  let offset = fromOffset
  let life = new AbortController()
  const first = AbortSignal.any([signal, life.signal])
  let reading = session && fromOffset === 0 ? session.output(first) : readOn(talk, offset, first)
  for (let backOff = firstBackOffMs; ; backOff = Math.min(backOff * 2, lastBackOffMs)) {
    try {
      for (;;) {
        const step = await nextOf(reading, life, patience, () => hasMore(talk, offset))
        if (step.done) {
          const size = step.value
          if (size === offset) return
          if (size !== null && size < offset) throw new SpoolIncompleteError(size, offset)
          break
        }
        offset += step.value.length
        backOff = firstBackOffMs
        yield step.value
      }
    } catch (error) {
      await talk.survive(error)
    } finally {
      await reading.return(null)
    }
    await talk.look()
    await pause(backOff, signal)
    life = new AbortController()
    reading = readOn(talk, offset, AbortSignal.any([signal, life.signal]))
  }
}

type Reading = AsyncGenerator<Buffer, number | null>

/** The next step of a reading. While none comes, it is asked now and then whether one is due; one that is and still does not come ends the reading, by `life`. */
async function nextOf(
  reading: Reading,
  life: AbortController,
  { outputMs, arrivalMs }: SpoolPatience,
  isDue: () => Promise<boolean>,
): Promise<IteratorResult<Buffer, number | null>> {
  let timer: NodeJS.Timeout | undefined
  let come = false
  const askAfter = (silenceMs: number) => {
    timer = setTimeout(async () => {
      const due = await isDue()
      if (come) return
      if (!due) return askAfter(Math.min(silenceMs * 2, longestSilenceMs))
      const lost = new ExecLostError('The output stopped coming although there is more.')
      timer = setTimeout(() => life.abort(lost), arrivalMs)
    }, silenceMs)
  }
  askAfter(outputMs)
  try {
    return await reading.next()
  } finally {
    come = true
    clearTimeout(timer)
  }
}

/** Whether the pod has output after this offset, or its runner has ended; false when it cannot be asked. */
async function hasMore(talk: PodTalk, offset: number): Promise<boolean> {
  try {
    const answer = await talk.readAll(await talk.exec(outputScript, [], { limitMs: scriptLimitMs }))
    const [size = '', ended] = answer.trim().split(' ')
    return Number(size) > offset || ended !== undefined
  } catch {
    return false
  }
}

/** What comes over one connection, and the size of the output if that was announced. */
async function* readOn(talk: PodTalk, offset: number, signal: AbortSignal): Reading {
  const session = await talk.exec(readerScript, [String(offset)], { stdin: 'open', signal })
  try {
    yield* session.stdout
    await session.result
    return announcedEnd(session.stderr)
  } finally {
    session.abort()
  }
}

/** What the runner left besides its output. */
export interface RunnerEnd {
  /** Exit code of `ansible-runner worker`; 127: the image has none; 137: killed, mostly for memory. See causeOfRunnerExit. */
  exitCode: number
  /** Last 8 KiB of its stderr; '' when the pod had ended before it could be read. */
  stderrTail: string
}

/**
 * Proves in the pod that exactly `expectedSize` bytes were written, then lets the wrapper end, in one exec; with `keep` the wrapper goes on
 * waiting. Repeatable. Once it was let go the pod
 * may be deleted with grace 0: nothing runs in it any more. Throws SpoolIncompleteError when the runner still runs after ten seconds or
 * the sizes differ, PodEndedError when the pod is gone.
 */
export async function acknowledge(
  cluster: PodAccess,
  pod: SpooledPod,
  expectedSize: number,
  signal: AbortSignal,
  { keep = false }: { keep?: boolean } = {},
): Promise<RunnerEnd> {
  const talk = new PodTalk(cluster, pod, signal)
  let sent = false
  for (let backOff = firstBackOffMs; ; backOff = Math.min(backOff * 2, lastBackOffMs)) {
    try {
      const session = await talk.exec(acknowledgeScript, [String(expectedSize), ...(keep ? ['keep'] : [])], {
        limitMs: scriptLimitMs,
      })
      sent = true
      const answer = await answerOf(session)
      const [word = '', size = '', code = ''] = (answer.split('\n', 1)[0] ?? '').split(' ')
      if (word === proofAnswer.running) throw new SpoolIncompleteError(null, expectedSize)
      if (word === proofAnswer.incomplete) throw new SpoolIncompleteError(Number(size), expectedSize)
      if (word === proofAnswer.acknowledged && /^\d+$/.test(code)) {
        return { exitCode: Number(code), stderrTail: answer.slice(answer.indexOf('\n') + 1) }
      }
    } catch (error) {
      try {
        await talk.survive(error)
      } catch (fatal) {
        // Our acknowledgement may have arrived although its answer was lost: then the container ended with the runner's code.
        const code = fatal instanceof PodEndedError && sent ? talk.workerExitCode() : null
        if (code === null) throw fatal
        return { exitCode: code, stderrTail: '' }
      }
    }
    await pause(backOff, signal)
  }
}

/**
 * The answer to an acknowledgement, without its end mark. Once that is here nothing more is waited for: the container ends now, and the
 * connection with it, in good order or not.
 */
async function answerOf(session: ExecSession): Promise<string> {
  const mark = `\n${endMark}\n`
  let answer = Buffer.alloc(0)
  for await (const chunk of session.stdout) {
    answer = Buffer.concat([answer, chunk])
    if (answer.subarray(-mark.length).equals(Buffer.from(mark)))
      return answer.subarray(0, -mark.length).toString('utf8')
  }
  await session.result
  return answer.toString('utf8')
}

/**
 * Asks the runner to stop (TERM); it then writes `canceled` and its eof record, which readSpool brings as usual. `not-started`: nothing runs
 * and, unless the container has not started yet, nothing will. Throws PodEndedError only when the pod is gone or replaced.
 */
export async function signalRunner(
  cluster: PodAccess,
  pod: SpooledPod,
  signal: AbortSignal,
): Promise<'signalled' | 'not-started' | 'ended'> {
  const talk = new PodTalk(cluster, pod, signal)
  for (let backOff = firstBackOffMs; ; backOff = Math.min(backOff * 2, lastBackOffMs)) {
    try {
      const answer = (await talk.readAll(await talk.exec(signalScript, [], { limitMs: scriptLimitMs }))).trim()
      if (answer === 'signalled' || answer === 'not-started' || answer === 'ended') return answer
    } catch (error) {
      try {
        await talk.survive(error)
      } catch (fatal) {
        if (fatal instanceof PodEndedError && fatal.how === 'terminal') return 'ended'
        throw fatal
      }
      if (error instanceof ContainerNotRunningError && (await talk.look()) === 'starting') return 'not-started'
    }
    await pause(backOff, signal)
  }
}
