import type { Verdict } from '../activities/types.ts'
import { updateInventory } from './activities.ts'
import { afterDependencies, giveBack, runInGroup, settle } from './job.ts'
import { prepareUpdate } from './preparation.ts'
import { Story } from './story.ts'
import type { JobInput } from './types.ts'

/** One inventory update: on the control plane, or in a pod of its group when its source says so. */
export async function inventoryUpdate(input: JobInput): Promise<Verdict> {
  const story = new Story()
  const verdict = await settle(input, () => runUpdate(input, story))
  return await giveBack(input, verdict, story)
}

async function runUpdate(input: JobInput, story: Story): Promise<Verdict> {
  const prepared = await afterDependencies(() => prepareUpdate(input), story)
  if (!prepared.onControlPlane) return await runInGroup(input, prepared, story, () => runUpdate(input, story))
  story.tell('updating on the control plane')
  return await updateInventory(input)
}
