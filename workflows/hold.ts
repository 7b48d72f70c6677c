import { condition, defineSignal, setHandler } from '@temporalio/workflow'
import type { Verdict } from '../activities/types.ts'
import { lookAtHold } from './activities.ts'
import { signals } from './names.ts'
import type { Story } from './story.ts'
import type { JobInput } from './types.ts'

/** The container may end before its time: by the pod's deadline, or by somebody's hand. Then its place is wanted back. */
const lookAgainMs = 5 * 60_000

/**
 * Waits for as long as the pod of a job that has ended is kept for whoever wants to look into it: until its time is over, somebody releases it
 * (written down before the signal comes), its container ends, or the workflow is cancelled. Never fails: what follows is the release, and that must come.
 */
export async function waitWhileHeld(input: JobInput, verdict: Verdict, story: Story): Promise<void> {
  let news = false
  setHandler(defineSignal(signals.progress), () => {
    news = true
  })
  story.held(verdict)
  try {
    for (;;) {
      news = false
      const { msLeft } = await lookAtHold(input)
      if (msLeft <= 0) return
      await condition(() => news, Math.min(msLeft, lookAgainMs))
    }
  } catch (error) {
    story.tell(`the pod is no longer kept: ${error}`)
  }
}
