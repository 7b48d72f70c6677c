/** What cases are made of: the stage, groups that lead astray, and what happens to pods. */

import { adminConfig, clusterAdmin } from '../setup/cluster-admin.ts'
import type { Mayfly } from '../setup/mayfly.ts'
import type { Undo } from '../setup/own-places.ts'
import type { PodRecord } from '../setup/pods.ts'
import type { Scene, TemplateFields } from '../setup/scene.ts'

/** What a case may use. */
export interface Stage {
  mayfly: Mayfly
  scene: Scene
  /** Pods of the namespace of `mayfly`. */
  pods: PodRecord
  /** Host and port of a registry of this machine that has no image. */
  registry: string
  /** Host and port that take requests and never answer. */
  silence: string
  undo: Undo
}

/** One cause: how it comes about and how it must read. */
export interface Case {
  name: string
  /** Default `quick`: a play of one debug task. */
  playbook?: string
  arrange(stage: Stage): Promise<TemplateFields> | TemplateFields
  /** What happens to the job while it runs. */
  during?(stage: Stage, job: number): Promise<void>
  explanation: RegExp
  detail: RegExp
  /** What the post-mortem shows beside cause and explanation; null: there is none, because no pod was made or asked for. */
  postMortem: Record<string, unknown> | null
  /** It is told only when the time is over that a pod has to begin, so it is a short time for this case. */
  impatient?: true
}

const endpoint = (mayfly: Mayfly) => {
  const cluster = adminConfig(mayfly.stack).getCurrentCluster()
  if (!cluster) throw new Error('the kubeconfig names no cluster')
  return cluster.server
}

/** A group of the stack's cluster with another way in than the administrator's. */
export async function groupBy(
  { mayfly, scene }: Stage,
  inputs: { host?: string; bearer_token?: string; verify_ssl?: boolean; ssl_ca_cert?: string },
  override = '',
): Promise<TemplateFields> {
  const credential = await scene.clusterCredential({
    host: endpoint(mayfly),
    bearer_token: 'not-a-token',
    verify_ssl: false,
    ...inputs,
  })
  return { group: await scene.group({ credential, pod_spec_override: override }) }
}

/** A group with an override, of the cluster and namespace that Mayfly uses anyway. */
export const groupWith = async ({ scene }: Stage, override: string): Promise<TemplateFields> => ({
  group: await scene.group({ pod_spec_override: override }),
})

/** Deletes the pod of a job that has begun to play. */
export async function deletePod(
  { mayfly, scene, pods }: Stage,
  job: number,
  gracePeriodSeconds?: number,
): Promise<void> {
  await scene.printed(job, 'has begun')
  const name = pods.statesOf(job).at(-1)?.metadata?.name ?? ''
  const namespace = mayfly.kubernetesNamespace
  await clusterAdmin(mayfly.stack).deleteNamespacedPod({ namespace, name, gracePeriodSeconds })
}

/** An override of the worker's container. */
export const worker = (fields: string) => `spec: {containers: [{name: worker, ${fields}}]}`

/** The least that running jobs takes. */
export const podsForJobs = [
  { resources: ['pods'], verbs: ['get', 'create', 'delete'] },
  { resources: ['pods/exec'], verbs: ['get', 'create'] },
]
