import { Context } from '@temporalio/activity'
import type { ActivityDeps } from './deps.ts'
import { throwIfAsked } from './failures.ts'
import { Heart } from './heart.ts'
import { JobNews } from './job-news.ts'
import type { AwayError, NoRoomError } from './no-room.ts'

/** How long the cluster may take to answer when the job is not wanted any more. */
const answerMs = 5_000

/** An activity that gets its job in, and waits for that: what it hears meanwhile, and how it says what it waits for. */
export interface AdmissionWait {
  /** Aborts when the job is not wanted any more, or is not this worker's. */
  asked: AbortSignal
  /**
   * Aborts some time after `asked`. A pod's creation that is cut off has happened or not, nobody knows, and may even happen after the pod's
   * deletion; so it is given the time to be answered.
   */
  answered: AbortSignal
  /** Waits for what stands in the way to be gone, but no longer than until there is news of the job; rejects with the signal's reason. */
  outlast(
    obstacle: NoRoomError | AwayError,
    signal: AbortSignal,
    gone: (signal: AbortSignal) => Promise<void>,
  ): Promise<void>
}

/** Does what gets a job in. What escapes is the reason of the activity's cancellation, if there is one. */
export async function whileAdmitting<Result>(
  { store }: Pick<ActivityDeps, 'store'>,
  jobId: number,
  admit: (wait: AdmissionWait) => Promise<Result>,
): Promise<Result> {
  const heart = new Heart(Context.current())
  const { asked } = heart
  let news: JobNews | undefined
  const outlast: AdmissionWait['outlast'] = async (obstacle, signal, gone) => {
    heart.says({ waitsFor: obstacle.message })
    news ??= await JobNews.of(store, jobId)
    await news.interrupt(signal, gone)
  }
  try {
    return await admit({ asked, answered: aLittleLater(asked), outlast })
  } catch (error) {
    throwIfAsked()
    throw error
  } finally {
    heart.end()
    await news?.end()
  }
}

function aLittleLater(signal: AbortSignal): AbortSignal {
  const later = new AbortController()
  signal.addEventListener('abort', () => setTimeout(() => later.abort(signal.reason), answerMs).unref(), { once: true })
  return later.signal
}
