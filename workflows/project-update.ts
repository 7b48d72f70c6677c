import type { Verdict } from '../activities/types.ts'
import { updateProject } from './activities.ts'
import { settle } from './job.ts'
import { Story } from './story.ts'
import type { JobInput } from './types.ts'
import { conclude } from './verdict.ts'

/** One project update: it runs on the control plane, so it needs neither a place nor a pod. */
export async function projectUpdate(input: JobInput): Promise<Verdict> {
  const story = new Story()
  story.tell('updating on the control plane')
  const verdict = await settle(input, () => updateProject(input))
  story.ended(verdict)
  return conclude(verdict)
}
