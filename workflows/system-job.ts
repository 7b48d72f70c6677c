import type { Verdict } from '../activities/types.ts'
import { runSystemJob } from './activities.ts'
import { settle } from './job.ts'
import { Story } from './story.ts'
import type { JobInput } from './types.ts'
import { conclude } from './verdict.ts'

/** One system job: it cleans on the control plane, so it needs neither a place nor a pod. */
export async function systemJob(input: JobInput): Promise<Verdict> {
  const story = new Story()
  story.tell('cleaning on the control plane')
  const verdict = await settle(input, () => runSystemJob(input))
  story.ended(verdict)
  return conclude(verdict)
}
