import { KubernetesError } from './errors.ts'
import type { ExecSession } from './exec.ts'
import { ExecLostError } from './exec-errors.ts'
import type { PodTalk } from './pod-talk.ts'
import { deliveryAnswer, deliveryRetry, endMark, proofAnswer, sessionScript } from './scripts.ts'

/** The payload, readable again from its beginning because a delivery may have to be repeated. */
export type PayloadSource = Uint8Array | (() => AsyncIterable<Uint8Array>)

/**
 * The connection that brought the payload in: the output comes over it from the first byte on, and its acknowledgement goes back. It is never mended: what
 * is left to do when it breaks has connections of its own (readSpool, acknowledge). To be closed by whoever has it.
 */
export class SpoolSession {
  readonly #exec: ExecSession
  readonly #life: AbortController
  readonly #bell: Bell
  readonly #chunks: AsyncIterator<Buffer>
  readonly #head: Buffer
  readonly #tellStored: (size: number) => void
  #next: Promise<IteratorResult<Buffer>> | undefined

  private constructor(exec: ExecSession, { life, bell, chunks, head, tellStored }: SessionParts) {
    this.#exec = exec
    this.#life = life
    this.#bell = bell
    this.#chunks = chunks
    this.#head = head
    this.#tellStored = tellStored
  }

  /**
   * Tries once to deliver. Null: worth another try. Throws what the exec throws, ExecLostError when nothing moves for `quietMs`, PayloadNotStoredError when the
   * pod's shell cannot store the payload, the signal's reason when it aborts before the payload was delivered.
   */
  static async deliver(
    talk: PodTalk,
    payload: PayloadSource,
    size: number,
    signal: AbortSignal,
    quietMs: number,
  ): Promise<SpoolSession | 'already-started' | null> {
    const life = new AbortController()
    // Pings reach the API server alone; what hangs behind it says nothing, and would be waited for until the pod is given up.
    const silence = setTimeout(() => life.abort(new ExecLostError('The delivery of the payload hangs.')), quietMs)
    const moved = () => void silence.refresh()
    const unfollow = follow(signal, life)
    const bell = new Bell()
    const wanted = Promise.withResolvers<boolean>()
    const stored = Promise.withResolvers<number>()
    let delivered = false
    try {
      const exec = await talk.exec(sessionScript, [String(size)], {
        stdin: inTurn([onceWanted(payload, wanted.promise, moved), lineOf(stored.promise)]),
        signal: life.signal,
        onStderr: () => bell.ring(),
      })
      const chunks = exec.stdout[Symbol.asyncIterator]()
      let said = Buffer.alloc(0)
      for (let step = await chunks.next(); !step.done; step = await chunks.next()) {
        moved()
        said = Buffer.concat([said, step.value])
        if (said.includes(`${deliveryAnswer.ready}\n`)) wanted.resolve(true)
        const word = `${deliveryAnswer.delivered}\n`
        const at = said.indexOf(word)
        if (at < 0) continue
        delivered = true
        const head = said.subarray(at + word.length)
        return new SpoolSession(exec, { life, bell, chunks, head, tellStored: stored.resolve })
      }
      const { exitCode } = await exec.result
      if (said.includes(deliveryAnswer.started)) return 'already-started'
      if (exitCode === deliveryRetry.wrapperNotReady || exitCode === deliveryRetry.cutOff) return null
      // Killed: the container may have ended under it.
      if (exitCode <= 128) throw new PayloadNotStoredError(exitCode, exec.stderr)
      await talk.look()
      return null
    } finally {
      clearTimeout(silence)
      unfollow()
      wanted.resolve(false)
      if (!delivered) life.abort(new Error('the payload was not delivered'))
    }
  }

  /**
   * The output from its first byte on, to be read once. Returns its size when that was announced and all of it was handed out; null when the script
   * was ended before. Throws when the connection is lost. Leaving it leaves the connection as it is.
   */
  async *output(signal: AbortSignal): AsyncGenerator<Buffer, number | null> {
    const unfollow = follow(signal, this.#life)
    try {
      let read = this.#head.length
      if (read > 0) yield this.#head
      for (;;) {
        const size = announcedEnd(this.#exec.stderr)
        if (size !== null && read >= size) return size
        this.#next ??= this.#read()
        const step = await Promise.race([this.#next, this.#bell.rung()])
        if (!step) continue
        this.#next = undefined
        if (step.done) {
          await this.#exec.result
          return announcedEnd(this.#exec.stderr)
        }
        read += step.value.length
        yield step.value
      }
    } catch (error) {
      // Ended by what ended the wait for its delivery, in the same moment: for who reads it is lost.
      if (this.#life.signal.aborted && !signal.aborted) throw new ExecLostError('The session had been ended.')
      throw error
    } finally {
      unfollow()
    }
  }

  /**
   * Proves in the pod that exactly `size` bytes were written, then lets the wrapper end. To be called once. False where the answer is another one or does
   * not come: `acknowledge` finds out which, over a connection of its own.
   */
  async acknowledge(size: number, signal: AbortSignal): Promise<boolean> {
    const unfollow = follow(signal, this.#life)
    let over = false
    const end = () => {
      over = true
      this.#bell.ring()
    }
    this.#exec.result.then(end, end)
    try {
      this.#tellStored(size)
      for (;;) {
        const word = proofWord.exec(this.#exec.stderr)?.[1]
        if (word !== undefined) return word === proofAnswer.acknowledged
        if (over) return false
        await this.#bell.rung()
      }
    } finally {
      unfollow()
    }
  }

  /** Drops the connection; the script in the pod ends with it. */
  close(): void {
    this.#life.abort(new Error('the session was closed'))
  }

  #read(): Promise<IteratorResult<Buffer>> {
    const next = this.#chunks.next()
    // Nobody may wait for it any more when the connection ends.
    next.catch(() => {})
    return next
  }
}

interface SessionParts {
  life: AbortController
  bell: Bell
  chunks: AsyncIterator<Buffer>
  /** What of the output came with the answer to the delivery. */
  head: Buffer
  tellStored: (size: number) => void
}

/** The pod's shell could not store the payload, for example because the volume is full. */
export class PayloadNotStoredError extends KubernetesError {
  constructor(exitCode: number, stderr: string) {
    super(`The payload could not be stored in the pod (exit code ${exitCode}).`, stderr)
  }
}

const announcement = new RegExp(`^${endMark} (\\d+)\\n`, 'm')
const proofWord = new RegExp(`^(${Object.values(proofAnswer).join('|')})\\b.*\\n`, 'm')

/** The size that a reader tells on its stderr when it is through; null when it was cut off before. */
export function announcedEnd(stderr: string): number | null {
  const match = announcement.exec(stderr)
  return match ? Number(match[1]) : null
}

/** Ends what `life` stands for with the signal, until the answer is called. */
function follow(signal: AbortSignal, life: AbortController): () => void {
  const abort = () => life.abort(signal.reason)
  if (signal.aborted) abort()
  else signal.addEventListener('abort', abort, { once: true })
  return () => signal.removeEventListener('abort', abort)
}

/** Each stretch of bytes is forgotten when the next one begins: a payload must not be kept for as long as its job runs. */
async function* inTurn(stretches: AsyncIterable<Uint8Array>[]): AsyncGenerator<Uint8Array> {
  for (let stretch = stretches.shift(); stretch; stretch = stretches.shift()) yield* stretch
}

/** Calls `moved` whenever a piece has left. */
async function* onceWanted(
  payload: PayloadSource,
  wanted: Promise<boolean>,
  moved: () => void,
): AsyncGenerator<Uint8Array> {
  if (!(await wanted)) return
  for await (const piece of payload instanceof Uint8Array ? [payload] : payload()) {
    yield piece
    moved()
  }
}

async function* lineOf(stored: Promise<number>): AsyncGenerator<Uint8Array> {
  yield Buffer.from(`${await stored}\n`)
}

/** Wakes whoever waits for news. */
class Bell {
  #wake: () => void = () => {}

  ring(): void {
    this.#wake()
  }

  /** Resolves at the next ring. One waits at a time. */
  rung(): Promise<undefined> {
    return new Promise((resolve) => {
      this.#wake = () => resolve(undefined)
    })
  }
}
