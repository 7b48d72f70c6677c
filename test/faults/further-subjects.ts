import { ownKubernetesNamespace, type Undo } from '../setup/own-places.ts'
import { countedQuota } from '../setup/quota.ts'
import { Scene } from '../setup/scene.ts'
import { steadyPlay } from '../setup/witness.ts'
import type { Arena } from './arena.ts'

/** Leaves its mark, and takes four seconds in which something is printed all the time. */
const markedPlay = steadyPlay.replace(
  '  tasks:\n',
  '  tasks:\n    - ansible.builtin.shell: echo begun >>/marks/{{ tower_job_id }}\n',
)

/** Adds them; `quotaNamespace` is where the jobs run that fill a quota. */
export async function addFurtherSubjects({ mayfly, subjects }: Arena, undo: Undo): Promise<{ quotaNamespace: string }> {
  const scene = await Scene.open(mayfly, { steady: steadyPlay, marked: markedPlay })
  const quotaNamespace = `${mayfly.id}-quota`
  await ownKubernetesNamespace(mayfly.stack, quotaNamespace, undo)
  await countedQuota(mayfly.stack, quotaNamespace, 'one', { pods: '1' })
  const templateOf = async (namespace: string, fields: { max_concurrent_jobs?: number }) => {
    const override = { metadata: { namespace }, spec: subjects.plainSpec }
    const group = await scene.group({ pod_spec_override: JSON.stringify(override), ...fields })
    return await scene.template('steady', { group })
  }
  const namespace = mayfly.kubernetesNamespace
  for (const kind of ['fills group', 'fills another'] as const)
    await subjects.add(kind, await templateOf(namespace, { max_concurrent_jobs: 1 }), 'plain')
  await subjects.add('fills quota', await templateOf(quotaNamespace, {}), 'plain')
  const marked = await scene.group({ pod_spec_override: JSON.stringify({ spec: subjects.markedSpec }) })
  await subjects.add('played', await scene.template('marked', { group: marked }))
  return { quotaNamespace }
}
