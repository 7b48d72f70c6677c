import type { JobRow } from '../store/job-status.ts'
import { olderUpdate } from '../store/project-updates.ts'
import { explainWaiting } from '../store/waiting.ts'
import type { ActivityDeps } from './deps.ts'
import { endOfJob } from './end-of-job.ts'
import { noCapacity } from './failures.ts'
import type { Heart } from './heart.ts'

/** Updates that one worker runs at once: each is a git or a Python at work on this machine. */
const mostAtOnce = 16
const busyRetryMs = 500
/** Those behind the next in line look now and then, since whoever waits holds a slot for activities. */
const inLineRetryMs = 2_000

let running = 0

/** A place among the updates of this worker, given back when disposed of. Throws a benign failure that is tried again when all are taken. */
export function takeUpdatePlace(): Disposable {
  if (running >= mostAtOnce) throw noCapacity(`This node runs ${mostAtOnce} updates already.`, busyRetryMs)
  running += 1
  return {
    [Symbol.dispose]() {
      running -= 1
    },
  }
}

/**
 * Resolves when no older update of the same project is left: there is one at a time, in the order in which they were made. A sync for a job waits
 * for none, since it changes nothing of the project.
 */
export async function waitForTurn(deps: ActivityDeps, job: JobRow, heart: Heart): Promise<void> {
  const { projectId } = job
  if (projectId === null || job.launchType === 'sync') return
  await waitInLine(deps, job, heart, () => olderUpdate(deps.store.db, projectId, job.id))
}

/** Resolves when nothing of the same kind is left that came before; `findOlder` tells the first of them and how many there are. */
export async function waitInLine(
  deps: ActivityDeps,
  job: JobRow,
  heart: Heart,
  findOlder: () => Promise<{ id: number; ahead: number } | null>,
): Promise<void> {
  const { store } = deps
  for (;;) {
    const older = await findOlder()
    if (!older) return
    const message = `waiting for ${job.type}-${older.id} to finish`
    await explainWaiting(store.db, job.id, 'dependency', message)
    if (older.ahead > 1) throw noCapacity(message, inLineRetryMs)
    await endOfJob(store, older.id, heart.asked)
  }
}
