import { condition, defineSignal, setHandler } from '@temporalio/workflow'
import type { Verdict } from '../activities/types.ts'
import { lookAtApproval } from './activities.ts'
import { settle } from './job.ts'
import { signals } from './names.ts'
import { Story } from './story.ts'
import type { JobInput } from './types.ts'
import { conclude } from './verdict.ts'

/** One approval: it waits until somebody decides, or its time is over. Who decides writes it down before this hears of it. */
export async function approval(input: JobInput): Promise<Verdict> {
  const story = new Story()
  let decided = false
  setHandler(defineSignal(signals.decided), () => {
    decided = true
  })
  story.tell('waiting for approval')
  const verdict = await settle(input, async () => {
    for (;;) {
      decided = false
      const { verdict, msLeft } = await lookAtApproval(input)
      if (verdict) return verdict
      if (msLeft === null) await condition(() => decided)
      else await condition(() => decided, Math.max(msLeft, 1))
    }
  })
  story.ended(verdict)
  return conclude(verdict)
}
